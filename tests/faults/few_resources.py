"""Runs a command that shall run out of something.

    few_resources.py ports COMMAND...         8 local ports, in a network namespace of its own; a
                                              scripted server on port 41000
    few_resources.py descriptors COMMAND...   a limit of 80, of which 70 are taken
    few_resources.py limit COMMAND...         a limit of 40
"""

import fcntl
import os
import resource
import socket
import struct
import subprocess
import sys
from pathlib import Path

from support.answers import completion_as_asked, pause
from support.scripted_server import ScriptedServer

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def with_ports(command):
    with socket.socket() as any_socket:  # the loopback of a new namespace is down
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40007")
    with ScriptedServer(lambda request: [pause(0.5), completion_as_asked(request)], port=41000):
        return subprocess.run(command, timeout=60).returncode


def with_descriptors(command, limit, taken):
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    null = os.open("/dev/null", os.O_RDONLY)
    while (last := os.dup(null)) < taken:
        pass
    for descriptor in range(3, last + 1):
        os.set_inheritable(descriptor, True)
    os.execv(command[0], command)


if __name__ == "__main__":
    kind, command = sys.argv[1], sys.argv[2:]
    if kind == "ports":
        sys.exit(with_ports(command))
    with_descriptors(command, *{"descriptors": (80, 70), "limit": (40, 4)}[kind])
