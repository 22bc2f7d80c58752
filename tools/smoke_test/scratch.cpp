#include "scratch.hpp"

#include "files/document.hpp"
#include "process/sibling.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include <netinet/in.h>
#include <sys/socket.h>

namespace memprof::smoke {
namespace {

constexpr auto kMostTime = std::chrono::seconds(30);
constexpr auto kBetweenLooks = std::chrono::milliseconds(20);

}  // namespace

Scratch::Scratch(const cli::StopSignal& stop) : stop_(stop) {
  std::error_code error;
  auto pattern = (std::filesystem::temp_directory_path(error) / "smoke_test.XXXXXX").string();
  if (error || ::mkdtemp(pattern.data()) == nullptr) {
    throw ToolError(ExitCode::environment,
                    pattern + ": cannot make a temporary folder; set TMPDIR to one that can be "
                              "written to");
  }
  folder_ = pattern;
}

Scratch::~Scratch() {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

Outcome Scratch::run(std::string_view tool, std::vector<std::string> arguments) const {
  process::Spec spec;
  spec.executable = process::sibling(tool);
  spec.arguments = std::move(arguments);
  spec.errors = process::Stream::file(file("stderr"));
  auto child = process::Child::spawn(spec).value();
  const auto deadline = clock::RunClock::since_boot() + kMostTime;
  for (;;) {
    const auto now = clock::RunClock::since_boot();
    if (const auto status = child.wait_until(now + kBetweenLooks)) {
      return {*status, files::read_document(spec.errors.path).value()};
    }
    if (stop_.number() != 0) throw ToolError(ExitCode::failed, "ended by a signal");
    if (now >= deadline) {
      throw ToolError(ExitCode::failed, fmt::format("{} did not end within {} s", tool,
                                                    kMostTime.count()));
    }
  }
}

RefusedPort::RefusedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket_.get(), generic, size) != 0 ||
      ::getsockname(socket_.get(), generic, &size) != 0) {
    throw ToolError(ExitCode::environment, "no free port on 127.0.0.1");
  }
  number_ = ntohs(address.sin_port);
}

}  // namespace memprof::smoke
