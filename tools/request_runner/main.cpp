#include "options.hpp"
#include "run.hpp"

#include "cli/run_tool.hpp"

int main(int argc, char** argv) {
  memprof::cli::run_tool<memprof::Options>(argc, argv, memprof::option_table, memprof::run);
}
