"""A started client, and its cost as the kernel counts it for this process alone."""
import os
import re
import select
import signal
import subprocess
import time

PIPE = subprocess.PIPE


class Cost:
    """The cost of a process that has ended: wall clock and processor seconds."""

    def __init__(self, wall, usage):
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime


def spawn(argv, environment):
    """Runs a command to its end, discards its output and returns its cost. A failure ends the measurement."""
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, environment, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"{' '.join(argv)} failed: {os.waitstatus_to_exitcode(status)}")
    return Cost(wall, usage)


class Client:
    """A client that runs on pipes while it is measured."""

    def __init__(self, argv, environment):
        self.argv = argv
        self.began = time.perf_counter()
        self.process = subprocess.Popen(argv, env=environment, stdin=PIPE, stdout=PIPE,
                                        stderr=subprocess.DEVNULL, bufsize=0)
        self.pid = self.process.pid
        self.input, self.output = self.process.stdin.fileno(), self.process.stdout.fileno()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def age(self):
        return time.perf_counter() - self.began

    def cpu(self):
        """Returns the seconds of processor time so far, of all its threads (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory(self):
        """Returns the bytes that are resident now (rss) and the peak (peak)."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            text = file.read()
        found = {name: int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) * 1024
                 for name in ("VmRSS", "VmHWM")}
        return {"rss": found["VmRSS"], "peak": found["VmHWM"]}

    def wakes(self):
        """Returns how often a thread of the client waited and went on."""
        total = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{thread}/status", encoding="ascii") as file:
                total += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", file.read())[1])
        return total

    def wait_readable(self, seconds=60):
        if not select.select([self.output], [], [], seconds)[0]:
            raise SystemExit(f"{' '.join(self.argv)}: nothing came in {seconds} s")

    def read(self, size=1 << 20):
        """Reads the available bytes, at least one. Returns empty bytes at the end."""
        self.wait_readable()
        return os.read(self.output, size)

    def exactly(self, size):
        got = b""
        while len(got) < size:
            piece = self.read(size - len(got))
            if not piece:
                raise SystemExit(f"{' '.join(self.argv)} ended early")
            got += piece
        return got

    def drain(self, size):
        """Reads and discards `size` bytes."""
        room = bytearray(1 << 20)
        while size > 0:
            got = os.readv(self.output, [memoryview(room)[:min(size, len(room))]])
            if got == 0:
                raise SystemExit(f"{' '.join(self.argv)} ended early")
            size -= got

    def feed(self, size):
        block = memoryview(bytes(1 << 20))
        while size > 0:
            size -= os.write(self.input, block[:min(size, len(block))])

    def end(self):
        """Returns its cost; ends it with SIGTERM if it still runs."""
        if self.process.returncode is not None:
            return None
        os.kill(self.pid, signal.SIGTERM)  # It is not reaped before wait4, so the process id is still its own.
        self.process.stdin.close()
        self.process.stdout.close()
        _, status, usage = os.wait4(self.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return Cost(self.age(), usage)
