#include "options.hpp"
#include "run.hpp"

#include "cli/run_tool.hpp"

#include <csignal>

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error that is told, not a silent end
  memprof::cli::run_tool<memprof::Options>(argc, argv, memprof::option_table, memprof::run);
}
