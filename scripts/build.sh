#!/bin/bash
# Builds one preset of CMakePresets.json; installs the packages that are missing first.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'TEXT'
  scripts/build.sh                # build/release/bin
  scripts/build.sh asan           # build/asan/bin: AddressSanitizer and UndefinedBehaviorSanitizer
  scripts/build.sh release workload_gen    # one target of it

usage: scripts/build.sh [PRESET [TARGET...]]      PRESET: release (default) dev asan tsan clang fuzz
Everything it says goes to stderr; a compiler's output is shown on a terminal, or when it fails.
Exit: 0 built; 1 it does not compile; 3 packages are missing and cannot be installed.
TEXT
  exit 0
fi
preset=${1:-release}
shift || true
targets=("$@")

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
case $preset in
  clang | fuzz) scripts/install_deps.sh --ci ;;
  *) scripts/install_deps.sh ;;
esac

mkdir -p "build/$preset"
exec 9> "build/$preset/.lock" # two builds in one folder would spoil it
flock 9

# A translation unit with all of Boost.Beast takes up to 2 GiB of compiler.
jobs=$(nproc)
memory_gib=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
most=$((memory_gib / 2 > 0 ? memory_gib / 2 : 1))
[ "$jobs" -le "$most" ] || jobs=$most

started=$(mktemp)
trap 'rm -f "$started"' EXIT
if [ ! -f "build/$preset/build.ninja" ]; then
  scripts/quietly.sh "configuring build/$preset" cmake --preset "$preset" 9>&- || exit 1
fi
say="building build/$preset (a few minutes the first time)"
scripts/quietly.sh "$say" cmake --build "build/$preset" -j "$jobs" \
  ${targets[@]:+--target "${targets[@]}"} 9>&- || exit 1
# Sources that change from here on are newer than this build.
if [ ${#targets[@]} -eq 0 ]; then
  touch -r "$started" "build/$preset/.built"
fi
