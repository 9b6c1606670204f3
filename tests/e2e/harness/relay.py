"""A TCP relay in front of the edge that disturbs connections as networks do.

It cannot look into TLS, but it sees the records (RFC 8446 section 5.1), and so knows the stages of a connection:

    accept      the connection exists, and nothing has been forwarded
    handshake   half of the server's first bytes have been forwarded
    request     the client's request has arrived, and has not been forwarded
    answer      the request has been forwarded, and of its answer only the head of a record

These actions are possible from then on: cut (end of the stream, without an alert of TLS), reset (RST), stall (nothing
is read or forwarded, and nothing ends), trickle (one byte at a time, both ways), delay (both ways). strike() applies an
action at any time, and a Toll applies it after a number of bytes.
"""
import collections
import select
import socket
import struct
import threading
import time

_APPLICATION_DATA = 23
_PIECE = 1 << 16
_LATENCY = 0.05
_LONG = 20  # seconds


class Records:
    """Counts the records of application data in a stream that arrives in pieces."""

    def __init__(self):
        self.count, self._head, self._skip = 0, b"", 0

    def feed(self, piece):
        while piece:
            if self._skip:
                taken = min(self._skip, len(piece))
                self._skip -= taken
                piece = piece[taken:]
                continue
            needed = 5 - len(self._head)
            self._head += piece[:needed]
            piece = piece[needed:]
            if len(self._head) == 5:
                kind, _, self._skip = struct.unpack(">BHH", self._head)
                self.count += kind == _APPLICATION_DATA
                self._head = b""


class Toll:
    """Once `bytes` have been forwarded in that direction ("up", "down") on all connections together, `action` is
    applied to the connection that carried the last of them."""

    def __init__(self, way, count, action):
        self.way, self.left, self.action = way, count, action
        self.paid = False

    def due(self):
        return not self.paid and self.left <= 0


class Way:
    """One direction of a connection: the bytes that were read and are not yet forwarded."""

    def __init__(self, source, sink, toll=None):
        self.source, self.sink, self.toll = source, sink, toll
        self.pieces = collections.deque()  # (the earliest time to forward, bytes)
        self.ended = self.done = self.stalled = False
        self.forwarded = 0

    def reads(self):
        return not self.ended and not self.stalled and sum(len(piece) for _, piece in self.pieces) < 4 * _PIECE

    def writes(self, now):
        return not self.stalled and bool(self.pieces) and self.pieces[0][0] <= now

    def forward(self, most):
        due, piece = self.pieces.popleft()
        if self.toll and not self.toll.paid:
            most = min(most, self.toll.left)
        sent = self.sink.send(piece[:most])
        self.forwarded += sent
        if self.toll:
            self.toll.left -= sent
        if sent < len(piece):
            self.pieces.appendleft((due, piece[sent:]))


