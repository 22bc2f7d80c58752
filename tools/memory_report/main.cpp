#include "cli/run_tool.hpp"
#include "options.hpp"
#include "report.hpp"

int main(int argc, char** argv) { memprof::cli::run_tool<Options>(argc, argv, option_table, run); }
