"""Starts `vllm serve` with the given options, with two changes that only a test server wants.

    python serve.py PORT_FILE MODEL [VLLM-OPTION...]

1. Engine and worker are forked from the API server. vLLM's CPU platform insists on fresh
   interpreters, and each imports torch and vLLM again: 33 s to the first answer instead of 13 s.
   Needs VLLM_CPU_OMP_THREADS_BIND=nobind. SPAWN=1 leaves vLLM's own way.
2. Without --port the kernel picks the port. It is written to PORT_FILE.
"""
import contextlib
import os
import pathlib
import socket
import stat
import sys


def reserve_loopback_port():
    """A socket that holds a free port. It never listens, so with SO_REUSEADDR, which vLLM sets too,
    vLLM can listen on the same port while no other program is given it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def is_socket_of(fd, port):
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return False
    with socket.socket(fileno=os.dup(fd)) as copy:
        return copy.family == socket.AF_INET and copy.getsockname()[1] == port


def drop_server_socket(port):
    """In a forked child: else the port would stay open when the API server dies, and clients would
    wait for an answer where a spawned engine lets them be refused. The numbers stay in use, because
    Python's own socket objects close them later."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):  # the listing's own is gone by now
            if is_socket_of(fd, port):
                os.dup2(null, fd, inheritable=False)
    os.close(null)


def fork_engine_and_worker(port):
    os.register_at_fork(after_in_child=lambda: drop_server_socket(port))
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
        fork_engine_and_worker(int(port))
    sys.argv = ["vllm", "serve", *options]
    from vllm.entrypoints.cli.main import main
    sys.exit(main())
