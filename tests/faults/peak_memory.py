"""Runs a command and writes its highest resident memory, in KiB, into a file.

    python3 -I -S peak_memory.py FILE COMMAND...

The kernel counts what a process held before it became the command, so the command must begin as a
copy of something small: this, without any module more than it needs.
"""

import os
import sys

pid = os.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w", encoding="ascii") as file:
    file.write(str(usage.ru_maxrss))
code = os.waitstatus_to_exitcode(status)
os._exit(code if code >= 0 else 128 - code)
