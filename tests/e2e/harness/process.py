"""Programs under test: started, watched, and always ended."""
import dataclasses
import os
import re
import signal
import subprocess
import threading

from . import programs
from .waiting import GENEROUS, eventually

PIPE = subprocess.PIPE

# The kernel ends these processes when the test ends, however it ends.
_LEASH = [programs.system("setpriv"), "--pdeathsig", "KILL", "--"]

_started = []


@dataclasses.dataclass
class Result:
    argv: list
    code: int
    out: bytes
    err: str

    def __str__(self):
        shown = self.out if len(self.out) < 2000 else self.out[:2000] + b"..."
        return (f"{' '.join(map(str, self.argv))}\nexit code {self.code}\n"
                f"stdout: {shown!r}\nstderr:\n{self.err}")


class Running:
    """A started program. stdin: bytes are written and then closed, None is an empty input, and PIPE stays open for
    write() and close_stdin()."""

    def __init__(self, argv, *, env, stdin=None, stdout=PIPE, umask=-1, cwd=None):
        self.argv = [str(word) for word in argv]
        source = subprocess.DEVNULL if stdin is None else PIPE
        self.process = subprocess.Popen(
            _LEASH + self.argv, env=env, stdin=source, stdout=stdout, stderr=PIPE, umask=umask,
            cwd=cwd, start_new_session=True)
        _started.append(self)
        # This waits for the process as a shell does: some programs take a process that has ended for a running one
        # until its parent has waited for it, and cloudflared treats the lock of such a process as held.
        self._in_thread(self.process.wait)
        self.out, self.err_bytes = bytearray(), bytearray()
        self._threads = [self._collect(self.process.stderr, self.err_bytes)]
        if self.process.stdout:
            self._threads.append(self._collect(self.process.stdout, self.out))
        if isinstance(stdin, (bytes, bytearray)):
            self._in_thread(lambda: self._feed(bytes(stdin)))

    @staticmethod
    def _in_thread(work):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def _collect(self, stream, into):
        def read():
            with stream:
                while piece := os.read(stream.fileno(), 1 << 16):
                    into.extend(piece)
        return self._in_thread(read)

    def _feed(self, data):
        try:
            self.process.stdin.write(data)
        except (BrokenPipeError, ValueError):
            pass
        self.close_stdin()

    @property
    def pid(self):
        return self.process.pid

    @property
    def err(self):
        return self.err_bytes.decode("utf-8", "backslashreplace")

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def close_stdin(self):
        try:
            self.process.stdin.close()
        except (BrokenPipeError, ValueError):
            pass

    def send(self, number):
        self.process.send_signal(number)

    def has_ended(self):
        return self.process.poll() is not None

    def ends_within(self, seconds):
        """Waits for the end, or for so many seconds. Returns whether it has ended."""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def wait_err(self, pattern, seconds=GENEROUS):
        """Waits until stderr matches, and returns the match."""
        return self._wait(lambda: re.search(pattern, self.err), f"stderr matches {pattern!r}",
                          seconds)

    def wait_out(self, count, seconds=GENEROUS):
        """Waits for `count` bytes on stdout, and returns all bytes so far."""
        self._wait(lambda: len(self.out) >= count, f"{count} bytes on stdout", seconds)
        return bytes(self.out)

    def _wait(self, condition, what, seconds):
        def met_or_over():
            ended = self.has_ended()
            found = condition()
            if not found and ended:
                for thread in self._threads:
                    thread.join(5)
                found = condition()
                if not found:
                    raise AssertionError(f"it ended before: {what}\n{self._result()}")
            return found
        try:
            return eventually(what, met_or_over, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._result()}") from None

    def _result(self):
        return Result(self.argv, self.process.returncode, bytes(self.out), self.err)

    def finish(self, seconds=GENEROUS):
        """Waits for the end, and returns the result."""
        try:
            eventually("it has ended", self.has_ended, seconds)
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self._result()}") from None
        for thread in self._threads:
            thread.join(10)
        self._let_go()
        return self._result()

    def _let_go(self):
        """Closes the descriptors of a process that has ended: sweeps start thousands, and each would keep a
        descriptor."""
        if self.process.stdin:
            self.close_stdin()
        if self in _started:
            _started.remove(self)

    def kill(self):
        if not self.has_ended():
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self.process.kill()
            self.process.wait(GENEROUS)
        if self.process.stdin:
            self.close_stdin()


def run(argv, *, env=None, stdin=None, seconds=GENEROUS, **more):
    return Running(argv, env=env, stdin=stdin, **more).finish(seconds)


def end_all():
    """Ends the processes that a test left running, the last one first."""
    while _started:
        _started.pop().kill()
