#include "cli/run_tool.hpp"
#include "options.hpp"
#include "profile.hpp"

int main(int argc, char** argv) {
  using namespace memprof;
  cli::run_tool<profile::Options>(argc, argv, profile::option_table, profile::run);
}
