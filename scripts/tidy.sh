#!/bin/bash
# Runs clang-tidy 16 with .clang-tidy over sources of lib/ and tools/.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'TEXT'
  scripts/tidy.sh                          # all of lib/ and tools/: some 15 minutes on two cores
  scripts/tidy.sh --since HEAD~3           # sources changed since a commit
  scripts/tidy.sh lib/files/output.cpp     # these

Needs the packages of scripts/install_deps.sh --ci, and clang-tidy-16. Too long for .ci/run as a whole.
Exit: 0 no finding; 1 findings; 2 usage; 3 packages are missing.
TEXT
  exit 0
fi
cd "$(dirname "$0")/.."
command -v clang-tidy-16 > /dev/null || {
  echo "tidy.sh: error: clang-tidy-16 is missing: apt-get install clang-tidy-16" >&2
  exit 3
}
files=("$@")
if [ "${1:-}" = --since ]; then
  [ $# -eq 2 ] || { echo "tidy.sh: error: --since needs a commit (see --help)" >&2; exit 2; }
  mapfile -t files < <(git diff --name-only --diff-filter=d "$2" -- 'lib/*.cpp' 'tools/*.cpp')
  [ ${#files[@]} -gt 0 ] || exit 0
elif [ $# -eq 0 ]; then
  mapfile -t files < <(git ls-files 'lib/*.cpp' 'tools/*.cpp')
fi
[ -f build/clang/compile_commands.json ] || cmake --preset clang >&2 || exit 3
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy-16 -p build/clang --quiet || exit 1
