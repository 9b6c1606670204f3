"""Listeners that log in while a connection waits, to be killed or failed at any moment."""
import os
import re
import socket

import crash_logs
from crash_checks import require
from crash_scenario import Scenario
from harness.injection import terminate
from harness.visit import ECHO, VISITS, add_bastion
from harness.waiting import eventually

PLACE = "TUNNEL_SERVICE_URL"


class Visitor:
    """Connects as soon as the listener listens, sends something, and logs in when mayfly asks for a login."""

    def __init__(self, home, running, words, answer):
        self.home, self.running, self.words, self.answer = home, running, words, answer
        self.place = home.variables[PLACE]
        self.connection, self.heard, self.signed_in = None, b"", set()

    def visit(self):
        """Returns the bytes that came back."""
        self._stay()
        self._leave()
        return self.heard

    def visit_last(self):
        """Ends the listener before the connection ends, so that the calls of each run have one order."""
        self._stay()
        terminate(self.running)
        self._leave()
        return self.heard

    def _stay(self):
        eventually("the visitor is answered, or left", self._is_over)
        if self.answer not in self.heard:
            eventually("it ends, or says why", lambda: self.running.has_ended() or re.search(r" (ERR|WRN) .* hint=", self.running.err))

    def _leave(self):
        if self.connection:
            self.connection.close()

    def _is_over(self):
        if self.running.has_ended():
            return True
        if self.connection is None:
            self._connect()
            return False
        self._sign_in()
        return self._listen()

    def _connect(self):
        is_unix = self.place.startswith("unix:")
        connection = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
        try:
            connection.connect(self.place[5:] if is_unix else ("127.0.0.1", int(self.place.rpartition(":")[2])))
            connection.sendall(self.words)
            connection.setblocking(False)
            self.connection = connection
        except OSError:
            connection.close()

    def _sign_in(self):
        for url in set(re.findall(r"https://\S+/cdn-cgi/access/cli\?\S+(?=\s)", self.running.err)) - self.signed_in:
            self.signed_in.add(url)
            self.home.edge.sign_in(url)

    def _listen(self):
        try:
            piece = self.connection.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self.heard += piece
        return not piece or self.answer in self.heard


def _done(answer, name):
    def done(home, output):
        require(answer in output, f"the visitor heard {output!r}")
        require(home.token_name(name) in home.files(), "no token was stored")
        require(not os.path.lexists(_socket(home)), "the socket was left behind")
    return done


# Each byte takes five in the log, so the line is longer than a page.
BYTES = b"\xff" * 1024
LOGS = ("--log-level", "debug", "--debug-stream", "3", "--log-directory", crash_logs.FOLDER)


def _socket(home):
    return os.path.join(home.path, "socket")


def _at_a_socket(home):
    os.unlink(os.path.join(home.bin, "xdg-open"))  # The visitor signs in, and no browser.
    os.mkdir(os.path.join(home.path, crash_logs.FOLDER))
    home.variables[PLACE] = "unix:" + _socket(home)


def _at_a_port(home):
    """The same port for each start."""
    os.unlink(os.path.join(home.bin, "xdg-open"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        home.variables[PLACE] = f"127.0.0.1:{probe.getsockname()[1]}"


def _with_a_bastion(home):
    add_bastion(home.edge)
    _at_a_port(home)


def _without_stale_socket(home):
    if os.path.lexists(_socket(home)):
        os.unlink(_socket(home))


def _visited(kind):
    def meanwhile(home, running):
        words = VISITS[kind].words(home.edge, home.variables[PLACE])
        return Visitor(home, running, words, VISITS[kind].answer).visit_last()
    return meanwhile


def _visited_with_bytes(home, running):
    return Visitor(home, running, BYTES, BYTES).visit_last()


def _listener(kind, prepare):
    one = VISITS[kind]
    return Scenario((kind, "--hostname", one.host), prepare, _done(one.answer, one.of), meanwhile=_visited(kind))


SCENARIOS = {
    "tcp": Scenario(("tcp", *LOGS, "--hostname", ECHO), _at_a_socket, _done(BYTES, "echo"), before_each=_without_stale_socket,
                    meanwhile=_visited_with_bytes, holds=crash_logs.messages),
    "http": _listener("http", _at_a_port),
    "socks": _listener("socks", _with_a_bastion),
}
