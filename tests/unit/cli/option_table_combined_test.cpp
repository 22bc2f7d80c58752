#include "cli/option_table.hpp"

#include "records/error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace memprof::cli {
namespace {

struct Options : CommonOptions {
  bool alone = false;
  std::string name = "x";
  std::optional<std::string> file;
  std::vector<std::string> others;
};

OptionTable table_of(Options& options) {
  OptionTable table("tool", "does things.", options);
  table.add("alone", options.alone, "", "Alone.");
  table.add("name", options.name, "NAME", "A name.");
  table.add("file", options.file, "FILE", "A file.");
  table.exclude("alone", {"name", "file"});
  table.after_dashes("other-options", options.others, "OPTIONS", "Options of another tool.");
  return table;
}

std::string refusal(const std::vector<std::string>& arguments) {
  Options options;
  auto table = table_of(options);
  try {
    table.parse(arguments);
  } catch (const ToolError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(AfterDashes, AllIsTakenAsItIs) {
  Options options;
  auto table = table_of(options);
  EXPECT_FALSE(table.parse(std::vector<std::string>{"--name", "y", "--", "--speed=10", "--alone",
                                                    "--", "--help", ""}));
  EXPECT_EQ(options.name, "y");
  EXPECT_FALSE(options.alone);
  EXPECT_EQ(options.others,
            (std::vector<std::string>{"--speed=10", "--alone", "--", "--help", ""}));
  EXPECT_EQ(table.config().at("other_options").as_array().size(), 5u);
  EXPECT_EQ(table.arguments(), (std::vector<std::string>{"--name=y"}));
}

TEST(AfterDashes, NothingIsNothing) {
  for (const auto& arguments : {std::vector<std::string>{}, std::vector<std::string>{"--"}}) {
    Options options;
    auto table = table_of(options);
    EXPECT_FALSE(table.parse(arguments));
    EXPECT_TRUE(options.others.empty());
    EXPECT_TRUE(table.config().at("other_options").as_array().empty());
  }
}

TEST(AfterDashes, TheHelpSaysWhatTheyAre) {
  Options options;
  const auto help = table_of(options).help();
  EXPECT_NE(help.find("  tool [flags] [-- OPTIONS]\n"
                      "  -- OPTIONS                Options of another tool.\n"),
            std::string::npos)
      << help;
}

TEST(Excluded, WhatDoesNotGoTogetherIsNamed) {
  EXPECT_EQ(refusal({"--file=f", "--alone", "--name=x"}),
            "--alone does not go with --name, --file (see --help)");
  EXPECT_EQ(refusal({"--alone", "--name=y"}), "--alone does not go with --name (see --help)");
}

TEST(Excluded, EachAloneIsFine) {
  EXPECT_EQ(refusal({"--alone"}), "");
  EXPECT_EQ(refusal({"--name=x", "--file=f"}), "");
}

}  // namespace
}  // namespace memprof::cli
