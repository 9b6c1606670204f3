"""Another time of day for a program, by libfaketime."""
import glob
import os
import re
import subprocess


def library():
    """Returns the path of libfaketime, or "" if it is not installed."""
    found = subprocess.run(["find", "/usr/lib", "-name", "libfaketime.so.1"], capture_output=True, text=True, check=False)
    return (found.stdout.split() or [""])[0]


def settings(**time):
    """Returns the environment of a program whose time `time` sets (FAKETIME=...), and whose waits take the real time."""
    clear()
    return {"LD_PRELOAD": library(), "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", **time}


def clear():
    """Removes the shared memory of processes that have ended. They leave it behind unless they end by exit(), and
    libfaketime ends a process of the same number at once."""
    for path in glob.glob("/dev/shm/*faketime_s[eh]m_*"):
        if found := re.search(r"_(\d+)$", path):
            if not os.path.exists(f"/proc/{found[1]}"):
                try:
                    os.remove(path)
                except (FileNotFoundError, PermissionError):
                    pass  # Another test has removed it, or it belongs to another user.
