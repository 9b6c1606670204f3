"""Networks that delay, cut, stall, reset and trickle, at each stage of a connection."""
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

import network_sweep
from harness import programs
from harness.case import DONE, NETWORK, EdgeCase, shared_edge
from harness.home import Home
from harness.process import PIPE
from harness.relay import BlackHole, Relay
from harness.tunnel import ECHO, TunnelCase
from harness.usage import most_memory, processor_seconds
from harness.waiting import GENEROUS, eventually

STAGES = ("accept", "handshake", "request", "answer")
LATE = 10  # seconds that a busy machine may add to a deadline


class NetworkCase(TunnelCase):
    def relay(self, fault=None):
        relay = Relay(self.edge.port, fault)
        self.addCleanup(relay.stop)
        return relay

    def through(self, place, *flags, **more):
        return self.open(*flags, env={"MAYFLY_CONNECT_TO": place.connect_to}, **more)

    def assert_out_of_reach(self, result, *words):
        """Checks that no tunnel opened: the message has a cause and a hint, and no byte is on stdout."""
        self.assert_error(result, NETWORK, "echo.example.com", *words)

    def assert_cut(self, result, sent, received, *words):
        """Checks a tunnel that was cut: one line has the exact counts."""
        self.assertEqual(result.code, NETWORK, result)
        line, = [line for line in result.err.splitlines() if line.startswith("mayfly: error: ")]
        self.assertIn(f" {sent} bytes sent, {received} received, close code 1006", line)
        for word in words:
            self.assertIn(word, line)
        self.assert_printable(result.err)


class BeforeTheTunnel(NetworkCase):
    def test_cut_and_reset(self):
        for stage in STAGES:
            for action in ("cut", "reset"):
                with self.subTest(stage=stage, action=action):
                    before = self.home.snapshot()
                    self.assert_out_of_reach(self.through(self.relay((stage, action))).finish())
                    self.assert_unchanged(before)

    def test_trickle_and_delay(self):
        data = bytes(range(256)) * 4
        for action in ("trickle", "delay"):
            with self.subTest(action):
                running = self.through(self.relay(("accept", action)), stdin=PIPE)
                running.write(data)
                self.assertEqual(running.wait_out(len(data)), data)
                self.hang_up(running)

    def test_requests_that_are_cut_or_reset(self):
        """The same for the requests by libcurl: metadata, keys, the signer."""
        self.know("ssh")
        self.home.plant_token("web")
        for arguments in (("login", "--batch", "web.example.com"),
                          ("ssh-gen", "--batch", "--hostname", "ssh.example.com")):
            for stage in STAGES:
                for action in ("cut", "reset"):
                    with self.subTest(arguments[0], stage=stage, action=action):
                        before = self.home.snapshot()
                        place = self.relay((stage, action)).connect_to
                        result = self.home.mayfly(*arguments, env={"MAYFLY_CONNECT_TO": place})
                        self.assert_error(result, NETWORK)
                        self.assert_unchanged(before)

    def test_requests_that_trickle(self):
        place = self.relay(("accept", "trickle")).connect_to
        self.know("ssh")
        self.assert_done(self.home.mayfly("ssh-gen", "--batch", "--hostname", "ssh.example.com",
                                          env={"MAYFLY_CONNECT_TO": place}))
        self.assertIn("ssh.example.com-cf_key-cert.pub", self.home.files())

    def test_every_wait_has_a_deadline(self):
        """All waits run at once, because each takes its 15 seconds."""
        hole = BlackHole()
        self.addCleanup(hole.stop)
        waits = {"connecting": hole, **{stage: self.relay((stage, "stall")) for stage in STAGES}}
        began = time.monotonic()
        running = {stage: self.through(place) for stage, place in waits.items()}
        # The processes sleep while they wait, at least for half of the time.
        eventually("half of it is over", lambda: time.monotonic() > began + 7)
        spent = {stage: processor_seconds(one.pid) for stage, one in running.items()}
        eventually("some more is over", lambda: time.monotonic() > began + 12)
        for stage, one in running.items():
            with self.subTest(stage):
                self.assertFalse(one.has_ended(), "a slow server is given 15 s")
                self.assertLess(processor_seconds(one.pid) - spent[stage], 0.3, "it is busy waiting")
        for stage, one in running.items():
            with self.subTest(stage):
                result = one.finish()
                self.assert_out_of_reach(result, "timed out")
                self.assertLess(time.monotonic() - began, 15 + LATE)


