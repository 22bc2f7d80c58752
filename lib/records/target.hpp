#pragma once

#include "records/units.hpp"
#include "records/workload.hpp"

#include <boost/describe.hpp>

#include <optional>
#include <string>

namespace memprof {

BOOST_DEFINE_ENUM_CLASS(Endpoint, chat, completions)

/// The server that requests go to, and how to be let in. Holds paths of secrets, never secrets.
struct TargetSpec {
  std::string base_url = "http://127.0.0.1:8000/v1";
  std::string model = "default";  ///< `default`: the server's only model
  Endpoint endpoint = Endpoint::chat;
  Seconds connect_timeout = 10;
  std::optional<std::string> api_key_file;
  std::optional<std::string> header_file;  ///< `K: V` lines, sent with every request
  std::optional<std::string> ca_file;      ///< PEM; none: the system's
  bool insecure = false;                   ///< do not check certificate and host name
};

/// How a workload is sent.
struct ReplaySpec {
  Seconds timeout = 600;  ///< one whole request
  bool stream = false;
  bool exact_output = false;  ///< ignore_eos, and min_tokens = max_tokens
  Schedule schedule = Schedule::group;
  Seconds group_pause_s = 2;
  std::string cache_salt = "none";  ///< none | per-run | per-group | any other text
  std::optional<std::string> extra_body;  ///< JSON object merged into every request
  std::optional<std::string> request_id_prefix;
};

}  // namespace memprof
