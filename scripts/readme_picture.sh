#!/bin/bash
# Makes docs/report.png, the picture in README.md: the report page of a simulated run under pressure.
set -euo pipefail

if [ $# -gt 0 ]; then
  cat <<'TEXT'
  scripts/readme_picture.sh      # writes docs/report.png; takes half a minute after a build

Needs Chromium: scripts/install_deps.sh --ci installs it.
Exit: 0 written; 1 the run or the picture failed.
TEXT
  exit 0
fi
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run=$(SIMULATE=1 INPUT_LENS=512 OUTPUT_LENS=512 CONCURRENCIES=16,64,128 PREFIX_MODES=low,high \
  N_PER_CONDITION=auto OUTPUT_DIR=$folder scripts/run_memory_profile.sh --stream --quiet \
  -- --num-gpu-blocks-override 4000 --speed 4)
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1000,1690 \
  --virtual-time-budget=5000 "--user-data-dir=$folder/browser" \
  "--screenshot=$PWD/docs/report.png" "file://$run/report.html" 2> "$folder/chromium.log" ||
  { tail -n 5 "$folder/chromium.log" >&2; exit 1; }
