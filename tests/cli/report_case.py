"""Run folders made here for memory_report: ours, and the original scripts'."""

import json
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from support.run_tool import run_tool

TOOL = "memory_report"
REQUESTS = ("req_id,input_len,output_len,concurrency_group,start_ts,end_ts,status,prompt_tokens,"
            "completion_tokens")
APPENDED = ("prefix_mode,rep,scheduled_ts,first_token_ts,cached_tokens,http_status,"
            "in_flight_at_start,error_detail")
GPU = "timestamp,gpu_idx,used_mib,total_mib,util_pct"
SERVER = ("timestamp,engine,kv_cache_usage_pct,kv_tokens_used,kv_tokens_total,requests_running,"
          "requests_waiting,preemptions_total,prefix_cache_queries_total,prefix_cache_hits_total,"
          "prompt_tokens_total,generation_tokens_total,scrape_ms")
START = datetime(2026, 2, 25, 10, 0, 0, tzinfo=timezone.utc)


def at(seconds):
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def server_row(seconds, blocks=0, running=0, waiting=0, preemptions=0, tokens=0):
    return (f"{at(seconds)},0,{blocks},{blocks * 16},1616,{running},{waiting},{preemptions},"
            f"{tokens},0,{tokens},{tokens // 10},1\n")


class ReportCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def original_folder(self, name="20260225_100000"):
        """What the original scripts leave: two requests at level 2, one GPU."""
        folder = self.root / name
        folder.mkdir()
        (folder / "workload.jsonl").write_text(
            "".join(json.dumps({"req_id": each, "prompt": "x", "input_len": 640, "output_len": 64,
                                "concurrency_group": 2}) + "\n" for each in "ab"))
        (folder / "request_trace.csv").write_text(
            f"{REQUESTS}\n"
            f"a,640,64,2,{at(10)},{at(20)},ok,640,64\n"
            f"b,640,64,2,{at(12)},{at(22)},error:timeout,,\n")
        (folder / "gpu_mem_trace.csv").write_text(
            f"{GPU}\n{at(8)},0,100,1000,0\n{at(11)},0,500,1000,50\n{at(21)},0,400,1000,50\n")
        (folder / "manifest.json").write_text(json.dumps(
            {"run_id": name, "timestamp": "2026-02-25T10:00:00.5",
             "config": {"base_url": "http://127.0.0.1:8000/v1", "model": "default",
                        "input_lens": [640], "output_lens": [64], "concurrencies": [2],
                        "prefix_modes": ["low"], "n_per_condition": 2,
                        "gpu_sample_interval_ms": 200, "gpu_indices": None},
             "results": {"total_requests": 2, "ok_requests": 1, "gpu_samples": 3,
                         "duration_s": 14.0},
             "files": {"workload": "workload.jsonl", "request_trace": "request_trace.csv",
                       "gpu_mem_trace": "gpu_mem_trace.csv", "summary": "summary.json"}}))
        return folder

    def measured_folder(self, name="20260225_110000", preemptions=3):
        """A run with the server's metrics: both requests ok, three preemptions counted late."""
        folder = self.original_folder(name)
        (folder / "request_trace.csv").write_text(
            f"{REQUESTS},{APPENDED}\n"
            f"a,640,64,2,{at(10)},{at(20)},ok,640,64,low,0,{at(10)},{at(11)},0,200,1,\n"
            f"b,640,64,2,{at(12)},{at(22)},ok,640,64,low,1,{at(12)},{at(13)},0,200,2,\n")
        (folder / "server_metrics_trace.csv").write_text(
            f"{SERVER}\n" + server_row(9) + server_row(15, 88, 2, 0, 0, 1280) +
            server_row(19, 99, 1, 1, 0, 1280) + server_row(23, 0, 0, 0, preemptions, 1280))
        (folder / "logs").mkdir()
        (folder / "logs" / "server_metrics_sampler.stats.json").write_text(json.dumps(
            {"engines": [{"engine": "0", "block_size": 16, "kv_tokens_total": 1616,
                          "prefix_caching": True, "cache_config": {"block_size": "16"}}]}))
        return folder

    def report(self, *args, exit_code=0):
        ended = run_tool(TOOL, *args)
        self.assertEqual(ended.returncode, exit_code, ended.stderr)
        return ended

    @staticmethod
    def summary(folder):
        return json.loads((folder / "summary.json").read_text())
