#pragma once

// The mock server's account of its requests.

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace bench {

using Micros = std::int64_t;

inline Micros wall_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return Micros{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

struct Record {
  std::string request_id;
  bool stream = false;
  Micros first_byte = 0;
  Micros complete = 0;
  Micros first_token = 0;  // plain: when the answer was written
  Micros last_byte = 0;    // or when the client was found gone
  std::int64_t tokens = 0;
  bool finished = false;
};

class RequestLog {
 public:
  void connected() { ++accepted_; }
  void token_written(Micros late) { lateness_.push_back(late); }
  void began() { count(1); }
  void ended(Record record) {
    records_.push_back(std::move(record));
    count(-1);
  }

  /// CSV; true when there is nothing to write to.
  [[nodiscard]] bool write(const std::string& path) const {
    if (path.empty()) return true;
    std::ofstream file(path, std::ios::trunc);
    file << "request_id,stream,first_byte_us,complete_us,first_token_us,last_byte_us,tokens,"
            "finished\n";
    for (const auto& r : records_) {
      file << r.request_id << ',' << r.stream << ',' << r.first_byte << ',' << r.complete << ',';
      if (r.first_token != 0) file << r.first_token;
      file << ',' << r.last_byte << ',' << r.tokens << ',' << r.finished << '\n';
    }
    return static_cast<bool>(file.flush());
  }

  std::string stats() {
    rusage own{};
    getrusage(RUSAGE_SELF, &own);
    const auto seconds = [](timeval t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    std::int64_t finished = 0;
    std::int64_t tokens = 0;
    for (const auto& record : records_) {
      finished += record.finished ? 1 : 0;
      tokens += record.tokens;
    }
    const auto span = static_cast<double>(last_change_ - first_request_);
    std::sort(lateness_.begin(), lateness_.end());
    const auto late = [&](double share) {
      if (lateness_.empty()) return std::string("null");
      const auto last = static_cast<double>(lateness_.size() - 1);
      return std::to_string(lateness_[static_cast<std::size_t>(share * last)]);
    };
    return "{\"requests\":" + std::to_string(records_.size()) +
           ",\"finished\":" + std::to_string(finished) + ",\"tokens\":" + std::to_string(tokens) +
           ",\"connections\":" + std::to_string(accepted_) +
           ",\"max_in_flight\":" + std::to_string(max_in_flight_) +
           ",\"mean_in_flight\":" + (span > 0 ? std::to_string(area_ / span) : "null") +
           ",\"own_lateness_us\":{\"p50\":" + late(0.5) + ",\"p99\":" + late(0.99) +
           ",\"max\":" + late(1) + "},\"cpu_s\":" +
           std::to_string(seconds(own.ru_utime) + seconds(own.ru_stime)) + "}\n";
  }

 private:
  void count(int change) {
    const auto now = wall_now();
    if (first_request_ == 0) {
      first_request_ = last_change_ = now;
      std::cout << "first request" << std::endl;  // whoever measures reads clients' CPU time now
    }
    area_ += static_cast<double>(in_flight_) * static_cast<double>(now - last_change_);
    last_change_ = now;
    in_flight_ += change;
    max_in_flight_ = std::max(max_in_flight_, in_flight_);
  }

  std::vector<Record> records_;
  std::vector<Micros> lateness_;  // of the server's own writes, against their due times
  std::int64_t accepted_ = 0;
  int in_flight_ = 0;  // from a request's first byte to its answer's last
  int max_in_flight_ = 0;
  double area_ = 0;  // in flight × microseconds
  Micros first_request_ = 0;
  Micros last_change_ = 0;
};

}  // namespace bench
