"""What memory_report costs on large runs: a million GPU rows, 100,000 requests and 125,000 scrapes,
and half of that, also with a trace or a page, whose curves are nowhere flat. The folders are made up, shaped
as run_memory_profile writes them.

    tests/bench/bench_memory_report.py [--bin-dir build/release/bin] [--rounds 3]
"""

import statistics
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from measure import bench_parser, machine, print_table, run_measured

START = datetime(2026, 2, 25, 10, tzinfo=timezone.utc)
GPUS = 8
REQUEST_S = 0.25  # one request begins every so often, and takes 20 s
REQUESTS = ("req_id,input_len,output_len,concurrency_group,start_ts,end_ts,status,prompt_tokens,"
            "completion_tokens,prefix_mode,rep,scheduled_ts,first_token_ts,cached_tokens,"
            "http_status,in_flight_at_start,error_detail\n")
METRICS = ("timestamp,engine,kv_cache_usage_pct,kv_tokens_used,kv_tokens_total,requests_running,"
           "requests_waiting,preemptions_total,prefix_cache_queries_total,"
           "prefix_cache_hits_total,prompt_tokens_total,generation_tokens_total,scrape_ms\n")


def stamp(seconds):
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def make_run(folder, requests, ticks):
    with open(folder / "workload.jsonl", "w") as workload, \
            open(folder / "request_trace.csv", "w") as trace:
        trace.write(REQUESTS)
        for n in range(requests):
            begun = n * REQUEST_S
            workload.write(f'{{"req_id": "r_{n}", "prompt": "word", "input_len": 1024, '
                           f'"output_len": 128, "concurrency_group": 80}}\n')
            trace.write(f"r_{n},1024,128,80,{stamp(begun)},{stamp(begun + 20)},ok,1024,128,low,{n},"
                        f"{stamp(begun)},{stamp(begun + 1)},0,200,80,\n")
    tick_s = requests * REQUEST_S / ticks
    with open(folder / "gpu_mem_trace.csv", "w") as gpus, \
            open(folder / "server_metrics_trace.csv", "w") as metrics:
        gpus.write("timestamp,gpu_idx,used_mib,total_mib,util_pct\n")
        metrics.write(METRICS)
        for tick in range(ticks):
            time = stamp(tick * tick_s)
            gpus.writelines(f"{time},{gpu},{60_000 + tick % 7},81559,{tick % 100}\n"
                            for gpu in range(GPUS))
            metrics.write(f"{time},0,{tick % 90}.5,{tick % 90 * 1000},100000,{tick % 80},0,0,"
                          f"{tick},0,{tick * 10},{tick},1.5\n")


def main():
    options = bench_parser(__doc__).parse_args()
    print(machine() + "\n")
    rows = []
    for requests, ticks in ((50_000, 62_500), (100_000, 125_000)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_run(folder, requests, ticks)
            for output in (None, "--trace-out", "--html"):
                path = folder / "written"
                more = [output, str(path)] if output else []
                costs = [run_measured([f"{options.bin_dir}/memory_report", name, "-q", *more],
                                      check=False) for _ in range(options.rounds)]
                size = path.stat().st_size / 2**20 if output else None
                rows.append([ticks * GPUS, requests, ticks, output, size,
                             statistics.median(cost.wall_s for cost in costs),
                             statistics.median(cost.cpu_s for cost in costs),
                             max(cost.rss_mib or 0 for cost in costs) or None])
    print_table(["GPU rows", "requests", "scrapes", "also", "its MiB", "wall s", "CPU s",
                 "RSS MiB"], rows)


if __name__ == "__main__":
    main()
