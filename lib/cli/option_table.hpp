#pragma once

#include "cli/option_text.hpp"
#include "files/output.hpp"
#include "formats/json.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace memprof::cli {

/// What every tool takes. A tool's Options derive from it.
struct CommonOptions {
  bool quiet = false;                    ///< no progress, no notes; warnings and errors stay
  std::optional<std::string> stats_out;  ///< the tool's own account, as JSON, at its end
  bool no_follow = false;                ///< see files::Links

  [[nodiscard]] files::Links links() const {
    return no_follow ? files::Links::replaced : files::Links::own_followed;
  }
};

/// The one place where an option is written: from it come the parser, the help with its defaults
/// (the bound variable's value when it is added), --print-config, and a child's arguments.
/// The bound variables must outlive the table.
class OptionTable {
 public:
  /// Adds the common options too. `summary`: one sentence on what the tool does.
  OptionTable(std::string tool, std::string summary, CommonOptions& common);

  /// A runnable command line, shown first in the help; `what` says what it does.
  void example(std::string command, std::string what);
  /// The options added from here on stand under this title.
  void section(std::string title);

  /// --name VALUE, bound to a std::string, number, enumeration, list of these, or optional of
  /// these. A bool is a switch. `value` is VALUE's name in the help, `help` one sentence without
  /// the default. `short_name`: a letter, for `-o`.
  template <class T>
  void add(std::string name, T& target, std::string value, std::string help, Range range = {},
           char short_name = 0);

  /// As add, with `word` (`auto`, `all`) standing for no value.
  template <class T>
  void add_or_word(std::string name, std::optional<T>& target, std::string word, std::string value,
                   std::string help, Range range = {});

  /// An option or positional argument that must be given.
  void require(std::string_view name);
  /// The tool's one positional argument.
  void positional(std::string name, std::string& target, std::string help);
  /// One or more positional arguments, in the order given.
  void positionals(std::string name, std::vector<std::string>& targets, std::string help);

  /// What stands after a lone `--`, taken as it is: another tool's options. `name` is its key in
  /// config(), `word` what it is called in the help.
  void after_dashes(std::string name, std::vector<std::string>& target, std::string word,
                    std::string help);
  /// `name` cannot be given with any of `others`.
  void exclude(std::string_view name, std::vector<std::string> others);

  /// Sets the bound variables. Returns text for stdout when there is nothing to run (--help,
  /// --version, --print-config). Throws a ToolError (usage) of one line that names the flag, the
  /// value and what is allowed; a value is never repeated when the flag is not known.
  std::optional<std::string> parse(std::span<const std::string> arguments);

  [[nodiscard]] std::string help() const;
  /// The effective options; keys as members are written (`base_url`). No secrets: there are none.
  [[nodiscard]] boost::json::object config() const;
  /// Arguments (`--name=value`) that give another process this table's values, without the common
  /// ones, the positional one and what stands after `--`.
  [[nodiscard]] std::vector<std::string> arguments() const;
  [[nodiscard]] const std::string& tool() const { return tool_; }

 private:
  struct Option {
    std::string name;
    char short_name = 0;
    std::string value;  ///< empty: a switch
    std::string help;
    std::string section;
    std::string default_text;
    bool common = false;
    bool required = false;
    bool given = false;
    bool repeated = false;  ///< may be given more than once
    /// Empty when the value was taken, else what is allowed.
    std::function<std::string(std::string_view)> set;
    std::function<std::optional<std::string>()> show;  ///< none: no value
    std::function<boost::json::value()> json;
  };

  void add_option(Option option);
  Option* find(std::string_view name);
  void take(Option& option, std::string_view value);
  void check_required() const;
  void check_excluded();
  /// The arguments before `--`.
  std::span<const std::string> take_after_dashes(std::span<const std::string> arguments);
  void append_options_help(std::string& out) const;

  std::string tool_;
  std::string summary_;
  std::vector<std::pair<std::string, std::string>> examples_;
  std::string section_ = "Options";
  std::vector<Option> options_;
  std::optional<Option> positional_;
  std::optional<Option> after_dashes_;
  std::vector<std::pair<std::string, std::vector<std::string>>> excluded_;
};

template <class T>
void OptionTable::add(std::string name, T& target, std::string value, std::string help, Range range,
                      char short_name) {
  Option option;
  option.name = std::move(name);
  option.short_name = short_name;
  option.value = std::move(value);
  option.help = std::move(help);
  option.json = [&target] { return formats::to_json(target); };
  if constexpr (std::is_same_v<T, bool>) {
    option.value.clear();
    option.set = [&target](std::string_view) {
      target = true;
      return std::string();
    };
    option.show = [&target] { return target ? std::optional<std::string>("") : std::nullopt; };
  } else if constexpr (formats::kIsOptional<T>) {
    option.set = [&target, range](std::string_view text) {
      auto parsed = parse_text<typename T::value_type>(text, range);
      if (!parsed.value) return parsed.allowed;
      target = std::move(parsed.value);
      return std::string();
    };
    option.show = [&target] {
      return target ? std::optional(show_text(*target)) : std::nullopt;
    };
  } else {
    option.set = [&target, range](std::string_view text) {
      auto parsed = parse_text<T>(text, range);
      if (!parsed.value) return parsed.allowed;
      target = std::move(*parsed.value);
      return std::string();
    };
    option.show = [&target] { return std::optional(show_text(target)); };
  }
  add_option(std::move(option));
}

template <class T>
void OptionTable::add_or_word(std::string name, std::optional<T>& target, std::string word,
                              std::string value, std::string help, Range range) {
  Option option;
  option.name = std::move(name);
  option.value = std::move(value);
  option.help = std::move(help);
  option.json = [&target, word] {
    return target ? formats::to_json(*target) : boost::json::value(boost::json::string(word));
  };
  option.set = [&target, range, word](std::string_view text) {
    auto parsed = parse_text<T>(text, range);
    if (text != word && !parsed.value) return fmt::format("{}, or {}", parsed.allowed, word);
    target = text == word ? std::nullopt : std::move(parsed.value);
    return std::string();
  };
  option.show = [&target, word] {
    return std::optional(target ? show_text(*target) : word);
  };
  add_option(std::move(option));
}

}  // namespace memprof::cli
