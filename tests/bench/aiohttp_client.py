"""The usual load script, for comparison: aiohttp, a worker per slot, a line of JSON per event.

aiohttp_client.py WORKLOAD OUTPUT BASE_URL [--stream]; OUTPUT: CSV req_id,start_us,first_token_us
"""

import asyncio
import csv
import json
import sys
import time

import aiohttp


async def send(session, url, line, stream, writer):
    body = {"model": "mock", "messages": [{"role": "user", "content": line["prompt"]}],
            "max_tokens": line["output_len"], "temperature": 0}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    start, first = time.time(), None
    async with session.post(url, json=body, headers={"X-Request-Id": line["req_id"]}) as answer:
        if not stream:
            usage = (await answer.json())["usage"]
        else:
            async for event in answer.content:
                if not event.startswith(b"data: {"):
                    continue
                event = json.loads(event[6:])
                usage = event.get("usage")
                if first is None and event["choices"] and event["choices"][0]["delta"]["content"]:
                    first = time.time()
    assert usage["completion_tokens"] == line["output_len"]
    writer.writerow([line["req_id"], int(start * 1e6), int(first * 1e6) if first else ""])


async def main(workload, output, base_url, *flags):
    with open(workload) as file:
        lines = [json.loads(line) for line in file]
    pending = iter(lines)
    width = lines[0]["concurrency_group"]
    with open(output, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["req_id", "start_us", "first_token_us"])

        async def worker():
            for line in pending:
                await send(session, base_url + "/chat/completions", line, "--stream" in flags,
                           writer)

        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=600)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            await asyncio.gather(*(worker() for _ in range(width)))


asyncio.run(main(*sys.argv[1:]))
