"""The end of a local program: the far side learns of it within a second, and a program that has only finished sending
still gets its answer. With real programs: psql, redis-benchmark, nc, socat's way to start a program."""
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import memory, programs
from harness.http_case import HttpCase
from harness.listener import ListenerCase, receive
from harness.origin import Origin
from harness.postgres import Postgres
from harness.process import PIPE, Running
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import GENEROUS, eventually, stretched
from test_listener import free_port
from test_socks import SocksCase, by_address

LATE = 4  # seconds until the answer to a program that has finished sending
SOON = 1  # a second
PATIENT = ("--linger", "600")  # only a look at the local program ends the tunnel in time
HASTY = ("--linger", "1")


class Gone:
    """An origin that tells when its connections end, and what came before."""

    def __init__(self, case, greeting=b"hello"):
        self.case, self.greeting = case, greeting
        self.ended, self.received = threading.Event(), bytearray()
        origin = Origin(self._serve)
        case.addCleanup(origin.stop)
        self.address, self.port = origin.address, origin.port

    def _serve(self, connection):
        connection.sendall(self.greeting)
        while piece := connection.recv(1 << 16):
            self.received += piece
        self.ended.set()

    def assert_told(self, since):
        self.case.assertTrue(self.ended.wait(GENEROUS), "the far side learns of the end")
        self.case.assertLess(time.monotonic() - since, stretched(SOON))


def answers_late(connection):
    """Answers LATE seconds after the request. The edge's tunnel has no end of stream to pass on."""
    connection.recv(1 << 16)
    time.sleep(LATE)
    connection.sendall(b"late answer")


class LocalPrograms(ListenerCase):
    def at_unix_socket(self, *flags):
        path = os.path.join(self.home.path, "socket")
        running = self.listen("--url", f"unix:{path}", *flags)
        self.places(running)
        return path

    def nc(self, *words):
        return Running([programs.system("nc"), *words], env={}, stdin=PIPE)

    def assert_end_is_told(self, gone, client, end):
        client.write(b"x")
        client.wait_out(5)
        eventually("the far side has its byte", lambda: bytes(gone.received) == b"x")
        before = time.monotonic()
        end(client)
        gone.assert_told(before)

    def test_killed_client(self):
        for words in (("127.0.0.1",), ("-U",)):
            with self.subTest(words):
                gone = Gone(self)
                self.edge.application("echo", origin=gone.address)
                if words == ("-U",):
                    client = self.nc("-U", self.at_unix_socket(*PATIENT))
                else:
                    client = self.nc("127.0.0.1", str(self.at_free_port(*PATIENT)[1]))
                self.assert_end_is_told(gone, client, lambda client: client.send(signal.SIGKILL))

    def test_client_that_is_killed_after_it_has_finished_sending(self):
        gone = Gone(self)
        self.edge.application("echo", origin=gone.address)
        client = self.nc("-N", "127.0.0.1", str(self.at_free_port(*PATIENT)[1]))
        client.write(b"x")
        client.wait_out(5)
        client.close_stdin()  # nc -N then finishes sending
        eventually("the far side has its byte", lambda: bytes(gone.received) == b"x")
        self.assertFalse(gone.ended.wait(2), "the client waits for more")
        before = time.monotonic()
        client.send(signal.SIGKILL)
        gone.assert_told(before)

    def test_last_bytes_of_a_client_that_has_closed_are_delivered(self):
        """The listener sees the bytes and the end of the connection at once."""
        data = os.urandom(100_000)
        for kind in ("unix", "tcp"):
            with self.subTest(kind):
                gone = Gone(self)
                self.edge.application("echo", origin=gone.address)
                address = f"unix:{self.home.path}/socket" if kind == "unix" else "127.0.0.1:0"
                running = self.listen("--url", address, *PATIENT)
                place, = self.places(running)
                connection = (self.connect_unix(place.removeprefix("unix:")) if kind == "unix" else
                              self.connect(int(place.rsplit(":", 1)[1])))
                self.assertEqual(receive(connection, 5), b"hello")
                running.send(signal.SIGSTOP)
                connection.sendall(data)
                connection.close()
                running.send(signal.SIGCONT)
                self.assertTrue(gone.ended.wait(GENEROUS))
                self.assertTrue(bytes(gone.received) == data, f"{len(gone.received)} of {len(data)} bytes")

    def test_all_bytes_of_a_client_that_has_closed_arrive_at_a_slow_origin(self):
        """The client fills every buffer on the way and closes, before the origin reads."""
        for _ in range(8):
            received, ended, may_read = bytearray(), threading.Event(), threading.Event()

            def slow(connection):
                may_read.wait(GENEROUS)
                while piece := connection.recv(1 << 16):
                    received.extend(piece)
                ended.set()
            origin = Origin(slow)
            self.edge.application("echo", origin=origin.address)
            running, port = self.at_free_port()
            client, size = self.connect(port), 0
            client.settimeout(0.3)
            try:
                while True:
                    size += client.send(b"x" * 10_000)
            except TimeoutError:
                client.close()
            may_read.set()
            self.assertTrue(ended.wait(GENEROUS))
            self.assertEqual(len(received), size)
            running.kill()
            origin.stop()

    def test_late_answer_to_a_client_that_has_finished_sending(self):
        origin = Origin(answers_late)
        self.addCleanup(origin.stop)
        self.edge.application("echo", origin=origin.address)
        clients = [self.connect(self.at_free_port(*HASTY)[1]), self.connect_unix(self.at_unix_socket(*HASTY))]
        for client in clients:
            client.sendall(b"request")
            client.shutdown(socket.SHUT_WR)
        for client in clients:
            self.assertEqual(receive(client, 100), b"late answer")

    def test_client_whose_socket_another_process_holds_waits(self):
        """As inetd and shells do: the program that made the connection ends, and its child reads the answer."""
        origin = Origin(answers_late)
        self.addCleanup(origin.stop)
        self.edge.application("echo", origin=origin.address)
        client = self.connect(self.at_free_port(*HASTY)[1])
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        client.setblocking(True)  # cat expects this
        reader = subprocess.Popen([programs.system("cat")], stdin=client.fileno(), stdout=PIPE)
        self.addCleanup(reader.wait)
        client.close()
        self.assertEqual(reader.stdout.read(), b"late answer")
        reader.stdout.close()


