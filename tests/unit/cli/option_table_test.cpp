#include "cli/option_table.hpp"

#include "records/error.hpp"
#include "records/workload.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace memprof::cli {
namespace {

struct Options : CommonOptions {
  std::string input;
  std::string output;
  std::int64_t count = 3;
  double share = 0.5;
  bool deep = false;
  std::optional<std::string> api_key_file;
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> repeat = 1;
  std::vector<std::int64_t> sizes{1, 2};
  std::vector<PrefixMode> modes{PrefixMode::low};
  PromptFormat format = PromptFormat::text;
};

OptionTable table_of(Options& options) {
  OptionTable table("tool", "does things.", options);
  table.example("tool IN -o out", "Does them.");
  table.positional("IN", options.input, "What to do.");
  table.section("Things");
  table.add("output", options.output, "FILE", "Where to.", {}, 'o');
  table.require("output");
  table.add("count", options.count, "N", "How many.", {1, 10});
  table.add("share", options.share, "X", "Which part.", {0, 1});
  table.add("deep", options.deep, "", "Go deep.");
  table.add("api-key-file", options.api_key_file, "FILE", "The key.");
  table.add("limit", options.limit, "N", "At most.", {0, 100});
  table.add_or_word("repeat", options.repeat, "auto", "N", "Again.", {1, 9});
  table.add("sizes", options.sizes, "LIST", "Sizes.", {1, 1000});
  table.add("modes", options.modes, "LIST", "Modes.");
  table.add("format", options.format, "KIND", "Format.");
  return table;
}

Options parsed(const std::vector<std::string>& arguments) {
  Options options;
  auto table = table_of(options);
  EXPECT_FALSE(table.parse(arguments));
  return options;
}

/// The error of arguments that are not taken; IN and -o are given.
std::string refusal(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"in", "--output=out"});
  Options options;
  auto table = table_of(options);
  try {
    table.parse(arguments);
  } catch (const ToolError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "taken";
}

TEST(OptionTable, TakesEveryKindOfValue) {
  const auto options = parsed({"in", "-o", "out", "--count", "7", "--share=0.25", "--deep",
                               "--api-key-file", "key.txt", "--limit=0", "--repeat", "auto",
                               "--sizes", "30,10,20", "--modes=high,low", "--format=token-ids",
                               "-q", "--stats-out", "s.json"});
  EXPECT_EQ(options.input, "in");
  EXPECT_EQ(options.output, "out");
  EXPECT_EQ(options.count, 7);
  EXPECT_EQ(options.share, 0.25);
  EXPECT_TRUE(options.deep);
  EXPECT_EQ(options.api_key_file, "key.txt");
  EXPECT_EQ(options.limit, 0);
  EXPECT_FALSE(options.repeat);
  EXPECT_EQ(options.sizes, (std::vector<std::int64_t>{30, 10, 20}));
  EXPECT_EQ(options.modes, (std::vector<PrefixMode>{PrefixMode::high, PrefixMode::low}));
  EXPECT_EQ(options.format, PromptFormat::token_ids);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(options.stats_out, "s.json");
}

TEST(OptionTable, KeepsDefaults) {
  const auto options = parsed({"-", "--output=-"});
  EXPECT_EQ(options.input, "-");
  EXPECT_EQ(options.output, "-");
  EXPECT_EQ(options.count, 3);
  EXPECT_FALSE(options.limit);
  EXPECT_EQ(options.repeat, 1);
  EXPECT_FALSE(options.deep);
}

TEST(OptionTable, AnUnknownFlagNeverRepeatsAValue) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--api-key", "sk-secret"}, {"--api-key=sk-secret"},
        {"--api-key-fil=sk-secret"}, {"-ksk-secret"}, {"-k", "sk-secret"}, {"-k=sk-secret"},
        {"--deep=sk-secret"}, {"-qsk-secret"}, {"sk-secret"}, {"--=sk-secret"},
        {"--", "sk-secret"}, {"-sk-secret"}, {"-q=sk-secret"}}) {
    const auto error = refusal(arguments);
    EXPECT_NE(error, "taken") << arguments[0];
    EXPECT_EQ(error.find("secret"), std::string::npos) << arguments[0] << ": " << error;
  }
  EXPECT_EQ(refusal({"--api-key", "sk-secret"}), "unknown flag --api-key (see --help)");
  EXPECT_EQ(refusal({"--api-key=sk-secret"}), "unknown flag --api-key (see --help)");
}

TEST(OptionTable, NeverGuesses) {
  EXPECT_EQ(refusal({"--cou", "4"}), "unknown flag --cou (see --help)");
  EXPECT_EQ(refusal({"--Count", "4"}), "unknown flag --Count (see --help)");
  EXPECT_EQ(refusal({"-count", "4"}).find("unknown flag"), 0u);
}

TEST(OptionTable, NamesFlagValueAndWhatIsAllowed) {
  EXPECT_EQ(refusal({"--count=11"}),
            "--count: '11' is not allowed: must be a whole number from 1 to 10 (see --help)");
  EXPECT_EQ(refusal({"--count=0"}),
            "--count: '0' is not allowed: must be a whole number from 1 to 10 (see --help)");
  EXPECT_EQ(refusal({"--share=nan"}),
            "--share: 'nan' is not allowed: must be a number from 0 to 1 (see --help)");
  EXPECT_EQ(refusal({"--format=ids"}),
            "--format: 'ids' is not allowed: must be one of text, token-ids (see --help)");
  EXPECT_EQ(refusal({"--repeat=many"}),
            "--repeat: 'many' is not allowed: must be a whole number from 1 to 9, or auto "
            "(see --help)");
  for (const char* value : {"1.5", "1e3", " 3", "0x3", "99999999999999999999", "3;4", "-3"}) {
    EXPECT_EQ(refusal({std::string("--count=") + value}).find("--count: '"), 0u) << value;
  }
  EXPECT_LT(refusal({"--count=" + std::string(5000, '9')}).size(), 300u);
}

