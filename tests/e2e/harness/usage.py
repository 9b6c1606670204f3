"""The processor time and the memory that a process has used."""
import os
import re

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    """Returns the time so far of a process that has not been waited for."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def most_memory(pid):
    """Returns the largest resident set that the process ever had, in bytes."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmHWM:\s*(\d+) kB", file.read())[1]) * 1024