class Programs(ListenerCase):
    def test_killed_psql_holds_its_lock_no_longer(self):
        database = Postgres(free_port())
        self.addCleanup(database.stop)
        self.edge.application("echo", origin=f"tcp:127.0.0.1:{database.port}")
        _, port = self.at_free_port(*PATIENT)
        self.assert_done(database.psql("-c", "CREATE TABLE account (amount int)"))
        holder = Running(database.psql_words(port=port), env={"PATH": "/usr/bin:/bin"}, stdin=PIPE)
        holder.write(b"BEGIN; LOCK TABLE account;\n\\echo locked\n")
        holder.wait_out(len("locked\n"))
        self.assertNotEqual(database.psql("-c", "BEGIN; LOCK TABLE account NOWAIT").code, 0)
        holder.send(signal.SIGKILL)
        self.assert_done(database.psql("-c", f"SET lock_timeout = '{stretched(SOON):.0f}s'; BEGIN; LOCK TABLE account"))

    def test_redis_benchmark_leaves_nothing(self):
        """A connection for each request, under the usual limit of 1,024 open files."""
        port = free_port()
        server = Running([programs.system("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "",
                          "--appendonly", "no"], env={}, cwd=self.home.path)
        eventually("redis listens", lambda: b"Ready to accept connections" in bytes(server.out))
        self.edge.application("echo", origin=f"tcp:127.0.0.1:{port}")
        limited = self.home.start("--nofile=1024:1024", programs.mayfly(), "access", "tcp", "--hostname", "echo.example.com",
                                  "--url", "127.0.0.1:0", *PATIENT, program=programs.system("prlimit"))
        listening = self.places(limited)[0].rsplit(":", 1)[1]
        descriptors = memory.count_descriptors(limited.pid) if memory.shows_descriptors() else None
        result = Running([programs.system("redis-benchmark"), "-p", listening, "-k", "0", "-n", "3000", "-c", "20", "-t",
                          "ping_mbulk", "-q"], env={}).finish(2 * GENEROUS)
        self.assertEqual(result.code, 0, result)
        self.assertIn(b"requests per second", result.out)
        eventually("no tunnel is left", lambda: self.edge.stats()["open_tunnels"] == 0, SOON)
        if descriptors is not None:
            # Idle, the event loop and the listener keep what they had; a login process of its own has none of them.
            eventually("no descriptor is left", lambda: memory.count_descriptors(limited.pid) <= descriptors + 1, SOON)
        self.assertNotRegex(limited.err, " (WRN|ERR) ")


class Stdio(TunnelCase):
    def test_end_of_input_ends_the_tunnel_after_the_time_to_linger(self):
        """`printf 'PING' | mayfly tcp`, at an origin that leaves the connection open."""
        for flags, seconds in ((HASTY, 1), ((), 5)):
            with self.subTest(flags):
                before = time.monotonic()
                result = self.assert_done(self.home.start(*ECHO, *flags, stdin=b"PING\r\n").finish())
                self.assertEqual(result.out, b"PING\r\n")
                self.assertGreaterEqual(time.monotonic() - before, seconds)
                self.assertLess(time.monotonic() - before, stretched(seconds + 3))

    def test_answer_within_the_time_to_linger(self):
        self.origin(answers_late)
        self.assertEqual(self.assert_done(self.home.start(*ECHO, stdin=b"request").finish()).out, b"late answer")

    def test_one_socket_as_input_and_output(self):
        """As inetd and socat start a program: its last bytes are delivered after the other end has closed."""
        data = os.urandom(100_000)
        gone = Gone(self)
        self.edge.application("echo", origin=gone.address)
        ours, theirs = socket.socketpair()
        running = subprocess.Popen([programs.mayfly(), *ECHO, *PATIENT], stdin=theirs, stdout=theirs, stderr=PIPE,
                                   env=self.home.environment())
        self.addCleanup(running.kill)
        theirs.close()
        ours.sendall(data)
        ours.close()
        self.assertTrue(gone.ended.wait(GENEROUS))
        self.assertTrue(bytes(gone.received) == data, f"{len(gone.received)} of {len(data)} bytes")
        self.assertEqual((running.wait(GENEROUS), running.stderr.read()), (0, b""))
        running.stderr.close()


class Socks(SocksCase):
    def test_killed_client_and_late_answer(self):
        gone, late = Gone(self, b""), Origin(answers_late)
        self.addCleanup(late.stop)
        _, port = self.at_free_port(*PATIENT)
        client = self.assert_open(port, by_address("127.0.0.1", gone.port))
        client.sendall(b"x")
        eventually("the far side has its byte", lambda: bytes(gone.received) == b"x")
        before = time.monotonic()
        client.close()
        gone.assert_told(before)
        _, port = self.at_free_port(*HASTY)
        client = self.assert_open(port, by_address("127.0.0.1", late.port))
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(client, 100), b"late answer")


