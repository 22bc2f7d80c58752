#!/bin/bash
# The whole profile with one command: environment -> flags of build/release/bin/run_memory_profile.
# Extra arguments come last, so they win. Installs and builds on first use, and again when a source
# has changed. Stdout is the run folder's path, alone.
#
#   VLLM_URL=http://127.0.0.1:8000/v1  MODEL_NAME=default
#   SIMULATE=1: no server and no GPU, a simulator instead (without VLLM_URL)
#   INPUT_LENS OUTPUT_LENS CONCURRENCIES PREFIX_MODES N_PER_CONDITION    the grid (see --help)
#   GPU_INTERVAL_MS  GPU_INDICES (empty: all)  REQUEST_TIMEOUT (seconds)
#   OUTPUT_DIR (relative to the caller's folder)  RUN_TAG
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
tool=$root/build/release/bin/run_memory_profile

simulate=${SIMULATE:-0}
case $simulate in
  0 | 1) ;;
  *) echo "run_memory_profile.sh: SIMULATE: must be 0 or 1" >&2 && exit 2 ;;
esac
if [ "$simulate" = 1 ] && [ -n "${VLLM_URL:-}" ]; then
  echo "run_memory_profile.sh: SIMULATE=1 and VLLM_URL do not go together" >&2
  exit 2
fi

# Is a source newer than the last complete build? A folder is, when a file in it came or went.
needs_build() {
  [ -x "$tool" ] && [ -f "$root/build/release/.built-tools" ] || return 0
  [ -n "$(find "$root/lib" "$root/tools" "$root/cmake" "$root/CMakeLists.txt" \
    "$root/CMakePresets.json" -newer "$root/build/release/.built-tools" -print -quit)" ]
}
if needs_build; then
  "$root/scripts/build.sh" release tools >&2 || exit 3
fi

flags=()
# add FLAG VALUE: an unset or empty variable leaves the tool's own default, an argument replaces it.
arguments=("$@")
add() {
  [ -n "$2" ] || return 0
  local argument
  for argument in "${arguments[@]}"; do
    case $argument in
      --) break ;; # what follows is the simulator's
      "$1" | "$1="*) return 0 ;;
    esac
  done
  flags+=("$1=$2")
}
add --base-url "${VLLM_URL:-}"
add --model "${MODEL_NAME:-}"
add --input-lens "${INPUT_LENS:-}"
add --output-lens "${OUTPUT_LENS:-}"
add --concurrencies "${CONCURRENCIES:-}"
add --prefix-modes "${PREFIX_MODES:-}"
add --n-per-condition "${N_PER_CONDITION:-}"
add --gpu-interval-ms "${GPU_INTERVAL_MS:-}"
add --gpu-indices "${GPU_INDICES:-}"
add --output-dir "${OUTPUT_DIR:-}"
add --tag "${RUN_TAG:-}"
add --timeout "${REQUEST_TIMEOUT:-}"
if [ "$simulate" = 1 ] && [[ " $* " != *" --simulate "* ]]; then
  flags+=(--simulate)
fi
exec "$tool" "${flags[@]}" "$@"