TEST(OptionTable, ListsHaveNoDuplicatesAndNoHoles) {
  EXPECT_EQ(refusal({"--sizes=8,8"}),
            "--sizes: '8,8' is not allowed: must be a comma-separated list without duplicates, "
            "each a whole number from 1 to 1000 (see --help)");
  for (const char* value : {"8,", ",8", "8,,9", "8, 9", "8,1001", "8;9"}) {
    EXPECT_EQ(refusal({std::string("--sizes=") + value}).find("--sizes: '"), 0u) << value;
  }
  EXPECT_EQ(refusal({"--modes=low,low"}).find("--modes: 'low,low'"), 0u);
}

TEST(OptionTable, RefusesWhatIsGivenTwiceOrNotAtAll) {
  EXPECT_EQ(refusal({"--count=1", "--count=1"}), "--count: given twice (see --help)");
  EXPECT_EQ(refusal({"-o", "x"}), "--output: given twice (see --help)");
  EXPECT_EQ(refusal({"second"}), "only one IN is taken (see --help)");
  EXPECT_EQ(refusal({"--count"}).find("--count: needs a value"), 0u);
  EXPECT_EQ(refusal({"--count="}).find("--count: needs a value"), 0u);
  EXPECT_EQ(refusal({"--deep=yes"}).find("--deep: needs a value, or takes none"), 0u);
  Options options;
  auto table = table_of(options);
  const std::vector<std::string> no_input{"-o", "x"};
  EXPECT_THROW(table.parse(no_input), ToolError);
  Options others;
  auto other_table = table_of(others);
  const std::vector<std::string> no_output{"in"};
  try {
    other_table.parse(no_output);
    FAIL();
  } catch (const ToolError& error) {
    EXPECT_STREQ(error.what(), "--output FILE is missing: Where to. (see --help)");
  }
}

TEST(OptionTable, PrintConfigNeedsNoRequiredArguments) {
  Options options;
  auto table = table_of(options);
  const std::vector<std::string> arguments{"--print-config", "--count=4", "--sizes=5", "-q"};
  const auto text = table.parse(arguments);
  ASSERT_TRUE(text);
  EXPECT_EQ(boost::json::parse(*text),
            boost::json::parse(R"({"in": "", "output": "", "count": 4, "share": 0.5,
              "deep": false, "api_key_file": null, "limit": null, "repeat": 1, "sizes": [5],
              "modes": ["low"], "format": "text"})"));
  Options wrong;
  auto other = table_of(wrong);
  const std::vector<std::string> bad{"--print-config", "--count=44"};
  EXPECT_THROW(other.parse(bad), ToolError);
}

TEST(OptionTable, HelpShowsExamplesDefaultsAndExitCodes) {
  Options options;
  auto table = table_of(options);
  const std::vector<std::string> arguments{"--help"};
  const auto help = table.parse(arguments).value_or("");
  EXPECT_EQ(help.find("tool: does things.\n\nExamples\n  tool IN -o out\n"), 0u) << help;
  for (const char* part : {"-o, --output FILE", "Where to. Required.", "How many. [3]",
                           "Sizes. [1,2]", "Again. [1]", "Format. [text]", "Exit codes\n  0 ",
                           "--print-config", "-q, --quiet"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(help.find("[]"), std::string::npos);
  for (std::size_t at = 0; at < help.size();) {
    const auto end = help.find('\n', at);
    EXPECT_LE(end - at, 100u) << help.substr(at, end - at);
    at = end + 1;
  }
}

TEST(OptionTable, VersionHasNameAndNumber) {
  Options options;
  auto table = table_of(options);
  const std::vector<std::string> arguments{"--version"};
  EXPECT_EQ(table.parse(arguments).value_or("").find("tool "), 0u);
}

TEST(OptionTable, ArgumentsGiveAnotherProcessTheSame) {
  Options options;
  auto table = table_of(options);
  const std::vector<std::string> arguments{
      "in",       "--output=-dash file,\"x\"", "--count=9",  "--share=0.1", "--deep",
      "--limit=0", "--repeat=auto",            "--sizes=3,1", "--modes=high", "-q"};
  ASSERT_FALSE(table.parse(arguments));

  auto again = table.arguments();
  again.push_back("in");
  const auto copy = parsed(again);
  EXPECT_EQ(copy.output, options.output);
  EXPECT_EQ(copy.count, 9);
  EXPECT_EQ(copy.share, 0.1);
  EXPECT_TRUE(copy.deep);
  EXPECT_EQ(copy.limit, 0);
  EXPECT_FALSE(copy.repeat);
  EXPECT_EQ(copy.sizes, options.sizes);
  EXPECT_EQ(copy.modes, options.modes);
  EXPECT_FALSE(copy.api_key_file);
  EXPECT_FALSE(copy.quiet) << "common options are each process's own";
}

TEST(OptionTable, ArgumentsLeaveOutWhatHasNoValue) {
  Options options;
  const auto table = table_of(options);
  for (const auto& argument : table.arguments()) {
    EXPECT_FALSE(argument.ends_with('=')) << argument;
  }
}

}  // namespace
}  // namespace memprof::cli
