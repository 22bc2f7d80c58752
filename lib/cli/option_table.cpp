#include "cli/option_table.hpp"

#include "formats/text.hpp"
#include "records/error.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <cctype>

namespace memprof::cli {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kExitCodes =
    "Exit codes\n"
    "  0    done, and everything that was asked for succeeded\n"
    "  1    ran, but something failed; files are complete all the same\n"
    "  2    usage: a flag or a workload line that cannot be used\n"
    "  3    environment: no server, no such GPU, file missing or not writable, disk full\n"
    "  128+n ended by signal n (130: Ctrl-C), after writing what there was\n";

std::string json_key(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

[[noreturn]] void usage_error(const std::string& text) {
  throw ToolError(ExitCode::usage, text + " (see --help)");
}

/// A URL's user, password and query may be secrets: they are refused before anything shows them,
/// --print-config and error messages included.
bool may_hold_secret(std::string_view value) {
  if (!value.starts_with("http://") && !value.starts_with("https://")) return false;
  const auto rest = value.substr(value.find("//") + 2);
  const auto host = rest.substr(0, rest.find('/'));
  return host.find('@') != std::string_view::npos ||
         rest.find_first_of("?#") != std::string_view::npos;
}

/// Breaks `text` into lines of at most `width`, each after the first led by `indent` blanks.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent,
                    std::size_t width) {
  std::size_t column = indent;
  bool first = true;
  for (const auto word : formats::split(text, ' ')) {
    if (!first && column + 1 + word.size() > width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  out += '\n';
}

/// Throws a ToolError (usage) that repeats no value.
po::parsed_options read_arguments(const po::options_description& description,
                                  std::span<const std::string> arguments) {
  // No guessing: `--api-key sk-…` must never be taken for `--api-key-file`.
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    return po::command_line_parser(std::vector<std::string>(arguments.begin(), arguments.end()))
        .options(description)
        .style(style)
        .run();
  } catch (const po::unknown_option& error) {
    // The name alone: whatever was given with it may be a secret.
    const std::string given = error.get_option_name();
    usage_error(fmt::format("unknown flag {}", given.starts_with("--")
                                                   ? formats::split(given, '=')[0]
                                                   : std::string_view(given).substr(0, 2)));
  } catch (const po::error_with_option_name& error) {
    usage_error(fmt::format("{}: {}", error.get_option_name(),
                            dynamic_cast<const po::invalid_command_line_syntax*>(&error)
                                ? "needs a value, or takes none"
                                : "cannot be read"));
  }
}

}  // namespace

OptionTable::OptionTable(std::string tool, std::string summary, CommonOptions& common)
    : tool_(std::move(tool)), summary_(std::move(summary)) {
  add("quiet", common.quiet, "", "No progress and no notes; warnings and errors stay.", {}, 'q');
  add("stats-out", common.stats_out, "FILE",
      "Write the tool's own account there at its end, as JSON: rows, own CPU seconds, warnings.");
  add("no-follow", common.no_follow, "",
      "An output that is a link is replaced, not written through. Without it one's own links are "
      "followed, and another user's are refused.");
  for (auto& option : options_) option.common = true;
}

void OptionTable::example(std::string command, std::string what) {
  examples_.emplace_back(std::move(command), std::move(what));
}

void OptionTable::section(std::string title) { section_ = std::move(title); }

void OptionTable::add_option(Option option) {
  option.section = section_;
  option.default_text = option.show().value_or("");
  options_.push_back(std::move(option));
}

void OptionTable::positional(std::string name, std::string& target, std::string help) {
  Option option;
  option.name = std::move(name);
  option.help = std::move(help);
  option.required = true;
  option.set = [&target](std::string_view text) {
    target = std::string(text);
    return std::string();
  };
  option.json = [&target] { return formats::to_json(target); };
  positional_ = std::move(option);
}

void OptionTable::positionals(std::string name, std::vector<std::string>& targets,
                              std::string help) {
  Option option;
  option.name = std::move(name);
  option.help = std::move(help);
  option.required = true;
  option.repeated = true;
  option.set = [&targets](std::string_view text) {
    targets.emplace_back(text);
    return std::string();
  };
  option.json = [&targets] { return formats::to_json(targets); };
  positional_ = std::move(option);
}

void OptionTable::after_dashes(std::string name, std::vector<std::string>& target,
                               std::string word, std::string help) {
  Option option;
  option.name = std::move(name);
  option.value = std::move(word);
  option.help = std::move(help);
  option.set = [&target](std::string_view text) {
    target.emplace_back(text);
    return std::string();
  };
  option.json = [&target] { return formats::to_json(target); };
  after_dashes_ = std::move(option);
}

void OptionTable::exclude(std::string_view name, std::vector<std::string> others) {
  excluded_.emplace_back(name, std::move(others));
}

OptionTable::Option* OptionTable::find(std::string_view name) {
  const auto found = std::find_if(options_.begin(), options_.end(),
                                  [&](const Option& option) { return option.name == name; });
  return found == options_.end() ? nullptr : &*found;
}

void OptionTable::require(std::string_view name) { find(name)->required = true; }

void OptionTable::take(Option& option, std::string_view value) {
  if (may_hold_secret(value)) {
    usage_error(fmt::format("--{}: the URL must not hold a user or a password (use --api-key-file "
                            "or --header-file), nor a query or a fragment",
                            option.name));
  }
  if (option.given) usage_error(fmt::format("--{}: given twice", option.name));
  option.given = true;
  const auto allowed = option.set(value);
  if (!allowed.empty()) {
    usage_error(fmt::format("--{}: '{}' is not allowed: must be {}", option.name,
                            formats::one_line(value, 80), allowed));
  }
}

std::span<const std::string> OptionTable::take_after_dashes(
    std::span<const std::string> arguments) {
  if (!after_dashes_) return arguments;
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  const auto own = arguments.first(static_cast<std::size_t>(dashes - arguments.begin()));
  if (own.size() == arguments.size()) return own;
  for (const auto& argument : arguments.subspan(own.size() + 1)) after_dashes_->set(argument);
  return own;
}

std::optional<std::string> OptionTable::parse(std::span<const std::string> arguments) {
  po::options_description description;
  for (const auto& option : options_) {
    const std::string names =
        option.short_name ? fmt::format("{},{}", option.name, option.short_name) : option.name;
    if (option.value.empty()) {
      description.add_options()(names.c_str(), "");
    } else {
      description.add_options()(names.c_str(), po::value<std::vector<std::string>>(), "");
    }
  }
  description.add_options()("help,h", "")("version", "")("print-config", "");
  const auto parsed = read_arguments(description, take_after_dashes(arguments));
  bool print_config = false;
  for (const auto& given : parsed.options) {
    if (given.string_key == "help") return help();
    if (given.string_key == "version") return fmt::format("{} {}\n", tool_, MEMPROF_VERSION);
    if (given.string_key == "print-config") {
      print_config = true;
    } else if (given.position_key >= 0) {
      if (!positional_ || (positional_->given && !positional_->repeated)) {
        usage_error(positional_ ? fmt::format("only one {} is taken", positional_->name)
                                : "takes no arguments but flags");
      }
      positional_->given = true;
      positional_->set(given.value.front());
    } else {
      take(*find(given.string_key), given.value.empty() ? "" : given.value.front());
    }
  }
  if (print_config) return formats::pretty_json(config());
  check_required();
  check_excluded();
  return {};
}

void OptionTable::check_excluded() {
  for (const auto& [name, others] : excluded_) {
    if (!find(name)->given) continue;
    std::string clash;
    for (const auto& other : others) {
      if (find(other)->given) clash += (clash.empty() ? "--" : ", --") + other;
    }
    if (!clash.empty()) usage_error(fmt::format("--{} does not go with {}", name, clash));
  }
}

void OptionTable::check_required() const {
  if (positional_ && !positional_->given) {
    usage_error(fmt::format("{} is missing: {}", positional_->name, positional_->help));
  }
  for (const auto& option : options_) {
    if (option.required && !option.given) {
      usage_error(fmt::format("--{} {} is missing: {}", option.name, option.value, option.help));
    }
  }
}

std::string OptionTable::help() const {
  std::string out = fmt::format("{}: {}\n\nExamples\n", tool_, summary_);
  for (const auto& [command, what] : examples_) {
    out += fmt::format("  {}\n      {}\n", command, what);
  }
  out += fmt::format("\nUsage\n  {}{} [flags]{}\n", tool_,
                     !positional_            ? ""
                     : positional_->repeated ? fmt::format(" {0} [{0}...]", positional_->name)
                                             : " " + positional_->name,
                     after_dashes_ ? fmt::format(" [-- {}]", after_dashes_->value) : "");
  if (positional_) {
    out += fmt::format("  {:<26}", positional_->name);
    append_wrapped(out, positional_->help, 28, 100);
  }
  if (after_dashes_) {
    out += fmt::format("  -- {:<23}", after_dashes_->value);
    append_wrapped(out, after_dashes_->help, 28, 100);
  }
  append_options_help(out);
  out += '\n';
  out += kExitCodes;
  return out;
}

void OptionTable::append_options_help(std::string& out) const {
  std::vector<std::string> sections;
  for (const auto& option : options_) {
    if (std::find(sections.begin(), sections.end(), option.section) == sections.end()) {
      sections.push_back(option.section);
    }
  }
  // The common options were added first and are read last.
  std::rotate(sections.begin(), sections.begin() + 1, sections.end());
  for (const auto& section : sections) {
    out += fmt::format("\n{}\n", section);
    for (const auto& option : options_) {
      if (option.section != section) continue;
      std::string left = option.short_name ? fmt::format("  -{}, ", option.short_name) : "  ";
      left += fmt::format("--{}{}{}", option.name, option.value.empty() ? "" : " ", option.value);
      out += fmt::format("{:<27}", left);
      out += left.size() >= 27 ? "\n" + std::string(28, ' ') : " ";
      std::string help = option.help;
      if (option.required) {
        help += " Required.";
      } else if (!option.default_text.empty()) {
        help += fmt::format(" [{}]", option.default_text);
      }
      append_wrapped(out, help, 28, 100);
    }
  }
  out += "  -h, --help                This text.\n"
         "  --version                 The tool's name and version.\n"
         "  --print-config            The effective options as JSON; nothing is run.\n";
}

boost::json::object OptionTable::config() const {
  boost::json::object config;
  if (positional_) {
    std::string key = positional_->name;
    std::transform(key.begin(), key.end(), key.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    config.emplace(key, positional_->json());
  }
  for (const auto& option : options_) {
    if (!option.common) config.emplace(json_key(option.name), option.json());
  }
  if (after_dashes_) config.emplace(json_key(after_dashes_->name), after_dashes_->json());
  return config;
}

std::vector<std::string> OptionTable::arguments() const {
  std::vector<std::string> arguments;
  for (const auto& option : options_) {
    if (option.common) continue;
    const auto value = option.show();
    if (!value || (value->empty() && !option.value.empty())) continue;
    arguments.push_back(option.value.empty() ? "--" + option.name
                                             : fmt::format("--{}={}", option.name, *value));
  }
  return arguments;
}

}  // namespace memprof::cli
