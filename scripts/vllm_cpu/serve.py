"""Starts `vllm serve` with the given options, with two changes that only a test server wants.

    python serve.py PORT_FILE MODEL [VLLM-OPTION...]

1. Engine and worker are forked from the API server. vLLM's CPU platform insists on fresh
   interpreters, and each imports torch and vLLM again: 33 s to the first answer instead of 13 s.
   Needs VLLM_CPU_OMP_THREADS_BIND=nobind. SPAWN=1 leaves vLLM's own way.
2. Without --port the kernel picks the port. It is written to PORT_FILE.
"""
import os
import pathlib
import socket
import sys


def reserve_loopback_port():
    """A socket that holds a free port. It never listens, so with SO_REUSEADDR, which vLLM sets too,
    vLLM can listen on the same port while no other program is given it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def fork_engine_and_worker():
    from vllm.platforms.cpu import CpuPlatform
    check = CpuPlatform.check_and_update_config.__func__

    def check_then_fork(cls, config):
        check(cls, config)
        os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "fork"

    CpuPlatform.check_and_update_config = classmethod(check_then_fork)


# Spawned children import this file again under another name.
if __name__ == "__main__":
    port_file, options = pathlib.Path(sys.argv[1]), sys.argv[2:]
    if "--port" in options:
        port = options[options.index("--port") + 1]
    else:
        holder = reserve_loopback_port()
        port = str(holder.getsockname()[1])
        options += ["--port", port]
    port_file.write_text(port + "\n")
    if os.environ.get("SPAWN") != "1":
        fork_engine_and_worker()
    sys.argv = ["vllm", "serve", *options]
    from vllm.entrypoints.cli.main import main
    sys.exit(main())
