"""A program on a terminal of its own, as a person sees it."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

from . import programs
from .waiting import GENEROUS, eventually

# The program gets the terminal as its controlling terminal, and the kernel ends it with this process.
_LEASH = [programs.system("setpriv"), "--pdeathsig", "KILL", "--", programs.system("setsid"), "--ctty"]


class Terminal:
    """streams: those of stdin (0), stdout (1) and stderr (2) that are the terminal; the others lead to /dev/null."""

    def __init__(self, argv, *, env, streams=(0, 1, 2), size=(50, 200)):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        ends = [slave if number in streams else subprocess.DEVNULL for number in (0, 1, 2)]
        leash = _LEASH if 0 in streams else _LEASH[:4]
        self.process = subprocess.Popen([*leash, *argv], env={"TERM": "dumb", **env},
                                        stdin=ends[0], stdout=ends[1], stderr=ends[2])
        os.close(slave)
        self.seen = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                piece = os.read(self.master, 4096)
            except OSError:  # EIO: no process has the other side open any more.
                return
            if not piece:
                return
            self.seen.extend(piece)

    @property
    def text(self):
        text = self.seen.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\a", "")
        # Shells move back over a space that they have written.
        return re.sub(r"[^\x08]\x08", "", text)

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, pattern, seconds=GENEROUS):
        """Waits until the shown text matches, and returns the match."""
        def shown_or_over():
            ended = self.process.poll() is not None and not self._reader.is_alive()
            found = re.search(pattern, self.text)
            if ended and not found:
                raise AssertionError(f"it ended before the terminal showed {pattern!r}")
            return found
        try:
            return eventually(f"the terminal shows {pattern!r}", shown_or_over, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text}") from None

    def finish(self, seconds=GENEROUS):
        """Waits for the end, and returns the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(GENEROUS)
        self._reader.join(GENEROUS)
        os.close(self.master)
