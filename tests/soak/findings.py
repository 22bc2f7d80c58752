"""What a soak found: per process whether it stayed flat, per sampler its ticks and their drift."""

import csv
import json
import statistics
from datetime import datetime

# Flat: the last quarter's median is no more than this above the first's. An allocator's arenas and
# the pages of a binary that are touched late are below it; a leak of 1 KiB a second is not. Counts
# of descriptors and threads must not grow at all.
GROWTH_SHARE, GROWTH_KIB = 0.02, 1024
MIN_READINGS = 4  # fewer have no quarters: a child that only starts and ends


def quarters(values, of=statistics.median):
    size = max(1, len(values) // 4)
    return of(values[:size]), of(values[-size:])


def slope_per_hour(readings, key):
    """Least squares over the last three quarters: what starting up takes is not growth."""
    late = readings[len(readings) // 4:]
    fit = statistics.linear_regression([reading["at_s"] for reading in late],
                                       [reading[key] for reading in late])
    return fit.slope * 3600


def of_process(process):
    """None when it was seen too few times to say anything."""
    readings = process["readings"]
    if len(readings) < MIN_READINGS:
        return None
    found = {key: process[key] for key in ("name", "pid", "ours")}
    found["readings"] = len(readings)
    for key in ("rss_kib", "anon_kib", "descriptors", "threads"):
        values = [reading[key] for reading in readings]
        # Counts go up and down with the requests under way: their highest is what may grow.
        first, last = quarters(values, statistics.median if key.endswith("_kib") else max)
        found[key] = {"first_quarter": first, "last_quarter": last, "max": max(values),
                      "per_hour": slope_per_hour(readings, key)}
    begin, end = readings[0], readings[-1]
    found["cpu_pct"] = 100 * (end["cpu_s"] - begin["cpu_s"]) / (end["at_s"] - begin["at_s"])
    memory = found["rss_kib"]
    grown = memory["last_quarter"] - memory["first_quarter"]
    allowed = max(GROWTH_KIB, GROWTH_SHARE * memory["first_quarter"])
    found["flat"] = grown <= allowed and all(
        found[key]["last_quarter"] <= found[key]["first_quarter"]
        for key in ("descriptors", "threads"))
    return found


def drift_ms(path, interval_ms):
    """How far the readings' phase within their interval moved from the first quarter to the last;
    None without enough rows. A metrics row's stamp less scrape_ms is when the question was sent."""
    times = []
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["timestamp"]).timestamp() * 1000
            times.append(at - float(row.get("scrape_ms") or 0))
    times = sorted(set(times))[:-1]  # the last is read at the end, between two ticks
    if len(times) < MIN_READINGS:
        return None
    begin = times[0]
    phases = [(at - begin + interval_ms / 2) % interval_ms for at in times]
    first, last = quarters(phases)
    return last - first


def of_sampler(folder, tool, trace):
    stats = json.loads((folder / "logs" / f"{tool}.stats.json").read_text())
    if stats["ticks"]["due"] == 0:
        return None
    return {"name": tool, **stats["ticks"], "rows": stats["process"]["rows"],
            "drift_ms": drift_ms(folder / trace, stats["ticks"]["interval_ms"]),
            "wall_clock_shift_ms": stats["process"]["wall_clock_shift_ms"],
            "cpu_s": stats["process"]["cpu_s"], "warnings": stats["process"]["warnings"]}


def of_run(folder, observer):
    summary = json.loads((folder / "summary.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    runner = json.loads((folder / "logs" / "request_runner.stats.json").read_text())
    samplers = [of_sampler(folder, "gpu_mem_sampler", "gpu_mem_trace.csv"),
                of_sampler(folder, "server_metrics_sampler", "server_metrics_trace.csv")]
    processes = [of_process(process) for process in observer.recorded()]
    return {"interrupted": manifest["interrupted"],
            "duration_s": manifest["results"]["duration_s"],
            "requests": runner["requests"], "ok": runner["ok"], "failed": runner["failed"],
            "connections_opened": runner["connections_opened"],
            "wall_clock_shift_ms": manifest["wall_clock_shift_ms"],
            "verdict": summary["verdict"],
            "bytes": observer.file_sizes[-1]["bytes"],
            "samplers": [sampler for sampler in samplers if sampler],
            "processes": [process for process in processes if process]}


def is_good(run):
    """Ours flat, all complete. A missed tick is a figure, not a failure: the machine was busy. What
    the server needs is said and not judged."""
    return (all(process["flat"] for process in run["processes"] if process["ours"])
            and run["failed"] == 0 and not run["interrupted"]
            and run["exit_code"] == 0 and run["verdict"]["valid"])


def flat_words(process):
    if process["flat"]:
        return "yes"
    return "**no**" if process["ours"] else "no (the server)"


def as_markdown(runs):
    lines = ["| run | process | RSS MiB, median of first → last quarter (most) | MiB/h |"
             " descriptors, most of first → last quarter | threads | CPU % | flat |",
             "|---|---|---|---|---|---|---|---|"]
    for name, run in runs.items():
        for process in run["processes"]:
            rss, open_files, threads = (process[key] for key in
                                        ("rss_kib", "descriptors", "threads"))
            lines.append(
                f"| {name} | {process['name']} | {rss['first_quarter'] / 1024:.1f} → "
                f"{rss['last_quarter'] / 1024:.1f} ({rss['max'] / 1024:.1f}) | "
                f"{rss['per_hour'] / 1024:+.2f} | "
                + " | ".join(f"{count['first_quarter']} → {count['last_quarter']}"
                             for count in (open_files, threads))
                + f" | {process['cpu_pct']:.1f} | {flat_words(process)} |")
    lines += ["", "| run | sampler | ticks due = taken + missed | lateness ms p50 / p99 / most | "
              "drift ms | wall clock moved ms | rows |", "|---|---|---|---|---|---|---|"]
    for name, run in runs.items():
        for sampler in run["samplers"]:
            late = " / ".join("–" if sampler[f"lateness_{part}_ms"] is None else
                              f"{sampler[f'lateness_{part}_ms']:.2f}"
                              for part in ("p50", "p99", "max"))
            drift = "–" if sampler["drift_ms"] is None else f"{sampler['drift_ms']:+.2f}"
            lines.append(f"| {name} | {sampler['name']} | {sampler['due']:,} = "
                         f"{sampler['taken']:,} + {sampler['missed']:,} | {late} | {drift} | "
                         f"{sampler['wall_clock_shift_ms']:g} | {sampler['rows']:,} |")
    lines += ["", "| run | lasted s | requests ok + failed | connections | files MiB | verdict |",
              "|---|---|---|---|---|---|"]
    for name, run in runs.items():
        codes = ", ".join(reason["code"] for reason in run["verdict"]["reasons"])
        valid = "valid" if run["verdict"]["valid"] else "**not valid**"
        lines.append(f"| {name} | {run['duration_s']:.0f} | {run['ok']:,} + {run['failed']:,} | "
                     f"{run['connections_opened']:,} | {sum(run['bytes'].values()) / 2**20:.1f} | "
                     f"{valid}{f' ({codes})' if codes else ''} |")
    return "\n".join(lines)
