#!/bin/bash
# Runs clang-tidy 16 with .clang-tidy over sources of lib/ and tools/.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'TEXT'
  scripts/tidy.sh                          # all of lib/ and tools/: some 20 minutes on two cores
  scripts/tidy.sh --since HEAD~3           # those that changed since a commit
  scripts/tidy.sh lib/files/output.cpp     # these

Installs clang 16 and clang-tidy 16 where they are missing. Findings go to stdout.
Exit: 0 no finding; 1 findings; 2 usage; 3 packages are missing, or it cannot be configured.
TEXT
  exit 0
fi
cd "$(dirname "$0")/.."
if [ "${1:-}" = --since ]; then
  commit=${2:-}
  [ $# -eq 2 ] && git rev-parse -q --verify "$commit^{commit}" > /dev/null || {
    echo "tidy.sh: error: --since: no commit '$commit' (see --help)" >&2
    exit 2
  }
  mapfile -t files < <(git diff --name-only --diff-filter=d "$commit" -- 'lib/*.cpp' 'tools/*.cpp')
elif [ $# -gt 0 ]; then
  files=("$@")
  for file in "${files[@]}"; do
    [ -f "$file" ] || { echo "tidy.sh: error: no file $file (see --help)" >&2; exit 2; }
  done
else
  mapfile -t files < <(git ls-files 'lib/*.cpp' 'tools/*.cpp')
fi
echo "tidy.sh: ${#files[@]} sources" >&2
[ ${#files[@]} -gt 0 ] || exit 0

scripts/install_deps.sh --tidy || exit 3
# Always, so that a source is known which came after the last build.
scripts/quietly.sh "configuring build/clang" cmake --preset clang || exit 3
# Its stderr counts what was suppressed in the headers of others.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" sh -c '
  clang-tidy-16 -p build/clang --quiet "$1" 2> /dev/null || {
    echo "tidy.sh: not clean, or clang-tidy failed: $1" >&2
    exit 1
  }' tidy || exit 1
