"""What request_runner costs and adds, beside other load clients, on one mock server.

    tests/bench/bench_request_runner.py --bin-dir build/release/bin [--rounds 3]
        [--scenarios S1,S3,S5] [--clients request_runner,h2load,wrk,aiohttp]
        [--aiohttp-python VENV/bin/python]

Rounds are interleaved: each client once, then again. A row is the median over the rounds; the
ratio is the median of each round's own ratio to h2load. CPU is user + system of the process tree
after the server saw the first byte; `start-up CPU` is what came before it. First-token error:
(first token − start) as the client says, less the same as the server's log says.
"""

import csv
import json
import statistics
import tempfile
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from measure import (MockServer, bench_parser, in_quiet, machine, percentile, print_table,
                     run_measured)

HERE = Path(__file__).resolve().parent


class Scenario(NamedTuple):
    what: str
    stream: bool
    in_flight: int
    requests: int
    prompt_bytes: int
    tokens: int
    server: tuple


SCENARIOS = {
    "S1": Scenario("plain, 64 in flight, 2,000 requests, 67 KB prompts, 50 ms answers",
                   False, 64, 2000, 67_000, 64, ("--delay-ms", 50)),
    "S3": Scenario("SSE, 256 streams, 2,000 requests, 128 tokens at 20 ms, 1 KB prompts",
                   True, 256, 2000, 1_000, 128, ("--token-ms", 20)),
    "S5": Scenario("SSE, 5,000 streams, 10,000 requests, 64 tokens at 100 ms, 1 KB prompts",
                   True, 5000, 10000, 1_000, 64, ("--token-ms", 100)),
}


