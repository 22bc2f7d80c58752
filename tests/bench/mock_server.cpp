// A fast OpenAI-API server without a model, whose own log is the truth about a load client: when
// each request's first byte came, when its first token and its last byte went out, and how many
// were in flight. One thread on epoll; vLLM 0.32's shapes. Wall-clock times in microseconds.

#include "mock_log.hpp"
#include "mock_shapes.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace bench;

struct Options {
  int port = 0;
  Micros delay = 50'000;       // plain answers, after the request's last byte
  Micros token_every = 20'000; // streams: each token after the one before (the first: the request)
  std::int64_t tokens = 0;     // 0: as the request's max_tokens says
  std::string log;
};

struct Connection {
  int fd = -1;
  std::uint64_t generation = 0;  // a timer of an earlier owner of this slot is void
  std::string in;
  std::string out;  // what the socket did not take
  bool wants_writable = false;
  bool in_flight = false;
  bool ending = false;  // the answer's last byte is in `out`
  std::size_t body_begin = 0;
  std::size_t total = 0;  // of the request; 0: head not read whole
  std::int64_t tokens_due = 0;
  Record record;
};

struct Timer {
  Micros due;
  std::size_t slot;
  std::uint64_t generation;
  bool operator>(const Timer& other) const { return due > other.due; }
};

volatile std::sig_atomic_t stop_asked = 0;

class Server {
 public:
  explicit Server(Options options) : options_(std::move(options)) {}

