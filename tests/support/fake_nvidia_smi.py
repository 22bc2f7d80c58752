#!/usr/bin/env python3
"""An nvidia-smi without GPUs: put it as `nvidia-smi` into a folder of PATH (install below).

What the environment says:
  FAKE_SMI_GPUS        how many there are (2)
  FAKE_SMI_ROWS        `|`-separated lines printed for a reading in place of the usual ones
  FAKE_SMI_LACKS       a field that this driver does not know
  FAKE_SMI_CODE        exit code of every run, after printing FAKE_SMI_WORDS
  FAKE_SMI_LOOP_CODE   the same, but only for -lms and plain readings, not when GPUs are listed
  FAKE_SMI_END_AFTER   -lms: end after so many batches with FAKE_SMI_END_CODE (0) and FAKE_SMI_WORDS
  FAKE_SMI_HANG_AFTER  -lms: fall silent after so many batches, deaf to all but SIGKILL
  FAKE_SMI_ONCE        a file: END_AFTER and HANG_AFTER hold only for the first -lms run
  FAKE_SMI_HANG        `list` or `read`: such a run never answers
  FAKE_SMI_FORK        `work`: a wrapper whose child does the work; `sleep`: one that leaves a
                       silent child behind which holds the pipes
  FAKE_SMI_SLOW_S      seconds that each query takes
  FAKE_SMI_LOG         a file that gets a line per run: pid, signals that were ignored, open
                       descriptors, arguments
"""

import json
import os
import signal
import sys
import time


def install(folder):
    """Puts it there as nvidia-smi; returns the environment that finds it."""
    target = os.path.join(folder, "nvidia-smi")
    with open(target, "w", encoding="utf-8") as file:
        # Python ignores two signals of its own accord, so what was inherited is looked at before.
        file.write("#!/bin/sh\nexport FAKE_SMI_IGNORED=\"$(grep SigIgn /proc/self/status)\"\n"
                   f"exec /usr/bin/env python3 {os.path.abspath(__file__)} \"$@\"\n")
    os.chmod(target, 0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def setting(name, default=""):
    return os.environ.get("FAKE_SMI_" + name, default)


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def hang():
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        time.sleep(1000)


def value(field, gpu, query):
    return {
        "index": str(gpu),
        "memory.used": str(1000 * (gpu + 1) + query),
        "memory.total": "81559",
        "memory.reserved": "530",
        "utilization.gpu": str(20 + gpu),
        "uuid": f"GPU-fake-{gpu}",
        "pci.bus_id": f"00000000:0{gpu + 1}:00.0",
        "driver_version": "570.86.15",
        "name": "NVIDIA H100 80GB HBM3",
    }[field]


def answer(fields, gpus, query):
    time.sleep(float(setting("SLOW_S", "0")))
    if setting("ROWS") and "utilization.gpu" in fields:
        lines = setting("ROWS").split("|")
    else:
        lines = [", ".join(value(field, gpu, query) for field in fields) for gpu in gpus]
    sys.stdout.write("".join(line + "\n" for line in lines))
    sys.stdout.flush()


def log():
    if setting("LOG"):
        ignored = setting("IGNORED").split()[1]
        record = {"pid": os.getpid(), "ignored": int(ignored, 16),
                  "open": sorted(int(fd) for fd in os.listdir("/proc/self/fd")),
                  "arguments": sys.argv[1:]}
        with open(setting("LOG"), "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def loop(fields, gpus, milliseconds):
    limits = {name: int(setting(name, "-1")) for name in ("END_AFTER", "HANG_AFTER")}
    once = setting("ONCE")
    if once and os.path.exists(once):
        limits = {}
    elif once:
        open(once, "w", encoding="ascii").close()
    query = 0
    while True:
        if query == limits.get("END_AFTER"):
            if setting("WORDS"):
                say(setting("WORDS"))
            sys.exit(int(setting("END_CODE", "0")))
        if query == limits.get("HANG_AFTER"):
            hang()
        answer(fields, gpus, query)
        query += 1
        time.sleep(milliseconds / 1000)


def fork_as_told():
    """Python ignores SIGPIPE, nvidia-smi does not."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    kind = setting("FORK")
    if kind == "work":
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    elif kind == "sleep" and not os.fork():
        hang()


def main():
    log()
    options = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    fields = options["--query-gpu"].split(",")
    assert options["--format"] == "csv,noheader,nounits"
    listing = "uuid" in fields
    fork_as_told()
    code = setting("CODE") or ("" if listing else setting("LOOP_CODE"))
    if code:
        say(setting("WORDS"))
        sys.exit(int(code))
    if setting("HANG") == ("list" if listing else "read"):
        hang()
    if setting("LACKS") in fields:
        say(f'Field "{setting("LACKS")}" is not a valid field to query.')
        sys.exit(2)
    gpus = range(int(setting("GPUS", "2")))
    if "-i" in sys.argv:
        chosen = [int(index) for index in sys.argv[sys.argv.index("-i") + 1].split(",")]
        gpus = [gpu for gpu in gpus if gpu in chosen]
    if not gpus:
        say("No devices were found")
        sys.exit(6)
    if "-lms" in sys.argv:
        loop(fields, gpus, int(sys.argv[sys.argv.index("-lms") + 1]))
    answer(fields, gpus, 0)


if __name__ == "__main__":
    main()
