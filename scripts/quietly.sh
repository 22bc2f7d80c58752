#!/bin/bash
# usage: quietly.sh "WHAT IS BEING DONE" COMMAND...
#
# Says what is being done, then runs the command with all of its output on stderr: as it comes on a
# terminal, otherwise only if the command fails. So stdout stays free for a tool's own data.
set -u
what=$1
shift
echo "memprof: $what" >&2
if [ -t 2 ]; then
  exec "$@" >&2
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$@" > "$log" 2>&1
code=$?
if [ $code -ne 0 ]; then
  tail -n 200 "$log" >&2
  echo "memprof: failed (exit $code): $what" >&2
fi
exit $code
