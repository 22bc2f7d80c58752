"""A fault as the table describes it, and what carries it out with the real request_runner."""

import concurrent.futures
import contextlib
import dataclasses
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Callable, NamedTuple

from support.answers import completion_as_asked
from support.run_tool import is_sanitized, read_csv, run_tool
from support.scripted_server import ScriptedServer

MOST_KIB = 64 << 10
TIMEOUT = 20  # seconds, where a fault brings no --timeout of its own
PATIENCE = 20  # seconds beyond its time-out until a run counts as one that hangs
AT_ONCE = 4
UNSENT = ("error:connect", "error:dns", "error:tls")


class Stage(NamedTuple):
    """Where the requests of a fault go."""
    url: str
    flags: tuple = ()
    prefix: tuple = ()


@contextlib.contextmanager
def scripted(answers, folder, **server_options):
    with ScriptedServer(answers, **server_options) as server:
        yield Stage(server.url)


@dataclasses.dataclass(frozen=True)
class Fault:
    path: str  # what the way between client and server shows, in words
    answer: object = None  # what "bad" requests get, see answers.py; the others: as asked
    status: str = "ok"  # of their rows
    words: str = ""  # of their error_detail, as they stand there
    http: int | None = 200
    how: tuple = ("plain",)  # and/or "streamed"
    flags: tuple = ()
    tokens: tuple | None = ("21", "8", None)  # prompt, completion, cached; None: no row has any
    bad: int = 1  # requests with the fault, named bad0, bad1, ...
    at_once: int | tuple = 2  # concurrency, or that of good1, of the bad, of the other good
    harmed: str = "bad"  # "all": the good ones meet it too; "some": it strikes some of all
    exit: int | None = None  # None: 0 when every row is ok, else 1
    account: dict = dataclasses.field(default_factory=dict)  # what the tool's account says, too
    prompt: str = "hello"
    stage: Callable = scripted  # stage(answers, folder): a context that gives a Stage
    absent: Callable[[], str | None] = lambda: None  # why this machine cannot show it
    note: str = ""


class Outcome(NamedTuple):
    problems: list
    peak_kib: int
    seconds: float
    details: set  # the error_detail of all bad rows


def number_of(request):
    """The 17 of the request bad17."""
    return int(request.headers["x-request-id"][3:])


def names(fault):
    return ["good1", *(f"bad{n}" for n in range(fault.bad)), "good2", "good3", "good4"]


def write_workload(fault, folder):
    path = folder / "workload.jsonl"
    groups = fault.at_once if isinstance(fault.at_once, tuple) else (fault.at_once,) * 3
    path.write_text("".join(json.dumps(
        {"req_id": name, "prompt": fault.prompt if name.startswith("bad") else "hello",
         "input_len": 1, "output_len": 8,
         "concurrency_group": groups[0 if name == "good1" else 1 if name[0] == "b" else 2]}) + "\n"
        for name in names(fault)), encoding="utf-8")
    return path


def answers_of(fault):
    def choose(request):
        is_bad = request.headers.get("x-request-id", "").startswith("bad")
        return fault.answer if is_bad and fault.answer is not None else completion_as_asked
    return choose


def time_out(flags):
    return min((float(value) for flag, value in zip(flags, flags[1:]) if flag.endswith("timeout")),
               default=0)


def bound(flags):
    """Seconds a run may take: until its requests' time-out, and then some."""
    return (time_out(flags) + PATIENCE) * (3 if is_sanitized() else 1)


