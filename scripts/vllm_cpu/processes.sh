# Sourced by vllm_cpu.sh. Which processes are a server's, without ever asking for a name.
#
# A server is started as the leader of its own session, and its children stay in it. A pid alone can
# be another program's by now; a pid with its start time cannot.

# Sets pid's state, session and start time (ticks since boot); fails if there is no such process.
read_stat() {
  local stat
  { read -r stat < "/proc/$1/stat"; } 2> /dev/null || return 1
  # The command's name stands in parentheses and may hold anything; fields count from behind it.
  local fields
  read -ra fields <<< "${stat##*) }"
  state=${fields[0]} session=${fields[3]} start_time=${fields[19]}
}

# is_alive PID START_TIME: a zombie is not alive.
is_alive() {
  local state session start_time
  read_stat "$1" && [ "$state" != Z ] && [ "$state" != X ] && [ "$start_time" = "$2" ]
}

# session_members SID: "PID START_TIME" of each living process of that session.
session_members() {
  local state session start_time path
  for path in /proc/[0-9]*; do
    if read_stat "${path#/proc/}" && [ "$session" = "$1" ] && [ "$state" != Z ]; then
      echo "${path#/proc/} $start_time"
    fi
  done
}

# living_processes DIR: the server's living processes. DIR/processes holds "PID START_TIME" lines,
# the session's leader first. While one of those lives in that session the session's number is
# still this server's, and so is everything else in it.
living_processes() {
  local leader pid start ours=no
  [ -s "$1/processes" ] || return 0
  read -r leader _ < "$1/processes"
  while read -r pid start; do
    local state session start_time
    if is_alive "$pid" "$start" && read_stat "$pid" && [ "$session" = "$leader" ]; then ours=yes; fi
  done < "$1/processes"
  if [ $ours = yes ]; then session_members "$leader"; fi
}

# signal_processes NAME DIR: to each living process of the server.
signal_processes() {
  local pid
  while read -r pid _; do
    kill -s "$1" "$pid" 2> /dev/null || true
  done < <(living_processes "$2")
}

# wait_for_end DIR SECONDS: succeeds once no process of the server is left.
wait_for_end() {
  local deadline=$((SECONDS + $2))
  while [ -n "$(living_processes "$1")" ]; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.1
  done
}
