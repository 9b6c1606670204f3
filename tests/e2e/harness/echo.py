"""A local program that sends back whatever comes out of a tunnel."""
import os
import queue
import threading


class Echo:
    """Pass `output` as stdout to the tunnel, and then call feed(its stdin). Echo reads at once, however much
    arrives."""

    def __init__(self):
        self._reader, self.output = os.pipe()
        self.heard = bytearray()
        self._waiting = queue.SimpleQueue()
        self._threads = []

    def feed(self, stdin):
        os.close(self.output)
        for work in (self._listen, lambda: self._speak(stdin)):
            self._threads.append(threading.Thread(target=work, daemon=True))
            self._threads[-1].start()

    def _listen(self):
        with os.fdopen(self._reader, "rb", buffering=0) as file:
            while piece := file.read(1 << 16):
                self.heard += piece
                self._waiting.put(piece)
        self._waiting.put(b"")

    def _speak(self, stdin):
        try:
            while piece := self._waiting.get():
                stdin.write(piece)
                stdin.flush()
        except (BrokenPipeError, ValueError):
            pass

    def finish(self, seconds=60):
        """Returns all the bytes that it has read, once the tunnel has ended."""
        for thread in self._threads:
            thread.join(seconds)
        return bytes(self.heard)
