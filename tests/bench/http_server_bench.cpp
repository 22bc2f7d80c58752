// What a piece of a stream and a whole answer cost the HTTP server, in CPU of its thread. Another
// thread reads what the clients of streams get.
#include "http/server.hpp"

#include <boost/asio/io_context.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace memprof::http;

constexpr std::size_t kStreams = 500;
constexpr std::size_t kPieceBytes = 300;  // as of vLLM's events

class Clients {
 public:
  explicit Clients(std::uint16_t port) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    constexpr std::string_view kRequest = "GET /stream HTTP/1.1\r\n\r\n";
    for (std::size_t i = 0; i < kStreams; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      epoll_event event{EPOLLIN, {.fd = fd}};
      if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
          ::send(fd, kRequest.data(), kRequest.size(), 0) < 0 ||
          ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
        std::abort();
      }
      fds_.push_back(fd);
    }
    drain_ = std::thread([this] { drain(); });
  }
  ~Clients() {
    stop_ = true;
    drain_.join();
    for (const int fd : fds_) ::close(fd);
    ::close(epoll_);
  }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

 private:
  void drain() {
    std::array<epoll_event, 64> events{};
    std::array<char, 65'536> bytes{};
    while (!stop_) {
      const int ready = ::epoll_wait(epoll_, events.data(), events.size(), 20);
      for (int i = 0; i < ready; ++i) {
        (void)::recv(events[static_cast<std::size_t>(i)].data.fd, bytes.data(), bytes.size(), 0);
      }
    }
  }

  int epoll_;
  std::vector<int> fds_;
  std::atomic<bool> stop_ = false;
  std::thread drain_;
};

/// A turn gives each stream so many pieces.
void stream_pieces(benchmark::State& state) {
  boost::asio::io_context io(1);
  std::vector<std::shared_ptr<Reply>> replies;
  Server server(io, "127.0.0.1", 0, [&](ServerRequest&&, std::shared_ptr<Reply> reply) {
    reply->start_stream(200, "text/event-stream; charset=utf-8");
    replies.push_back(std::move(reply));
  });
  Clients clients(server.port());
  while (replies.size() < kStreams) io.run_one();
  const std::string piece(kPieceBytes, 'x');
  for (auto _ : state) {
    for (const auto& reply : replies) {
      for (std::int64_t i = 0; i < state.range(0); ++i) reply->write(piece);
    }
    io.poll();
  }
  const auto pieces = state.iterations() * state.range(0) * static_cast<std::int64_t>(kStreams);
  state.SetItemsProcessed(pieces);
  state.counters["cpu/piece"] = benchmark::Counter(
      static_cast<double>(pieces), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(stream_pieces)->Arg(1)->Arg(4)->Unit(benchmark::kMillisecond);

/// A request and its answer, one connection after the other.
void whole_answers(benchmark::State& state) {
  boost::asio::io_context io(1);
  std::size_t answered = 0;
  const std::string body(kPieceBytes, 'x');
  Server server(io, "127.0.0.1", 0, [&](ServerRequest&&, std::shared_ptr<Reply> reply) {
    ++answered;
    reply->send(200, "application/json", body);
  });
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(server.port());
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
  const std::string request =
      "POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: application/json\r\n"
      "Content-Length: 300\r\n\r\n" + body;
  std::array<char, 4096> bytes{};
  for (auto _ : state) {
    const auto before = answered;
    if (::send(fd, request.data(), request.size(), 0) < 0) std::abort();
    while (answered == before) io.run_one();
    if (::recv(fd, bytes.data(), bytes.size(), 0) <= 0) std::abort();
  }
  ::close(fd);
}
BENCHMARK(whole_answers)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
