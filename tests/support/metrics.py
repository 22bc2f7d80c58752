"""Answers of a scripted /metrics, as a vLLM server would give them."""

from urllib.parse import parse_qs, urlsplit

from support.answers import chunked, error, response

CONFIG = {"block_size": "32", "num_gpu_blocks": "192", "kv_cache_size_tokens": "6144",
          "enable_prefix_caching": "True"}
COUNTERS = ("num_preemptions", "prefix_cache_queries", "prefix_cache_hits", "prompt_tokens",
            "generation_tokens")


def metrics_text(*, engines=("0",), start=1000.0, config=None, model="tiny", usage=0.0, running=0,
                 waiting=0, **counters):
    """Exposition text; counters by name without _total, 0 when not given."""
    lines = ["# HELP python_info x", "# TYPE python_info gauge", "python_info{a=\"b\"} 1.0"]
    if start is not None:
        lines.append(f"process_start_time_seconds {start}")
    for engine in engines:
        labels = f'engine="{engine}",model_name="{model}"'
        settings = ",".join(f'{key}="{value}"' for key, value in (config or CONFIG).items())
        lines += [f"vllm:cache_config_info{{{settings},engine=\"{engine}\"}} 1.0",
                  f"vllm:kv_cache_usage_perc{{{labels}}} {usage}",
                  f"vllm:num_requests_running{{{labels}}} {running}.0",
                  f"vllm:num_requests_waiting{{{labels}}} {waiting}.0"]
        lines += [f"vllm:{name}_total{{{labels}}} {counters.get(name, 0)}.0" for name in COUNTERS]
    return "\n".join(lines) + "\n"


def metrics(body=None, **values):
    body = metrics_text(**values) if body is None else body
    return response(body if isinstance(body, bytes) else body.encode(),
                    content_type="text/plain; version=1.0.0; charset=utf-8")


def is_filtered(request):
    return request.path.startswith("/metrics/")


def as_vllm(text_of):
    """text_of(request) by plain /metrics; only the samples asked for by /metrics/?name[]=…"""
    def answer(request):
        text = text_of(request)
        if not isinstance(text, str):
            return text
        if not is_filtered(request):
            return metrics(text)
        names = parse_qs(urlsplit(request.path).query)["name[]"]
        lines = [line for line in text.splitlines()
                 if line.split("{")[0].split(" ")[0] in names]
        return chunked(["".join(line + "\n" for line in lines).encode()] if lines else [])
    return answer


def full_only(text_of):
    """A server whose /metrics/ is not found."""
    return lambda request: error(404) if is_filtered(request) else metrics(text_of(request))
