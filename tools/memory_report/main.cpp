#include "cli/run_tool.hpp"
#include "options.hpp"
#include "report.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // Rows grow by doubling: what they grew out of goes back to the system instead of leaving holes.
  mallopt(M_MMAP_THRESHOLD, 1 << 18);
#endif
  memprof::cli::run_tool<Options>(argc, argv, option_table, run);
}
