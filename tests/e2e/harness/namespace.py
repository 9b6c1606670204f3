"""A private network and a private view of the files, in which programs that know no other port can be led to
127.0.0.1:443."""
import fcntl
import os
import socket
import struct
import subprocess

from . import programs

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_INSIDE = "MAYFLY_IN_NAMESPACE"


def refusal():
    """Returns the reason why there cannot be a namespace here, or an empty string."""
    try:
        words = _unshare() + [programs.system("true")]
    except SystemExit as error:
        return str(error)
    tried = subprocess.run(words, capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


def _unshare():
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return [programs.system("unshare"), *user, "--net", "--mount", "--"]


def alone(command):
    """Returns the command, to be run in a network that leads nowhere."""
    return _unshare() + command


def with_files_at(folder, place):
    """Words before a command that shall see the folder's files at that place, in the network that is there."""
    words = [word for word in _unshare() if word != "--net"]
    return words + [programs.system("sh"), "-c", f'{programs.system("mount")} --bind {folder} {place} && exec "$@"', "sh"]


def is_inside():
    return _INSIDE in os.environ


def run_inside(command, **more):
    """Returns the result of subprocess.run() for the command in a namespace. `more` is passed on."""
    return subprocess.run(_unshare() + command, env={**os.environ, _INSIDE: "1"}, check=False, **more)


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", b"lo", 0)
        flags, = struct.unpack_from("h", fcntl.ioctl(handle, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def name_hosts(names, folder):
    """Makes the names resolve to 127.0.0.1 in this namespace only."""
    path = os.path.join(folder, "hosts")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"127.0.0.1 {name}\n" for name in ("localhost", *names))
    subprocess.run([programs.system("mount"), "--bind", path, "/etc/hosts"], check=True)
