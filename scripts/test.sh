#!/bin/bash
# Builds the release preset and runs every test that needs neither a GPU nor a vLLM server.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'TEXT'
  scripts/test.sh                       # build, then all unit, command-line and integration tests
  scripts/test.sh -R workload           # only tests whose name matches
  scripts/test.sh -L unit --verbose     # any option of ctest

Installs the packages that are missing. Tests use loopback only. With vLLM: test_real_vllm.sh
Exit: 0 all passed; 1 it does not compile; 3 packages are missing; else ctest's own.
TEXT
  exit 0
fi
cd "$(dirname "$0")/.."
scripts/build.sh release
exec ctest --preset release "$@"