  bool listen_on_loopback() {
    rlimit files{};
    prctl(PR_SET_TIMERSLACK, 1);  // else each token is 50 µs late
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, plain, size) != 0 || listen(listener_, 8192) != 0) return false;
    getsockname(listener_, plain, &size);
    watch(listener_, kListener, EPOLLIN, EPOLL_CTL_ADD);
    std::cout << "http://127.0.0.1:" << ntohs(address.sin_port) << std::endl;
    return true;
  }

  void run() {
    std::array<epoll_event, 512> events{};
    while (stop_asked == 0) {
      const int count = wait(events);
      for (int n = 0; n < count; ++n) {
        const auto slot = events[static_cast<std::size_t>(n)].data.u64;
        const auto what = events[static_cast<std::size_t>(n)].events;
        if (slot == kListener) {
          accept_all();
        } else if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
          read_some(slot);
        } else if ((what & EPOLLOUT) != 0) {
          send_bytes(slot, {});
        }
      }
      fire_timers();
    }
  }

  RequestLog& log() { return log_; }

 private:
  static constexpr std::uint64_t kListener = ~std::uint64_t{0};

  void watch(int fd, std::uint64_t slot, std::uint32_t what, int operation) const {
    epoll_event wanted{};
    wanted.events = what;
    wanted.data.u64 = slot;
    epoll_ctl(epoll_, operation, fd, &wanted);
  }

  int wait(std::array<epoll_event, 512>& events) {
    timespec left{1, 0};
    if (!timers_.empty()) {
      const auto micros = std::clamp<Micros>(timers_.top().due - wall_now(), 0, 999'999);
      left = {0, micros * 1'000};
    }
    return epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &left, nullptr);
  }

  void accept_all() {
    int fd = -1;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (free_.empty()) {
        free_.push_back(connections_.size());
        connections_.push_back(std::make_unique<Connection>());
      }
      const auto slot = free_.back();
      free_.pop_back();
      const auto generation = connections_[slot]->generation + 1;
      *connections_[slot] = {};
      connections_[slot]->fd = fd;
      connections_[slot]->generation = generation;
      log_.connected();
      watch(fd, slot, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void read_some(std::size_t slot) {
    auto& connection = *connections_[slot];
    if (connection.fd < 0) return;
    const auto got = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close_connection(slot);
    if (connection.in.empty() && buffer_[0] == 'P') begin_request(connection);
    connection.in.append(buffer_.data(), static_cast<std::size_t>(got));
    look_at_request(slot);
  }

  void begin_request(Connection& connection) {
    connection.record = {};
    connection.record.first_byte = wall_now();
    connection.in_flight = true;
    log_.began();
  }

  void look_at_request(std::size_t slot) {
    auto& c = *connections_[slot];
    if (c.total == 0) {
      const auto end = c.in.find("\r\n\r\n");
      if (end == std::string::npos) return;
      const auto head = std::string_view(c.in).substr(0, end);
      c.body_begin = end + 4;
      c.total = c.body_begin + static_cast<std::size_t>(
                                   whole_number(header_value(head, "content-length"), 0));
      c.in.reserve(c.total);
    }
    if (c.in.size() < c.total) return;
    c.record.complete = wall_now();
    c.record.request_id = header_value(std::string_view(c.in).substr(0, c.body_begin),
                                       "x-request-id");
    if (c.in.starts_with("GET ")) {
      const bool wants_stats = c.in.starts_with("GET /stats");
      c.in.clear();
      c.total = 0;
      return send_bytes(slot, wants_stats ? json_answer(log_.stats()) : kModels);
    }
    const auto body = std::string_view(c.in).substr(c.body_begin, c.total - c.body_begin);
    c.record.stream = json_value(body, "stream").starts_with("true");
    const auto asked = whole_number(json_value(body, "max_tokens"), 16);
    c.tokens_due = options_.tokens > 0 ? options_.tokens : std::max<std::int64_t>(asked, 1);
    std::string().swap(c.in);  // 5,000 streams must not keep their prompts
    timers_.push({c.record.complete + (c.record.stream ? options_.token_every : options_.delay),
                  slot, c.generation});
  }

  void fire_timers() {
    const auto now = wall_now();
    while (!timers_.empty() && timers_.top().due <= now) {
      const auto timer = timers_.top();
      timers_.pop();
      auto& connection = *connections_[timer.slot];
      if (connection.fd < 0 || connection.generation != timer.generation) continue;
      answer(timer, connection);
    }
  }

  void answer(const Timer& timer, Connection& c) {
    auto& record = c.record;
    const auto now = wall_now();
    log_.token_written(now - timer.due);
    if (record.first_token == 0) record.first_token = now;
    if (!record.stream) {
      record.tokens = c.tokens_due;
      c.ending = true;
      return send_bytes(timer.slot, json_answer(plain_body(record.tokens)));
    }
    const bool first = record.tokens++ == 0;
    if (!first && record.tokens < c.tokens_due) {
      send_bytes(timer.slot, kToken);
    } else {
      std::string bytes = first ? kStreamHead : "";
      c.ending = record.tokens >= c.tokens_due;
      bytes += c.ending ? kLastToken : kToken;
      if (c.ending) {
        bytes += event("\"choices\":[]," + usage(record.tokens)) + chunk("data: [DONE]\n\n") +
                 "0\r\n\r\n";
      }
      send_bytes(timer.slot, bytes);
    }
    if (c.in_flight && record.tokens < c.tokens_due) {
      timers_.push({timer.due + options_.token_every, timer.slot, timer.generation});
    }
  }

  void send_bytes(std::size_t slot, std::string_view bytes) {
    auto& c = *connections_[slot];
    const bool waiting = !c.out.empty();
    if (waiting) {
      c.out += bytes;
      bytes = c.out;
    }
    const auto sent = send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return close_connection(slot);
    const auto taken = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    c.out = std::string(bytes.substr(taken));
    if (c.out.empty() == c.wants_writable) {
      c.wants_writable = !c.out.empty();
      watch(c.fd, slot, c.wants_writable ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    }
    if (c.out.empty() && c.ending) end_request(c, true);
  }

  void end_request(Connection& c, bool finished) {
    c.record.last_byte = wall_now();
    c.record.finished = finished;
    c.ending = c.in_flight = false;
    c.total = 0;
    log_.ended(c.record);
  }

  void close_connection(std::size_t slot) {
    auto& c = *connections_[slot];
    if (c.in_flight) end_request(c, false);
    close(c.fd);
    c.fd = -1;
    std::string().swap(c.in);
    std::string().swap(c.out);
    free_.push_back(slot);
  }

  Options options_;
  int epoll_ = -1;
  int listener_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::size_t> free_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  RequestLog log_;
};

bool parse(int argc, char** argv, Options& options) {
  for (int n = 1; n + 1 < argc; n += 2) {
    const std::string_view flag = argv[n];
    const std::string_view value = argv[n + 1];
    const auto number = whole_number(value, -1);
    if (flag == "--log") {
      options.log = value;
    } else if (number < 0) {
      return false;
    } else if (flag == "--port") {
      options.port = static_cast<int>(number);
    } else if (flag == "--delay-ms") {
      options.delay = number * 1'000;
    } else if (flag == "--token-ms") {
      options.token_every = number * 1'000;
    } else if (flag == "--tokens") {
      options.tokens = number;
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::cerr << "bench_mock_server [--port 0] [--delay-ms 50] [--token-ms 20] [--tokens N]"
                 " [--log FILE]\nPrints its URL; ends on SIGTERM with its account on stdout.\n"
                 "GET /stats gives the account at any time.\n";
    return 2;
  }
  struct sigaction action{};
  action.sa_handler = [](int) { stop_asked = 1; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  Server server(options);
  if (!server.listen_on_loopback()) {
    std::cerr << "bench_mock_server: error: cannot listen: " << std::strerror(errno) << '\n';
    return 3;
  }
  server.run();
  std::cout << server.log().stats() << std::flush;
  return server.log().write(options.log) ? 0 : 3;
}
