"""A relay in front of the edge that holds everything back from one moment on, until it is told to go on."""
import socket
import threading

_PIECE = 1 << 16


class Turnstile:
    """Counts moments: each new connection is one, and so is each piece that the edge sends. Holds back what belongs
    to moment number `hold` and, with it, its connection; what the client sends meanwhile is forwarded. Connections
    that come later wait, too."""

    def __init__(self, upstream_port, hold):
        self.upstream, self.hold = upstream_port, hold
        self.moments, self.lock = 0, threading.Lock()
        self.held, self.released = threading.Event(), threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.connect_to = f":443:127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def go_on(self):
        self.released.set()

    def stop(self):
        self.released.set()
        try:
            self.listening.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listening.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _must_wait(self):
        with self.lock:
            self.moments += 1
            if self.moments == self.hold:
                self.held.set()
        return self.held.is_set() and not self.released.is_set()

    def _serve(self, client):
        try:
            if self._must_wait():
                self.released.wait()
            with client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
                self._relay(client, server)
        except OSError:
            pass  # One of the two has ended the connection.

    def _relay(self, client, server):
        up = threading.Thread(target=self._forward, args=(client, server), daemon=True)
        up.start()
        while piece := server.recv(_PIECE):
            if self._must_wait():
                self.released.wait()
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)
        up.join()

    @staticmethod
    def _forward(source, sink):
        try:
            while piece := source.recv(_PIECE):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # One of the two has ended the connection.
