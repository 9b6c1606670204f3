"""Makes exchange after exchange through one listener, each time with a fault at another byte of the connection to the
edge."""
import http.client
import re
import socket
import struct
import time

from crash_checks import require
from crash_sweep import Tally
from harness.home import Home
from harness.listener import STARTED
from harness.origin import Origin
from harness.relay import Relay, Toll
from harness.waiting import eventually
from harness.web import Web
from network_sweep import check_struck

SIZE = 1000  # bytes that come out of a tunnel, or in a response
DATA = (bytes(range(251)) * (SIZE // 251 + 1))[:SIZE]
# The distance in bytes between two runs. Single bytes ("trickle") take their time.
STRIDES = {"cut": 1, "reset": 1, "trickle": 29}
SOON = 40  # seconds, because a listener notices a cut and does not wait for a timeout


class Kind:
    """A listener's command, its application, and an exchange through it."""

    def __init__(self, edge, home):
        self.prepare(edge)
        self.home = home
        home.plant_token(self.application)
        require(home.mayfly("login", "--batch", "-q", self.hostname).code == 0, "the application is not known")
        self.relay = Relay(edge.port)
        self.running = home.start(*self.command, "--hostname", self.hostname, "--url", "127.0.0.1:0",
                                  env={"MAYFLY_CONNECT_TO": self.relay.connect_to})
        self.port = int(self.running.wait_err(STARTED)[1].rsplit(":", 1)[1])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=SOON)

    def first(self):
        """Makes the beginning of an exchange, if one wait is enough."""
        return self.exchange()

    def complaints(self):
        return len(re.findall(r" ERR |a tunnel (?:to [^ ]+ )?ended: ", self.running.err))

    def stop(self):
        self.running.kill()
        self.relay.stop()
        self.end()

    def end(self):
        pass


class Tunnel(Kind):
    """Reads bytes to the end of a connection. The program cannot tell the end from a cut, but the listener logs a
    cut."""
    application, hostname = "echo", "echo.example.com"
    command = ("tcp",)

    def prepare(self, edge):
        edge.application("echo", origin=f"source:{SIZE}")

    def exchange(self):
        with self.connect() as connection:
            return self.received(connection)

    @staticmethod
    def received(connection):
        out = bytearray()
        try:
            while piece := connection.recv(1 << 16):
                out += piece
        except ConnectionError:
            pass
        return bytes(out)

    def check(self, out, before):
        require(DATA.startswith(out), f"other bytes came out: {out!r}")
        if not self.is_whole(out):
            eventually("the listener says that it was cut", lambda: self.complaints() > before)

    @staticmethod
    def is_whole(out):
        return out == DATA


class Socks(Tunnel):
    application, hostname = "bastion", "bastion.example.com"
    command = ("socks",)

    def prepare(self, edge):
        self.origin = Origin(lambda connection: connection.sendall(DATA))
        edge.application("bastion", hostname=self.hostname, origin="bastion")

    def exchange(self):
        with self.connect() as connection:
            connection.sendall(b"\x05\x01\x00\x05\x01\x00\x01" + socket.inet_aton("127.0.0.1") +
                               struct.pack(">H", self.origin.port))
            came = self.received(connection)
            reply, out = came[:12], came[12:]
            require(len(reply) == 12, f"no reply: {came!r}")
            require(reply[3] == 0 or out == b"", f"refused, and still: {out!r}")
            return out

    def end(self):
        self.origin.stop()


class Http(Kind):
    """Sends a request with a body, and then one over the kept connection. Each response is complete, or visibly not."""
    application, hostname = "wiki", "wiki.example.com"
    command = ("http",)
    body = b"question" * 50

    def prepare(self, edge):
        self.number = 0
        self.web = Web(self.answer)
        edge.application("wiki", hostname=self.hostname, origin=self.web.address)

    @staticmethod
    def answer(handler):
        if handler.command == "POST":
            return handler.say(200, DATA)
        handler.say(200, b"%x\r\n%s\r\n0\r\n\r\n" % (SIZE, DATA), Transfer_Encoding="chunked")

    def exchange(self, methods=("POST", "GET")):
        self.number += 1
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SOON)
        try:
            return [self.ask(client, method, self.body if method == "POST" else None) for method in methods]
        finally:
            client.close()

    def first(self):
        return self.exchange(methods=("POST",))

    def ask(self, client, method, body=None):
        """Returns status and body, or None if the program can tell that it has no complete response."""
        try:
            client.request(method, f"/{self.number}", body)
            answer = client.getresponse()
            return answer.status, answer.read()
        except (http.client.IncompleteRead, http.client.BadStatusLine, ConnectionError):
            client.close()
            return None

    def check(self, answers, _before):
        for answer in answers:
            if answer and answer[0] == 200:
                require(answer[1] == DATA, f"other bytes came out: {answer[1]!r}")
            elif answer:
                require(answer[0] in (502, 504) and answer[1].startswith(b"mayfly: "), f"{answer}")
        posts = [body for method, target, _, body in self.web.requests
                 if (method, target) == ("POST", f"/{self.number}")]
        require(len(posts) <= 1, "it was sent twice")
        require(not self.is_whole(answers) or posts == [self.body], f"another body was sent: {posts}")

    @staticmethod
    def is_whole(answers):
        return answers == [(200, DATA), (200, DATA)]

    def end(self):
        self.web.stop()


KINDS = {"tcp": Tunnel, "socks": Socks, "http": Http}


def _run(kind, toll):
    """Makes an exchange with connections of its own to the edge, and then another without a fault."""
    kind.relay.end_all()
    kind.relay.toll = toll
    before, began = kind.complaints(), time.monotonic()
    try:
        came = kind.exchange()
        require(time.monotonic() - began < SOON, f"it took {time.monotonic() - began:.0f} s")
        kind.check(came, before)
        kind.relay.end_all()
        kind.relay.toll = None
        require(kind.is_whole(kind.exchange()), "the next exchange fails")
    except TimeoutError as error:
        raise AssertionError(f"it hangs: {error}") from None
    return came


def _places(kind, stride):
    """Returns the bytes after which to apply the fault, in each direction: `stride` apart, up to the bytes of an
    undisturbed run."""
    for _ in range(2):  # The first handshake is longer than those that resume its session.
        kind.relay.end_all()
        require(kind.is_whole(kind.exchange()), "it does not even work without a fault")
    kind.relay.end_all()
    return [(way, at) for way, passed in kind.relay.forwarded.items() for at in range(0, passed + 1, stride)]


def sweep(edge, name, strides):
    """strides: the stride of each action."""
    edge.reset()
    home, tally = Home(edge), Tally()
    kind = KINDS[name](edge, home)
    try:
        for action, stride in strides.items():
            for way, at in _places(kind, stride):
                toll = Toll(way, at, action)
                tally.calls += 1
                try:
                    came = _run(kind, toll)
                    require(action != "trickle" or kind.is_whole(came), f"it was only slow: {came}")
                except AssertionError as error:
                    tally.broken.append(f"{action} after {at} bytes {way}: {error}\n{kind.running.err[-1000:]}")
                tally.happened += toll.paid
        return check_struck(tally)
    finally:
        kind.stop()
        home.remove()
