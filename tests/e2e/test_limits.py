"""Listeners with masses of connections, or with incomplete requests: the memory for them is bounded, complete requests
are served, and all of the memory is given back."""
import re
import resource
import socket
import struct
import threading
import unittest

from harness import memory, programs
from harness.http_case import HttpCase
from harness.listener import ListenerCase, abort, receive
from harness.waiting import GENEROUS, eventually

MANY = 3000
TUNNELS = 1000  # Each tunnel costs the test edge a connection too.
FEW = 64  # the places with 256 descriptors: two for each connection, and 128 for the rest
DESCRIPTORS = 256
MIB = 1 << 20
TURNED_AWAY = "ERR a local program was turned away: {} connections are open"


def resident(pid):
    """Returns the bytes of memory of the process itself, without libraries and mapped files."""
    return int(memory.status_of(pid)["RssAnon"].split()[0]) * 1024


class LimitCase(ListenerCase):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 3 * MANY:
            self.skipTest(f"the hard limit of open files is {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3 * MANY), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def with_few_descriptors(self, *command):
        """Starts a listener with a low limit of open files. Returns the listener and its port."""
        limit = f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"
        running = self.home.start(limit, programs.mayfly(), *command, "--url", "127.0.0.1:0",
                                  program=programs.system("prlimit"))
        return running, int(self.places(running)[0].rsplit(":", 1)[1])

    def crowd(self, port, count, said=b""):
        """Makes that many connections, each of which sends `said`. All stay open until the test ends."""
        connections = []
        for _ in range(count):
            connection = self.connect(port)
            try:
                connection.sendall(said)
            except OSError:
                pass  # The listener closed this connection to make room.
            connections.append(connection)
        return connections

    def assert_shortage_is_told(self, running, names=""):
        """Checks that each error is told as what it is, with its cure, and that it names the destination."""
        errors = [line for line in running.err.splitlines() if " ERR " in line]
        self.assertTrue(errors, running.err)
        self.assertRegex(running.err, "Too many open files.* hint=.*ulimit -n")
        for line in errors:
            self.assertRegex(line, names or " ERR ")
            self.assertNotRegex(line, "is not known|check the network")

    def descriptors_held(self, running):
        return memory.count_descriptors(running.pid) if memory.shows_descriptors() else 0

    def assert_recovers(self, running, before, kept=16 * MIB):
        """Checks that the descriptors are as before the crowd, and the memory nearly so: the event loop keeps a state
        for each descriptor of the largest crowd."""
        descriptors, held = before
        eventually("its descriptors are free", lambda: self.descriptors_held(running) <= descriptors)
        eventually("its memory is given back", lambda: resident(running.pid) <= held + kept, seconds=20)

    def measures(self, running):
        return self.descriptors_held(running), resident(running.pid)

    def close_all(self, connections):
        for connection in connections:
            connection.close()

    def ended_of(self, connections):
        """Returns how many of the connections the listener has closed."""
        ended = 0
        for connection in connections:
            connection.setblocking(False)
            try:
                ended += connection.recv(1) == b""
            except BlockingIOError:
                pass
            except OSError:
                ended += 1
        return ended

    def proxied(self, port, destination=b"db.internal"):
        """Returns the connection after a SOCKS5 handshake has opened a tunnel, or None if it was closed before."""
        connection = self.connect(port)
        try:
            connection.sendall(b"\x05\x01\x00\x05\x01\x00\x03" + bytes([len(destination)]) + destination +
                               struct.pack(">H", 22))
            return connection if receive(connection, 12)[2:4] == b"\x05\x00" else None
        except OSError:
            return None


class Http(LimitCase, HttpCase):
    def half_a_request(self, size):
        return b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * size

    @unittest.skipIf(programs.is_instrumented(), "its memory is not its own")
    def test_thousands_of_long_half_open_requests(self):
        running, port = self.at_free_port()
        self.assertEqual(self.get(port)[0], 200)
        before = self.measures(running)
        peak = 0
        crowd = []
        for _ in range(10):
            crowd += self.crowd(port, MANY // 10, self.half_a_request(60_000))
            self.assertEqual(self.get(port)[0], 200)
            peak = max(peak, resident(running.pid))
        self.assertLess(peak - before[1], 64 * MIB)
        self.assertGreater(self.ended_of(crowd), MANY // 2)
        self.close_all(crowd)
        self.assert_recovers(running, before)
        self.assertEqual(self.get(port)[0], 200)

    @unittest.skipIf(programs.is_instrumented(), "its memory is not its own")
    def test_thousands_that_say_nothing(self):
        running, port = self.at_free_port()
        self.assertEqual(self.get(port)[0], 200)
        before = self.measures(running)
        crowd = self.crowd(port, MANY)
        self.assertEqual(self.get(port)[0], 200)
        self.assertLess(resident(running.pid) - before[1], MANY * 16 * 1024)
        self.assertEqual(self.ended_of(crowd), 0)
        self.close_all(crowd)
        self.assert_recovers(running, before, 5 * MIB)

    def test_oldest_half_open_makes_room(self):
        running, port = self.with_few_descriptors("http", "--hostname", "wiki.example.com")
        crowd = self.crowd(port, 2 * FEW, b"GET / HTTP/1.1\r\n")
        self.assertEqual(self.get(port)[0], 200)
        eventually("the oldest are ended", lambda: self.ended_of(crowd[:FEW]) == FEW)
        self.assertGreater(FEW, self.ended_of(crowd[FEW:]))
        self.assertNotIn("turned away", running.err)

    def test_idle_connections_make_room(self):
        _, port = self.with_few_descriptors("http", "--hostname", "wiki.example.com")
        kept = self.crowd(port, FEW, b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
        for connection in kept:
            self.assertTrue(connection.recv(1 << 16).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(self.get(port)[0], 200)

    def test_more_requests_than_can_be_served_at_once(self):
        """Additional programs are told to try again; requests that are being served go on."""
        let_go = threading.Event()
        self.addCleanup(let_go.set)
        self.web(lambda handler: (let_go.wait(GENEROUS), handler.say(200, b"late"))[1])
        running, port = self.with_few_descriptors("http", "--hostname", "wiki.example.com")
        served = self.crowd(port, FEW, b"GET / HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
        eventually("all are served", lambda: len(self.requests()) >= FEW or
                   memory.shows_descriptors() and self.descriptors_held(running) >= 2 * FEW)
        status, headers, body = self.get(port)
        self.assertEqual((status, headers["Retry-After"]), (503, "1"), body)
        running.wait_err(TURNED_AWAY.format(FEW))
        for _ in range(20):
            self.assertEqual(self.get(port)[0], 503)
        self.assertEqual(len(re.findall("turned away", running.err)), 1, "it is not said for each")
        let_go.set()
        for connection in served:
            self.assertTrue(receive(connection, MIB).startswith(b"HTTP/1.1 200 "))
        eventually("there is room again", lambda: self.get(port)[0] == 200)

    @unittest.skipIf(programs.is_instrumented(), "its memory is not its own")
    def test_requests_that_wait_for_a_login(self):
        """The memory for them is bounded too."""
        self.home.install_idle_browser()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        running, port = self.at_free_port()
        before = self.measures(running)
        request = self.half_a_request(50_000).replace(b"127.0.0.1", b"127.0.0.1:%d" % port) + b"\r\n\r\n"
        crowd = self.crowd(port, 1000, request)
        running.wait_err("cdn-cgi/access/cli")
        eventually("some are told to try again", lambda: self.ended_with_503(crowd))
        self.assertLess(resident(running.pid) - before[1], 160 * MIB)
        for connection in crowd:
            abort(connection)
        self.assert_recovers(running, before)

    @staticmethod
    def ended_with_503(connections):
        for connection in connections:
            connection.setblocking(False)
            try:
                if connection.recv(100, socket.MSG_PEEK).startswith(b"HTTP/1.1 503 "):
                    return True
            except OSError:
                pass
        return False


class Tunnels(LimitCase):
    def test_more_connections_than_places(self):
        running, port = self.with_few_descriptors("access", "tcp", "--hostname", "echo.example.com")
        tunnels = [self.assert_echo(self.connect(port)) for _ in range(FEW)]
        for _ in range(20):
            self.assertIn(self.ended_at_once(self.connect(port)), (b"", None))
        running.wait_err(TURNED_AWAY.format(FEW))
        self.assertEqual(len(re.findall("turned away", running.err)), 1, "it is not said for each")
        for tunnel in tunnels[1:]:
            self.assert_echo(tunnel)
        tunnels[0].close()
        eventually("there is room again", lambda: self.echoes(port))

    @staticmethod
    def ended_at_once(connection):
        try:
            return connection.recv(1)
        except ConnectionResetError:
            return None

    def echoes(self, port):
        connection = self.connect(port)
        try:
            connection.sendall(b"x")
            return connection.recv(1) == b"x"
        except OSError:
            return False

    @unittest.skipIf(programs.is_instrumented(), "its memory is not its own")
    def test_thousands_that_say_nothing(self):
        running, port = self.at_free_port()
        self.assert_echo(self.connect(port)).close()
        before = self.measures(running)
        crowd = []
        # A thousand TLS handshakes at once would take longer than a client waits, on a busy machine.
        while len(crowd) < TUNNELS:
            crowd += self.crowd(port, 50)
            eventually("all have their tunnel", lambda: self.edge.stats()["tunnels"] >= len(crowd))
        self.assert_echo(self.connect(port)).close()
        self.assertLess(resident(running.pid) - before[1], TUNNELS * 48 * 1024)
        self.close_all(crowd)
        self.assert_recovers(running, before)
        self.assert_echo(self.connect(port))

    def test_no_descriptors_left(self):
        """The listener pauses and goes on. The log says so once, and the listener uses no processor time."""
        limit = "--nofile=40:40"
        running = self.home.start(limit, programs.mayfly(), "access", "tcp", "--hostname", "echo.example.com",
                                  "--url", "127.0.0.1:0", program=programs.system("prlimit"))
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        crowd = self.crowd(port, 60, b"x")
        running.wait_err("ERR cannot ")
        self.assertFalse(running.has_ended())
        self.assert_shortage_is_told(running)
        self.close_all(crowd)
        eventually("it serves again", lambda: self.echoes(port))
        self.assertLess(len(re.findall("cannot accept a connection", running.err)), 3)


class Socks(LimitCase):
    def setUp(self):
        super().setUp()
        self.edge.application("bastion", hostname="bastion.example.com", origin="echo")
        self.know("bastion")

    def listen(self, *flags, host="bastion.example.com", **more):
        return self.home.start("socks", "--hostname", host, *flags, **more)

    def test_oldest_handshake_makes_room(self):
        running, port = self.with_few_descriptors("socks", "--hostname", "bastion.example.com")
        crowd = self.crowd(port, 2 * FEW, b"\x05\x01\x00\x05")
        self.assertIsNotNone(self.proxied(port))
        eventually("the oldest are ended", lambda: self.ended_or_greeted(crowd[:FEW]) == FEW)
        self.assertNotIn("turned away: 64", running.err)

    def test_no_descriptors_left(self):
        """It is no fault of the network, nor of the name; and each message says which destination was meant."""
        running = self.home.start("--nofile=40:40", programs.mayfly(), "socks", "--hostname", "bastion.example.com",
                                  "--url", "127.0.0.1:0", program=programs.system("prlimit"))
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        words = b"\x05\x01\x00" + b"\x05\x01\x00\x03\x0bdb.internal\x00\x16"
        crowd = self.crowd(port, 60, words)
        running.wait_err("Too many open files")
        self.assert_shortage_is_told(running, "db.internal:22: |cannot accept")
        self.close_all(crowd)

    def ended_or_greeted(self, connections):
        for connection in connections:
            connection.setblocking(False)
            try:
                connection.recv(2)  # the answer to the greeting, if the connection is still open
            except OSError:
                pass
        return self.ended_of(connections)

    @unittest.skipIf(programs.is_instrumented(), "its memory is not its own")
    def test_thousands_of_half_open_handshakes(self):
        running, port = self.at_free_port()
        self.proxied(port).close()
        before = self.measures(running)
        crowd = self.crowd(port, MANY, b"\x05\x01\x00\x05\x01\x00\x03\xff" + b"a" * 100)
        connection = self.proxied(port)
        self.assertIsNotNone(connection)
        connection.close()
        self.assertLess(resident(running.pid) - before[1], MANY * 16 * 1024)
        self.close_all(crowd)
        self.assert_recovers(running, before)
        self.assertIsNotNone(self.proxied(port))