def carry_out(fault, how, folder):
    workload, trace, peak = write_workload(fault, folder), folder / "trace.csv", folder / "peak"
    stats = folder / "stats.json"
    flags = ["--stats-out", str(stats),
             *([] if "--timeout" in fault.flags else ["--timeout", str(TIMEOUT)]),
             *(["--stream"] if how == "streamed" else []),
             *([] if "--group-pause-s" in fault.flags else ["--group-pause-s", "0"])]
    with fault.stage(answers_of(fault), folder) as stage:
        measure = (sys.executable, "-I", "-S", str(Path(__file__).with_name("peak_memory.py")),
                   str(peak))
        done = run_tool("request_runner", workload, "-o", trace, "--base-url", stage.url + "/v1",
                        "--model", "tiny", *fault.flags, *flags, *stage.flags,
                        prefix=(*stage.prefix, *measure), timeout=bound(fault.flags))
    rows = read_csv(trace)[1] if trace.exists() else []
    bad = [row for row in rows if row["req_id"].startswith("bad")]
    peak_kib = int(peak.read_text())
    account = json.loads(stats.read_text()) if stats.exists() else {}
    problems = [*check_run(fault, done, rows), *check_rows(fault, rows, bad),
                *check_account(fault, account, rows)]
    if peak_kib > MOST_KIB and not is_sanitized():
        problems.append(f"{peak_kib} KiB of memory")
    return Outcome(problems, peak_kib, done.seconds, {row["error_detail"] for row in bad})


def check_run(fault, done, rows):
    code = fault.exit if fault.exit is not None else 0 if fault.status == "ok" else 1
    if done.returncode != code:
        yield f"exit code {done.returncode}, not {code}: {done.stderr}"
    if done.seconds < time_out(fault.flags):
        yield f"over after {done.seconds} s, before the time-out"
    if fault.exit == 3:  # refused before the load: its words are the terminal's
        if fault.words not in done.stderr:
            yield f"not in its words: {done.stderr}"
    elif sorted(row["req_id"] for row in rows) != sorted(names(fault)):
        yield f"rows of {sorted(row['req_id'] for row in rows)}"


def check_rows(fault, rows, bad):
    if fault.harmed == "some":
        bad = [row for row in rows if row["status"] != "ok"]
        if not 0 < len(bad) < len(rows):
            yield f"{len(bad)} of {len(rows)} rows show it"
    if fault.harmed == "all":
        bad = rows
    for row in rows:
        detail = row["error_detail"] or ""
        if row not in bad:
            if (row["status"], row["completion_tokens"]) != ("ok", "8"):
                yield f"an innocent request has {row}"
            continue
        if row["status"] != fault.status or fault.words not in detail:
            yield f"the row says {row['status']}: {detail}"
        if row["http_status"] != (None if fault.http is None else str(fault.http)):
            yield f"http_status {row['http_status']}"
        if (row["status"] == "ok") == bool(detail):
            yield "words without an error, or an error without words"
        if len(detail) > 300 or not detail.isprintable():
            yield f"words that are no line of print: {detail!r}"
        if not (row["start_ts"] or row["scheduled_ts"]) <= row["end_ts"]:
            yield f"from {row['start_ts']} to {row['end_ts']}"
        if row["status"] in UNSENT and (row["start_ts"] or row["in_flight_at_start"]):
            yield f"never sent, and begun at {row['start_ts']}"
        tokens = (row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"])
        if row["status"] == "ok" and tokens != (fault.tokens or (None,) * 3):
            yield f"tokens {tokens}"


def check_account(fault, account, rows):
    ok = sum(row["status"] == "ok" for row in rows)
    expected = {"ok": ok, "failed": len(rows) - ok} | fault.account if rows else {}
    for key, value in expected.items():
        if account.get(key) != value:
            yield f"{key} in the account is {account.get(key)}, not {value}"


def carry_out_all(faults):
    """(fault, how, Outcome or why it could not be shown) of each, some at once, in order."""
    def show(fault, how):
        if why := fault.absent():
            return fault, how, why
        with tempfile.TemporaryDirectory() as folder:
            try:
                return fault, how, carry_out(fault, how, Path(folder))
            except Exception as problem:  # one run's, told with the others
                return fault, how, Outcome([repr(problem)], 0, 0, set())
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda pair: show(*pair),
                             [(fault, how) for fault in faults for how in fault.how]))


class FaultCase(unittest.TestCase):
    def show_all(self, faults):
        for fault, how, outcome in carry_out_all(faults):
            with self.subTest(fault.path, how=how):
                if isinstance(outcome, str):
                    self.skipTest(outcome)
                self.assertEqual(outcome.problems[:3], [])