class Http(HttpCase):
    FRAME = b"\x82\x87\0\0\0\0request"  # RFC 6455 section 5.2: a masked binary frame, whose mask is zero

    def upgraded(self, port):
        connection = self.connect(port)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        self.assert_upgraded(connection)
        return connection

    def test_late_message_after_the_program_has_finished_sending(self):
        origin = Origin(answers_late)
        self.addCleanup(origin.stop)
        self.edge.application("wiki", origin=origin.address)
        connection = self.upgraded(self.at_free_port()[1])
        connection.sendall(self.FRAME)
        connection.shutdown(socket.SHUT_WR)
        self.assertTrue(receive(connection, 2 + len(b"late answer")).startswith(b"\x82\x0blate answer"))

    def test_upgraded_connection_of_a_program_that_is_gone(self):
        gone = Gone(self)
        self.edge.application("wiki", origin=gone.address)
        connection = self.upgraded(self.at_free_port()[1])
        self.assertEqual(receive(connection, 7), b"\x82\x05hello")
        for end in (lambda: connection.shutdown(socket.SHUT_WR), connection.close):
            self.assertFalse(gone.ended.is_set())
            before = time.monotonic()
            end()
        gone.assert_told(before)

    @unittest.skipUnless(memory.shows_descriptors(), "nobody can count its descriptors")
    def test_killed_curl_that_waited_for_an_answer(self):
        let_go, asked = threading.Event(), threading.Semaphore(0)
        self.addCleanup(let_go.set)

        def answer(handler):
            asked.release()
            let_go.wait(GENEROUS)
            handler.close_connection = True
        self.web(answer)
        running, port = self.at_free_port()
        before = memory.count_descriptors(running.pid)
        for _ in range(3):
            curl = Running([programs.system("curl"), "-sS", f"http://127.0.0.1:{port}/"], env={})
            self.assertTrue(asked.acquire(timeout=GENEROUS))
            curl.send(signal.SIGKILL)
            curl.finish()
            eventually("nothing is left of it", lambda: memory.count_descriptors(running.pid) == before, SOON)
        self.assertNotIn("ERR", running.err)