class InTheTunnel(NetworkCase):
    def established(self, *flags):
        """Opens a tunnel through which five bytes went up and down."""
        relay = self.relay()
        running = self.through(relay, *flags)
        running.write(b"ready")
        running.wait_out(5)
        return running, relay

    def test_cut_and_reset(self):
        for action, word in (("cut", "cut"), ("reset", "reset")):
            with self.subTest(action):
                running, relay = self.established()
                relay.strike(action)
                result = running.finish(20)
                self.assert_cut(result, 5, 5, word)
                self.assertEqual(result.out, b"ready")

    def test_cut_under_load(self):
        """The counts of the message are exactly the bytes that came out."""
        self.edge.application("echo", origin="source:100000000")
        for action in ("cut", "reset"):
            with self.subTest(action):
                relay = self.relay()
                running = self.through(relay)
                running.wait_out(1 << 20)
                relay.strike(action)
                result = running.finish(30)
                self.assert_cut(result, 0, len(result.out))
                self.assertTrue(result.out == (bytes(range(251)) * (len(result.out) // 251 + 1))[:len(result.out)])

    def test_ends_at_any_byte(self):
        """This is a part: `tests/reliability/run cuts` covers every byte, and requests too."""
        tally = network_sweep.sweep_tunnel(self.edge, 149)
        self.assertGreater(tally.happened, 20)
        self.assertEqual(tally.broken, [])

    def test_peer_that_stalls_is_found_dead(self):
        running, relay = self.established("--ping-interval", "1")
        began = time.monotonic()
        relay.strike("stall")
        result = running.finish(GENEROUS)
        self.assert_cut(result, 5, 5, "two pings were not answered")
        self.assertGreater(time.monotonic() - began, 1, "it was not given the time of two pings")

    def test_trickle_and_delay(self):
        for action in ("trickle", "delay"):
            with self.subTest(action):
                running, relay = self.established("--ping-interval", "1")
                relay.strike(action)
                data = os.urandom(3000)
                running.write(data)
                self.assertEqual(running.wait_out(5 + len(data)), b"ready" + data)
                self.hang_up(running)

    def test_while_it_closes(self):
        """mayfly does not wait long for the answer to a Close, and no byte that was sent is lost."""
        for action in ("cut", "reset", "stall", "trickle"):
            with self.subTest(action):
                running, relay = self.established()
                relay.strike(action, when="client speaks")
                running.send(signal.SIGTERM)
                began = time.monotonic()
                result = running.finish(GENEROUS)
                self.assertLess(time.monotonic() - began, LATE)
                self.assertEqual((result.code, result.out), (DONE, b"ready"), result)

    def test_close_of_the_peer_that_is_not_answered(self):
        running, relay = self.established()
        relay.strike("stall up")
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish(20))

    def test_listener_outlives_its_tunnels(self):
        """Each connection ends for itself; the next one works as if nothing had happened."""
        relay = self.relay()
        running = self.home.start("access", "tcp", "--hostname", "echo.example.com", "--url", "127.0.0.1:0",
                                  "--ping-interval", "1", env={"MAYFLY_CONNECT_TO": relay.connect_to})
        port = int(running.wait_err(r"listener host=127\.0\.0\.1:(\d+)")[1])
        for action in ("reset", "cut", "stall", "none"):
            with self.subTest(action), socket.create_connection(("127.0.0.1", port), timeout=GENEROUS) as local:
                local.sendall(b"through")
                self.assertEqual(local.recv(7, socket.MSG_WAITALL), b"through")
                if action != "none":
                    relay.strike(action)
                    self.assertEqual(local.recv(1), b"")
        self.assertFalse(running.has_ended())
        self.assertEqual(running.err.count("a tunnel ended: "), 3, running.err)


class Sleep(NetworkCase):
    """A machine that sleeps: everything stands still for longer than a peer may be silent."""

    def sleepers(self):
        """Tunnels that all sleep through three deadlines, while some of their peers go away."""
        talker = self.edge.application("talker", hostname="talker.example.com", origin="echo",
                                       websocket={"ping_interval": 1})
        self.know("talker")
        relays = {name: self.relay() for name in ("silent", "talking", "reset", "stall")}
        hosts = {"talking": talker["hostname"]}
        found = {name: self.home.start("ssh", "--hostname", hosts.get(name, "echo.example.com"), "--ping-interval",
                                       "1", stdin=PIPE, env={"MAYFLY_CONNECT_TO": relay.connect_to})
                 for name, relay in relays.items()}
        for running in found.values():
            running.write(b"ready")
            running.wait_out(5)
            running.send(signal.SIGSTOP)
        for action in ("reset", "stall"):
            relays[action].strike(action)
        began = time.monotonic()
        eventually("they have slept through three deadlines", lambda: time.monotonic() > began + 7)
        for running in found.values():
            running.send(signal.SIGCONT)
        return found

    def test_tunnels_after_the_sleep(self):
        found = self.sleepers()
        for name in ("silent", "talking"):
            with self.subTest(name):
                found[name].write(b"awake")
                self.assertEqual(found[name].wait_out(10), b"readyawake")
        for name, word in (("reset", "reset"), ("stall", "two pings")):
            with self.subTest(name):
                self.assert_cut(found[name].finish(), 5, 5, word)
        self.hang_up(found["silent"])


class Memory(NetworkCase):
    """The fast side is held up, however slow the other side is, and no data piles up in mayfly."""

    most = 16 << 20  # bytes of growth
    in_flight = 64 << 20  # bytes that the kernels may hold between the two ends

    def held_up(self, moved):
        """Waits until `moved` no longer grows. Returns its value."""
        last = [-1, 0.0]

        def stands_still():
            if time.monotonic() < last[1] + 0.5:
                return False
            before, last[:] = last[0], [moved(), time.monotonic()]
            return last[0] == before
        eventually("nothing moves", stands_still)
        return last[0]

    def assert_bounded(self, running, before, connections=1):
        grown = most_memory(running.pid) - before
        if programs.is_instrumented():
            return  # The freed memory that a sanitizer holds back exceeds all this.
        self.assertLess(grown, self.most + connections * (1 << 20), "it has grown")

    def assert_asleep(self, running):
        began, spent = time.monotonic(), processor_seconds(running.pid)
        eventually("two seconds are over", lambda: time.monotonic() > began + 2)
        self.assertLess(processor_seconds(running.pid) - spent, 0.3, "it is busy waiting")

    def test_reader_that_does_not_read(self):
        self.edge.application("echo", origin="source:2000000000")
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        running = self.open(stdout=writer)
        os.close(writer)
        self.assertEqual(os.read(reader, 1), b"\x00")
        before = most_memory(running.pid)
        sent = self.held_up(lambda: self.edge.ask("GET", "/tunnels")[0]["bytes_out"])
        self.assertLess(sent, self.in_flight)
        self.assert_bounded(running, before)
        self.assert_asleep(running)

    def test_peer_that_does_not_read(self):
        relay = self.relay()
        running = self.through(relay)
        running.write(b"ready")
        running.wait_out(5)
        relay.strike("stall up")
        before, taken = most_memory(running.pid), [0]

        def feed():
            try:
                while taken[0] < self.in_flight:
                    taken[0] += os.write(running.process.stdin.fileno(), bytes(1 << 16))
            except OSError:
                pass  # The test is over.
        threading.Thread(target=feed, daemon=True).start()
        self.assertLess(self.held_up(lambda: taken[0]), self.in_flight)
        self.assert_bounded(running, before)
        self.assert_asleep(running)
        running.kill()

    def test_connections_of_a_listener_that_do_not_read(self):
        self.edge.application("echo", origin="source:2000000000")
        running = self.home.start("access", "tcp", "--hostname", "echo.example.com", "--url", "127.0.0.1:0")
        port = int(running.wait_err(r"listener host=127\.0\.0\.1:(\d+)")[1])
        before, count = most_memory(running.pid), 10
        for _ in range(count):
            local = socket.create_connection(("127.0.0.1", port), timeout=GENEROUS)
            self.addCleanup(local.close)
            self.assertEqual(local.recv(1), b"\x00")
        self.held_up(lambda: sum(tunnel["bytes_out"] for tunnel in self.edge.ask("GET", "/tunnels")))
        self.assert_bounded(running, before, count)
        self.assert_asleep(running)


class DeadPeer(EdgeCase):
    """With the default of 30 s between pings. This test waits beside the other tests of this file."""

    @classmethod
    def begin(cls):
        edge = shared_edge()
        cls.place, cls.patient = Relay(edge.port), Home(edge)
        cls.patient.plant_token("echo")
        environment = cls.patient.environment({"MAYFLY_CONNECT_TO": cls.place.connect_to})
        # This process must not end with the test that runs now.
        cls.process = subprocess.Popen([programs.system("setpriv"), "--pdeathsig", "KILL", "--", programs.mayfly(),
                                        *ECHO], env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        cls.process.stdin.write(b"ready")
        cls.process.stdin.flush()
        assert cls.process.stdout.read(5) == b"ready"
        cls.place.strike("stall")

    @classmethod
    def end(cls):
        cls.process.kill()
        cls.process.communicate()
        cls.place.stop()
        cls.patient.remove()

    def test_is_found_within_70_seconds(self):
        # Standard input stays open: its end would end the tunnel after --linger.
        self.process.wait(70 + LATE)
        said = self.process.stderr.read().decode()
        self.assertEqual(self.process.returncode, NETWORK, said)
        found = re.search(r"two pings were not answered after (\S+) s, 5 bytes sent, 5 received", said)
        self.assertTrue(found, said)
        self.assertGreater(float(found[1]), 60)
        self.assertLess(float(found[1]), 70 + LATE)


def setUpModule():
    DeadPeer.begin()


def tearDownModule():
    DeadPeer.end()


def load_tests(loader, _tests, _pattern):
    """Puts the slow test at the end."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in (BeforeTheTunnel, InTheTunnel, Sleep, Memory, DeadPeer))
