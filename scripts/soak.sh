#!/bin/bash
# Long runs of run_memory_profile against a real vLLM and the simulator, observed from outside.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'TEXT'
  scripts/soak.sh                       # about an hour against both, at the same time
  scripts/soak.sh 14400 --in-turn       # four hours against vLLM, then four against the simulator
  scripts/soak.sh 600 --only simulator  # needs no vLLM
  VLLM_URL=http://127.0.0.1:8000/v1 scripts/soak.sh    # a server of this machine that is up already
  MEMPROF_BIN_DIR=/tmp/bin scripts/soak.sh             # other than build/release/bin

usage: scripts/soak.sh [SECONDS] [--in-turn] [--only vllm|simulator] [--output-dir DIR]
SECONDS: 3600; a run's length is that of its requests and comes out within 20 % of it. The load is
calm: a few small requests, then 5 s of nothing, over and over. The samplers read at 5 Hz.
Without VLLM_URL a vLLM on the CPU is started and ended (scripts/vllm_cpu.sh, 6.3 GB once).
DIR (results/soak) gets the runs' folders and soak.json: every 10 s memory, descriptors, threads and
CPU time of every process, and the sizes of the files. Stdout: the figures as Markdown.
Exit: 0 all valid, ours flat; 1 something grew, failed or was not valid; 2 usage; 3 it cannot start.
TEXT
  exit 0
fi
caller=$PWD
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
if [ -n "${MEMPROF_BIN_DIR:-}" ]; then
  MEMPROF_BIN_DIR=$(cd "$caller" && cd "$MEMPROF_BIN_DIR" && pwd)
else
  "$root/scripts/build.sh" release tools >&2 || exit 3
  MEMPROF_BIN_DIR=$root/build/release/bin
fi
export MEMPROF_BIN_DIR
exec python3 "$root/tests/soak/soak.py" "$@"
