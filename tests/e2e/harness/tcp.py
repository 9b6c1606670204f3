"""TCP sockets as the kernel lists them (proc(5), proc_net_tcp.txt)."""
import os
from typing import NamedTuple

from . import memory

LISTENING = "0A"
KEEP_ALIVE = "02"


class Row(NamedTuple):
    address: str  # in hexadecimal, in the kernel's byte order
    port: int
    state: str
    timer: str
    inode: str


def rows():
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(name):
            with open(name, encoding="ascii") as file:
                for line in list(file)[1:]:
                    words = line.split()
                    address, port = words[1].split(":")
                    yield Row(address, int(port, 16), words[3], words[5].split(":")[0], words[9])


def rows_of(pid):
    """Returns the sockets of one process. Only root can see them if the process cannot be dumped."""
    ours = memory.sockets_of(pid)
    return [row for row in rows() if f"socket:[{row.inode}]" in ours]
