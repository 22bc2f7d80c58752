#!/bin/bash
# Builds one preset of CMakePresets.json; installs the packages that are missing first.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'TEXT'
  scripts/build.sh                # build/release/bin
  scripts/build.sh asan           # build/asan/bin: AddressSanitizer and UndefinedBehaviorSanitizer
  scripts/build.sh release tools  # the tools without the tests

usage: scripts/build.sh [PRESET [TARGET]]      PRESET: release (default) dev asan tsan clang fuzz
Everything it says goes to stderr; a compiler's output is shown on a terminal, or when it fails.
Exit: 0 built; 1 it does not compile; 3 packages are missing and cannot be installed.
TEXT
  exit 0
fi
preset=${1:-release}
target=${2:-all}

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
scripts/quietly.sh "building build/$preset (a few minutes the first time)" \
  cmake --build "build/$preset" -j "$jobs" --target "$target" 9>&- || exit 1
# What changes from when this build began is newer than it.
touch -r "$started" "build/$preset/.built-$target"
