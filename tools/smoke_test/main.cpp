#include "checks.hpp"
#include "cli/run_tool.hpp"

namespace {

using namespace memprof;

cli::OptionTable option_table(cli::CommonOptions& options) {
  cli::OptionTable table("smoke_test",
                         "checks in a few seconds that the tools beside it work; needs neither a "
                         "GPU nor a server.",
                         options);
  table.example("smoke_test", "A line per check; exit 0 when all are ok, else 1.");
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  cli::run_tool<cli::CommonOptions>(argc, argv, option_table, smoke::run);
}