class Link(threading.Thread):
    def __init__(self, client, server, fault, toll):
        super().__init__(daemon=True)
        self.client, self.server = client, server
        self.client_address = client.getpeername()[0]
        self.up = Way(client, server, toll if toll and toll.way == "up" else None)
        self.down = Way(server, client, toll if toll and toll.way == "down" else None)
        self._toll = toll
        self._stage, self._action = fault or ("", "")
        self._requests = Records()
        self._struck, self._strikes = socket.socketpair()
        self._orders = collections.deque()
        self._on_next_word = ""
        self._most, self._latency = _PIECE, 0
        self.over = False
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)

    # called from another thread

    def strike(self, action, when="now"):
        """when: "now", or "client speaks" (before the next bytes of the client are forwarded)."""
        self._orders.append((action, when))
        try:
            self._strikes.send(b"!")
        except OSError:
            pass  # The connection is over.

    # called in the thread of the connection

    def run(self):
        try:
            self._act_at("accept")
            while not self.over:
                self._turn()
        except OSError:
            pass
        finally:
            for end in (self.client, self.server, self._struck, self._strikes):
                end.close()
            self.over = True

    def _turn(self):
        if self._toll and self._toll.due():
            self._toll.paid = True
            self._act(self._toll.action)
            return
        now = time.monotonic()
        ways = (self.up, self.down)
        reads = [way.source for way in ways if way.reads()]
        writes = [way.sink for way in ways if way.writes(now)]
        dues = [way.pieces[0][0] - now for way in ways if way.pieces and not way.stalled and way.pieces[0][0] > now]
        ready, writable, _ = select.select([self._struck, *reads], writes, [], min(dues, default=None))
        if self._struck in ready:
            self._struck.recv(100)
            self._obey()
        for way in ways:
            if way.source in ready and not self.over and not way.stalled:
                self._read(way)
            if way.sink in writable and not self.over and not way.stalled:
                way.forward(self._most)
            if way.ended and not way.pieces and not way.done and not self.over:
                way.done = True
                way.sink.shutdown(socket.SHUT_WR)
        self.over = self.over or (self.up.done and self.down.done)

    def _obey(self):
        while self._orders:
            action, when = self._orders.popleft()
            if when == "now":
                self._act(action)
            else:
                self._on_next_word = action

    def _read(self, way):
        try:
            piece = way.source.recv(_PIECE)
        except (ConnectionResetError, BrokenPipeError):
            self.over = True
            return
        if not piece:
            way.ended = True
            return
        if way is self.up:
            self._from_client(piece)
        else:
            self._from_server(piece)
        if not self.over and not way.stalled:
            way.pieces.append((time.monotonic() + self._latency, piece))

    def _from_client(self, piece):
        before = self._requests.count
        self._requests.feed(piece)
        if self._on_next_word:
            self._act(self._on_next_word)
        elif before < 2 <= self._requests.count:  # The first of the two records ends the handshake.
            self._act_at("request")

    def _from_server(self, piece):
        if self.down.forwarded == 0 and self._stage == "handshake":
            self._act_after(piece[:len(piece) // 2])
        elif self._requests.count >= 2 and self._stage == "answer":
            self._act_after(piece[:5])

    def _act_after(self, beginning):
        if self._action not in ("trickle", "delay"):
            self.client.send(beginning)
        self._act_at(self._stage)

    def _act_at(self, stage):
        if stage == self._stage:
            self._stage = ""
            self._act(self._action)

    def _act(self, action):
        if action == "trickle":
            self._most = 1
        elif action == "delay":
            self._latency = _LATENCY
        elif action == "stall":
            self.up.stalled = self.down.stalled = True
        elif action == "stall up":
            self.up.stalled = True
        elif action == "cut":
            self._cut()
        else:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.over = True

    def _cut(self):
        """Sends the end of the stream to the client. Reads what the client still sends, so that no RST follows."""
        self.over = True
        self.server.close()
        self.client.shutdown(socket.SHUT_WR)
        self.client.settimeout(_LONG)
        ends = [self.client, self._struck]
        while self._struck not in select.select(ends, [], [], _LONG)[0] and self.client.recv(_PIECE):
            pass


class Relay:
    """fault: (stage, action) for every connection from now on, or None. toll: a Toll, or None."""

    def __init__(self, upstream_port, fault=None, toll=None, address="127.0.0.1"):
        self.upstream, self.fault, self.toll, self.address = upstream_port, fault, toll, address
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.create_server((address, 0), family=family)
        self.port = self.socket.getsockname()[1]
        self.links = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def connect_to(self):
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f":443:{host}:{self.port}"

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
                server = socket.create_connection(("127.0.0.1", self.upstream))
            except OSError:
                return
            self.links.append(Link(client, server, self.fault, self.toll))
            self.links[-1].start()

    def strike(self, action, when="now"):
        """Applies the action to the latest connection."""
        self.links[-1].strike(action, when)

    def end_all(self):
        """Resets all connections. `forwarded` then has the number of bytes since the last call."""
        links, self.links = self.links, []
        for link in links:
            link.strike("reset")
            link.join(_LONG)
        self.forwarded = {way: sum(getattr(link, way).forwarded for link in links) for way in ("up", "down")}

    def stop(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        for link in self.links:
            link.strike("reset")


class BlackHole:
    """A port at which connections are neither accepted nor refused: its queue is full, and the kernel drops SYNs."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(0)
        self.port = self.socket.getsockname()[1]
        self.connect_to = f":443:127.0.0.1:{self.port}"
        self._waiting = []
        while self._fill():
            pass

    def _fill(self):
        """Returns whether one more connection was accepted."""
        self._waiting.append(socket.socket())
        self._waiting[-1].settimeout(0.3)
        try:
            self._waiting[-1].connect(("127.0.0.1", self.port))
            return True
        except TimeoutError:
            return False

    def stop(self):
        for end in (self.socket, *self._waiting):
            end.close()
