#!/bin/bash
# Installs the Debian 12 packages that building and testing need, only those that are missing.
set -euo pipefail

usage() {
  cat <<'TEXT'
  scripts/install_deps.sh            # what building and scripts/test.sh need
  scripts/install_deps.sh --ci       # and clang 16 and Chromium: second compiler, fuzzing, page,
                                     # and pandas and DuckDB, which a test of docs/analysis.md needs
  scripts/install_deps.sh --tidy     # and clang 16 and clang-tidy 16, for scripts/tidy.sh
  scripts/install_deps.sh --bench    # and wrk and h2load, which tests/bench compares with
  scripts/install_deps.sh --vllm     # and what scripts/vllm_cpu.sh needs

Installs missing packages through apt-get; asks for root (sudo) only if one is missing. pandas and
DuckDB come through pip into a virtual environment under the user's cache (XDG_CACHE_HOME).
Options add up. --dry-run says what is missing and installs nothing (exit 1 if anything is).
Exit: 0 all there; 1 something is missing (--dry-run); 2 usage; 3 could not be installed.
TEXT
}

build=(cmake ninja-build g++ ccache libboost-json1.81-dev libboost-program-options1.81-dev
       libboost-url1.81-dev libfmt-dev libcsv-dev libssl-dev libgtest-dev libbenchmark-dev python3
       openssl libjs-dygraphs)
wanted=("${build[@]}")
notebooks=${XDG_CACHE_HOME:-$HOME/.cache}/memprof-notebooks # test_analysis_page.py looks there too
notebook_packages=(pandas==3.1.1 duckdb==2.0.1)
ci=no
dry_run=no
for option in "$@"; do
  case $option in
    --ci)
      ci=yes
      wanted+=(clang-16 libclang-rt-16-dev lld-16 chromium fonts-dejavu-core python3-venv)
      ;;
    --tidy) wanted+=(clang-16 lld-16 clang-tidy-16) ;;
    --bench) wanted+=(wrk nghttp2-client) ;;
    --vllm) wanted+=(python3-venv) ;;
    --dry-run) dry_run=yes ;;
    --help | -h) usage; exit 0 ;;
    *) echo "install_deps.sh: error: unknown option $option (see --help)" >&2; exit 2 ;;
  esac
done

system=$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown} ${VERSION_ID:-}") || system=unknown
if [ "$system" != "debian 12" ]; then
  cat >&2 <<TEXT
memprof: this is $system, not Debian 12: nothing is installed for you. Building needs CMake 3.25,
  Ninja, g++ 12 or clang 16, Boost 1.81 (JSON, Program_options, URL and headers), OpenSSL 3, fmt 9,
  libcsv, dygraphs 2.2 (in /usr/share/javascript), GoogleTest, Google Benchmark and Python 3.9.
  The Dockerfile has them all:
  docker build -t memprof .
TEXT
  exit 0
fi
here=$(cd "$(dirname "$0")" && pwd)

# The marker is written last: it names what the environment has.
install_notebooks() {
  local ready=$notebooks/.ready
  [ $ci = yes ] && [ "$(cat "$ready" 2> /dev/null)" != "${notebook_packages[*]}" ] || return 0
  if [ $dry_run = yes ]; then
    echo "missing: ${notebook_packages[*]} in $notebooks" >&2
    return 1
  fi
  rm -f "$ready"
  "$here/quietly.sh" "making $notebooks" python3 -m venv --clear "$notebooks" || return 3
  "$here/quietly.sh" "installing ${notebook_packages[*]}" "$notebooks/bin/pip" install \
    --disable-pip-version-check "${notebook_packages[@]}" || return 3
  echo "${notebook_packages[*]}" > "$ready"
}

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qx "installed $package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  install_notebooks
  exit
fi
if [ $dry_run = yes ]; then
  echo "missing: ${missing[*]}" >&2
  install_notebooks || true
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo > /dev/null; then
    echo "install_deps.sh: error: packages are missing and only root can install them:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 3
  fi
  as_root=(sudo)
fi
"$here/quietly.sh" "updating the package lists (${as_root[*]:+sudo }apt-get update)" \
  "${as_root[@]}" apt-get update || exit 3
"$here/quietly.sh" "installing ${missing[*]}" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y --no-install-recommends "${missing[@]}" || exit 3
install_notebooks
