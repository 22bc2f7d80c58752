"""A finished run of run_memory_profile, read back from its folder and checked for consistency."""

import hashlib
import json
from pathlib import Path

from support.run_tool import read_csv, read_jsonl

REQUEST_COLUMNS = (
    "req_id,input_len,output_len,concurrency_group,start_ts,end_ts,status,prompt_tokens,"
    "completion_tokens,prefix_mode,rep,scheduled_ts,first_token_ts,cached_tokens,http_status,"
    "in_flight_at_start,error_detail")
GPU_COLUMNS = "timestamp,gpu_idx,used_mib,total_mib,util_pct"
FILES = ("workload.jsonl", "request_trace.csv", "gpu_mem_trace.csv", "summary.json",
         "manifest.json")


class ProfileRun:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.workload = read_jsonl(self.folder / "workload.jsonl")
        self.request_header, self.requests = read_csv(self.folder / "request_trace.csv")
        self.gpu_header, self.gpu_rows = read_csv(self.folder / "gpu_mem_trace.csv")
        self.summary = json.loads((self.folder / "summary.json").read_text())
        self.manifest = json.loads((self.folder / "manifest.json").read_text())
        self.ok = [row for row in self.requests if row["status"] == "ok"]

    def reasons(self):
        return {reason["code"]: reason for reason in self.summary["verdict"]["reasons"]}


def check_consistent(case, run):
    """Every total is the sum of the rows it is about, and every file is the one described."""
    for name in FILES:
        case.assertTrue((run.folder / name).is_file(), name)
    case.assertEqual(",".join(run.request_header), REQUEST_COLUMNS)
    case.assertEqual(",".join(run.gpu_header), GPU_COLUMNS)
    case.assertCountEqual([line["req_id"] for line in run.workload],
                          [row["req_id"] for row in run.requests])
    check_summary(case, run)
    check_manifest(case, run)
    for row in run.requests:
        times = [row[key] for key in ("scheduled_ts", "start_ts", "first_token_ts", "end_ts")]
        given = [time for time in times if time is not None]
        case.assertEqual(given, sorted(given), row["req_id"])


def check_summary(case, run):
    summary, total, ok = run.summary, len(run.requests), len(run.ok)
    case.assertEqual((summary["total_requests"], summary["ok_requests"],
                      summary["error_requests"], summary["gpu_samples"]),
                     (total, ok, total - ok, len(run.gpu_rows)))
    case.assertEqual(summary["requests_without_row"], 0)
    failed = [{"req_id": row["req_id"], "status": row["status"]}
              for row in run.requests if row["status"] != "ok"]
    case.assertEqual(summary["errors"], failed[:20])
    levels = {str(line["concurrency_group"]) for line in run.workload}
    case.assertEqual(set(summary["by_concurrency"]), levels)
    for level, said in summary["by_concurrency"].items():
        group = [row for row in run.requests if row["concurrency_group"] == level]
        tokens = [int(row["completion_tokens"]) for row in group
                  if row["status"] == "ok" and row["completion_tokens"] is not None]
        case.assertEqual(said["n_requests"], len(group))
        case.assertEqual(said["n_ok"], sum(row["status"] == "ok" for row in group))
        if tokens:
            case.assertAlmostEqual(said["avg_completion_tokens"], sum(tokens) / len(tokens))
        else:
            case.assertIsNone(said["avg_completion_tokens"])
        started = [int(row["in_flight_at_start"]) for row in group if row["start_ts"] is not None]
        case.assertEqual(said["max_in_flight"] or 0, max(started, default=0))


def check_manifest(case, run):
    manifest = run.manifest
    case.assertEqual(manifest["run_id"], run.folder.name)
    case.assertEqual((manifest["results"]["total_requests"], manifest["results"]["ok_requests"],
                      manifest["results"]["gpu_samples"]),
                     (len(run.requests), len(run.ok), len(run.gpu_rows)))
    case.assertFalse(manifest["interrupted"])
    case.assertFalse(manifest["simulated"])
    for name in FILES:
        if name != "manifest.json":
            content = (run.folder / name).read_bytes()
            case.assertEqual(manifest["file_checks"][name],
                             {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    case.assertLessEqual({"gpu_mem_sampler", "workload_gen", "request_runner"},
                         {child["name"] for child in manifest["children"]})
    for child in manifest["children"]:
        case.assertIsNone(child["signal"], child["name"])
        case.assertFalse(is_running(child["pid"], child["name"]), child["name"])


def is_running(pid, name):
    try:
        return (Path(f"/proc/{pid}/exe").resolve().name == name
                and ") Z " not in Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return False
