"""What processes hold, read from /proc by process id, again and again."""

import os
import time
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def look_at(pid):
    """One reading; None when the process is gone."""
    folder = Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        times = (folder / "stat").read_text().rpartition(")")[2].split()
        return {"rss_kib": int(status["VmRSS"].split()[0]),
                "anon_kib": int(status["RssAnon"].split()[0]),
                "descriptors": len(os.listdir(folder / "fd")),
                "threads": int(status["Threads"]),
                "cpu_s": (int(times[11]) + int(times[12])) / TICKS_PER_S}
    except (OSError, KeyError):  # a zombie has no VmRSS
        return None


def name_of(pid):
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        title = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
    if words[0].endswith(".py") or not os.path.basename(words[0]).startswith("python"):
        return os.path.basename(words[0]) or title
    return os.path.basename(words[1]) if words[1].endswith(".py") else title


def children_of(pid):
    try:
        return [int(word) for word in
                Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def machine_busy_s():
    """Of all cores; and the part of it that processes took which let others go first (nice)."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _wait, irq, soft_irq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + soft_irq) / TICKS_PER_S, nice / TICKS_PER_S


class Observer:
    """Looks at a run's processes: the orchestrator, its children, and a server's by their ids."""

    def __init__(self, process, folder):
        self._process, self._folder = process, folder
        self._begin = time.monotonic()
        self.readings = {}  # (pid, name, whether it is ours) -> [{"at_s", ...}]
        self.file_sizes = []

    def look(self, server_pids=()):
        at = round(time.monotonic() - self._begin, 3)
        ours = [self._process.pid, *children_of(self._process.pid)]
        for pid in [*ours, *server_pids]:
            name, reading = name_of(pid), look_at(pid)
            if name and reading:
                key = (pid, name, pid in ours)
                self.readings.setdefault(key, []).append({"at_s": at, **reading})
        sizes = {str(path.relative_to(self._folder)): path.stat().st_size
                 for path in sorted(self._folder.rglob("*")) if path.is_file()}
        self.file_sizes.append({"at_s": at, "bytes": sizes})

    def recorded(self):
        return [{"pid": pid, "name": name, "ours": ours, "readings": readings}
                for (pid, name, ours), readings in self.readings.items()]