class Inputs:
    """The same load as a workload, a request body and a wrk script."""

    def __init__(self, scenario, folder):
        self.workload, self.body, self.script = (
            folder / "workload.jsonl", folder / "body.json", folder / "post.lua")
        text = "symbol " * (scenario.prompt_bytes // 7)
        with open(self.workload, "w") as file:
            for n in range(scenario.requests):
                file.write(json.dumps({
                    "req_id": f"r_{n:05}", "prompt": f"{n:05} {text}", "input_len": 8192,
                    "output_len": scenario.tokens, "concurrency_group": scenario.in_flight,
                    "extra": {"prefix_mode": "low", "rep": n}}) + "\n")
        body = {"model": "mock", "messages": [{"role": "user", "content": text}],
                "max_tokens": scenario.tokens, "temperature": 0}
        if scenario.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        self.body.write_text(json.dumps(body, separators=(",", ":")))
        self.script.write_text(
            f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
            f'wrk.body = io.open("{self.body}"):read("*a")\n')


def command_for(client, scenario, inputs, url, output, options):
    if client == "request_runner":
        return [f"{options.bin_dir}/request_runner", str(inputs.workload), "-o", str(output),
                "--base-url", url + "/v1", "--model", "mock", "--endpoint", "chat",
                "--schedule", "group", "-q", *(["--stream"] if scenario.stream else [])]
    if client == "aiohttp":
        return [options.aiohttp_python, str(HERE / "aiohttp_client.py"), str(inputs.workload),
                str(output), url + "/v1", *(["--stream"] if scenario.stream else [])]
    if client == "wrk":
        return ["wrk", "-t1", f"-c{scenario.in_flight}", "-d2s", "--timeout", "60s",
                "-s", str(inputs.script), url + "/v1/chat/completions"]
    return ["h2load", "--h1", "-t1", "-n", str(scenario.requests), "-c", str(scenario.in_flight),
            "-d", str(inputs.body), "-H", "Content-Type: application/json",
            url + "/v1/chat/completions"]


def client_stamps(client, output):
    """req_id → (start, first token) in microseconds, as the client says."""
    with open(output, newline="") as file:
        rows = list(csv.DictReader(file))
    if client == "aiohttp":
        return {row["req_id"]: (int(row["start_us"]), int(row["first_token_us"])) for row in rows}

    def micros(text):
        return round(datetime.fromisoformat(text).timestamp() * 1e6)
    bad = [row for row in rows if row["status"] != "ok"]
    if bad:
        raise SystemExit(f"request_runner: {len(bad)} rows are not ok, first: {bad[0]}")
    return {row["req_id"]: (micros(row["start_ts"]), micros(row["first_token_ts"]))
            for row in rows}


def first_token_errors(client, scenario, output, log):
    if not scenario.stream or client not in ("request_runner", "aiohttp"):
        return []
    stamps = client_stamps(client, output)
    errors = []
    for row in log:
        start, first = stamps[row["request_id"]]
        truth = int(row["first_token_us"]) - int(row["first_byte_us"])
        errors.append((first - start - truth) / 1000)
    assert len(errors) == scenario.requests
    return errors


def measure(client, scenario, inputs, folder, options):
    output = folder / f"{client}.csv"
    with MockServer(f"{options.bin_dir}/bench_mock_server", *scenario.server) as server:
        command = command_for(client, scenario, inputs, server.url, output, options)
        cost = run_measured(command, server)
    done = server.stats["finished"]
    if client != "wrk" and done != scenario.requests:
        raise SystemExit(f"{client}: the server finished {done} of {scenario.requests} requests")
    load_cpu = cost.cpu_s - cost.start_up_cpu_s
    unit = load_cpu * 1e6 / server.stats["tokens"] if scenario.stream else load_cpu * 1e3 / done
    errors = first_token_errors(client, scenario, output, server.log)
    return {"unit": unit, "start_up": cost.start_up_cpu_s, "rss": cost.rss_mib,
            "max": server.stats["max_in_flight"], "mean": server.stats["mean_in_flight"],
            "p50": percentile(errors, 0.5), "p99": percentile(errors, 0.99),
            "wall": cost.wall_s, "others %": cost.others_pct,
            "late": server.stats["own_lateness_us"]["p99"] / 1000}


def run_scenario(name, options):
    scenario = SCENARIOS[name]
    clients = [c for c in options.clients if c != "wrk" or not scenario.stream]
    rounds = {client: [] for client in clients}
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs(scenario, Path(folder))
        for _ in range(options.rounds):
            for client in clients:
                rounds[client].append(in_quiet(
                    lambda: measure(client, scenario, inputs, Path(folder), options),
                    options.others_pct))
    unit = "CPU-µs / token" if scenario.stream else "CPU-ms / request"
    print(f"\n{name}: {scenario.what}\n")
    print_table(["client", unit, "min–max", "× h2load", "in flight max", "mean", "RSS MiB",
                 "first-token error p50 ms", "p99 ms", "start-up CPU s", "wall s",
                 "server's own lateness p99 ms", "others %"],
                [table_row(client, rounds) for client in clients])


def table_row(client, rounds):
    mine = rounds[client]

    def median(key):
        values = [one[key] for one in mine if one[key] is not None]
        return float(statistics.median(values)) if values else None
    ratio = None
    if "h2load" in rounds:
        ratio = statistics.median(a["unit"] / b["unit"] for a, b in zip(mine, rounds["h2load"]))
    spread = f"{min(one['unit'] for one in mine):.3g}–{max(one['unit'] for one in mine):.3g}"
    return [client, median("unit"), spread, ratio, int(median("max")), median("mean"),
            median("rss"), median("p50"), median("p99"), median("start_up"), median("wall"),
            median("late"), median("others %")]


def main():
    parser = bench_parser(__doc__)
    parser.add_argument("--others-pct", type=float, default=10,
                        help="repeat a run in which others used more of the machine's CPU")
    parser.add_argument("--scenarios", type=lambda t: t.split(","), default=list(SCENARIOS))
    parser.add_argument("--clients", type=lambda t: t.split(","),
                        default=["request_runner", "h2load", "wrk"])
    parser.add_argument("--aiohttp-python", help="an interpreter that has aiohttp")
    options = parser.parse_args()
    if options.aiohttp_python and "aiohttp" not in options.clients:
        options.clients.append("aiohttp")
    print(machine())
    for name in options.scenarios:
        run_scenario(name, options)


if __name__ == "__main__":
    main()
