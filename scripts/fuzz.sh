#!/bin/bash
# Builds the fuzz targets and runs them, one after the other.
set -euo pipefail

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'TEXT'
  scripts/fuzz.sh                # every target of tests/fuzz for 60 s
  scripts/fuzz.sh 600 csv sse    # these two for 10 min each

usage: scripts/fuzz.sh [SECONDS [TARGET...]]      SECONDS: 60
Prints a Markdown table: executions; edges covered, of all in the target's program, which has much
that no input reaches; findings. What a run learns stays in build/fuzz/corpus, so the next one goes
on from there; inputs that break something are put into build/fuzz/findings. Put one into
tests/fuzz/corpus/TARGET when it is mended: the ordinary tests run over that folder.
Installs clang 16 and the other packages that are missing.
Exit: 0 nothing found; 1 a finding, or it does not compile; 2 usage; 3 packages are missing.
TEXT
  exit 0
fi
cd "$(dirname "$0")/.."
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || {
  echo "fuzz.sh: error: SECONDS must be a whole number of at least 1 (see --help)" >&2
  exit 2
}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(ls tests/fuzz/corpus)
for target in "$@"; do
  [ -f "tests/fuzz/$target.cpp" ] && [ -d "tests/fuzz/corpus/$target" ] || {
    echo "fuzz.sh: error: no target '$target'; there are:" $(ls tests/fuzz/corpus) >&2
    exit 2
  }
done

scripts/build.sh fuzz fuzzers >&2
mkdir -p build/fuzz/findings build/fuzz/logs
code=0
echo '| target | executions | edges covered | of all | findings |'
echo '|---|---|---|---|---|'
for target in "$@"; do
  scratch=build/fuzz/corpus/$target
  log=build/fuzz/logs/$target.log
  mkdir -p "$scratch"
  found=0
  # Errors that are refused must not fill the memory, and one input not take 10 s.
  "build/fuzz/bin/fuzz_$target" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 \
    -max_len=16384 -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$target-" \
    "$scratch" "tests/fuzz/corpus/$target" > "$log" 2>&1 || found=1
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  edges=$(sed -n 's/.*PC tables (\([0-9]*\) PCs).*/\1/p' "$log" | head -n 1)
  echo "| $target | ${executions:-?} | ${coverage:-?} | ${edges:-?} | $found |"
  if [ $found -ne 0 ]; then
    code=1
    grep -E 'does not hold|ERROR:|runtime error:|Test unit written' "$log" >&2 || tail "$log" >&2
  fi
done
exit $code
