#include "server_processes.hpp"

#include "formats/number.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace memprof::profile {
namespace {

namespace fs = std::filesystem;

/// A process may end while its folder is read: what is left of it is passed over.
template <class F>
void for_each_entry(const fs::path& folder, F&& f) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    f(entry->path());
  }
}

std::string link_target(const fs::path& link) {
  std::error_code error;
  return fs::read_symlink(link, error).string();
}

/// Inodes of the sockets that listen on `port`; the tables are of this network namespace.
std::set<std::string> listening_inodes(std::uint16_t port) {
  std::set<std::string> inodes;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // the header
    while (std::getline(file, line)) {
      // sl local_address rem_address st queues timer retransmits uid timeout inode …
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode;
      const auto colon = local.rfind(':');
      if (state != "0A" || colon == std::string::npos) continue;
      if (std::stoul(local.substr(colon + 1), nullptr, 16) == port) inodes.insert(inode);
    }
  }
  return inodes;
}

struct Process {
  std::int64_t parent = 0;
  std::string executable;
};

std::map<std::int64_t, Process> all_processes() {
  std::map<std::int64_t, Process> processes;
  for_each_entry("/proc", [&](const fs::path& folder) {
    const auto pid = formats::parse_int(folder.filename().string());
    if (!pid) return;
    std::ifstream file(folder / "stat");
    std::string stat;
    std::getline(file, stat);
    // The name in brackets may hold anything: what follows its last bracket is `state ppid …`.
    const auto name_end = stat.rfind(')');
    if (name_end == std::string::npos) return;
    std::istringstream fields(stat.substr(name_end + 1));
    std::string state;
    Process process;
    fields >> state >> process.parent;
    process.executable = link_target(folder / "exe");
    processes.emplace(*pid, std::move(process));
  });
  return processes;
}

bool holds_socket(std::int64_t pid, const std::set<std::string>& inodes) {
  constexpr std::string_view kBegin = "socket:[";
  bool holds = false;
  for_each_entry("/proc/" + std::to_string(pid) + "/fd", [&](const fs::path& fd) {
    const auto target = link_target(fd);
    holds = holds || (target.starts_with(kBegin) &&
                      inodes.count(target.substr(kBegin.size(),
                                                 target.size() - kBegin.size() - 1)) > 0);
  });
  return holds;
}

}  // namespace

std::vector<std::int64_t> processes_behind_port(std::uint16_t port) {
  const auto inodes = listening_inodes(port);
  if (inodes.empty()) return {};
  const auto processes = all_processes();
  std::set<std::int64_t> server;
  for (const auto& [pid, process] : processes) {
    if (holds_socket(pid, inodes)) server.insert(pid);
  }
  // Several API servers are children of one process, which started the engines too.
  for (const auto listener : std::set<std::int64_t>(server)) {
    for (auto child = processes.find(listener); child != processes.end();) {
      const auto parent = processes.find(child->second.parent);
      if (parent == processes.end() || parent->second.executable.empty() ||
          parent->second.executable != child->second.executable) {
        break;
      }
      server.insert(parent->first);
      child = parent;
    }
  }
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [pid, process] : processes) {
      if (server.count(process.parent) > 0) grew |= server.insert(pid).second;
    }
  }
  return {server.begin(), server.end()};
}

}  // namespace memprof::profile
