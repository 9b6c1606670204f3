"""Networks that delay, cut, stall, reset and trickle, between a listener and the edge."""
import concurrent.futures
import time

import listener_sweep
from harness.case import EdgeCase
from harness.http_case import HttpCase
from harness.listener import receive
from harness.relay import Relay
from harness.usage import processor_seconds
from harness.waiting import GENEROUS, eventually
from harness.web import echo_upgraded

STAGES = ("accept", "handshake", "request", "answer")
LATE = 10  # seconds that a busy machine may add to a deadline


class AtAnyByte(EdgeCase):
    """This is a part: `tests/reliability/run cuts` covers every byte."""

    def sweep(self, name):
        tally = listener_sweep.sweep(self.edge, name, {"cut": 199, "reset": 211, "trickle": 997})
        self.assertGreater(tally.happened, 30)
        self.assertEqual(tally.broken, [])

    def test_tcp(self):
        self.sweep("tcp")

    def test_socks(self):
        self.sweep("socks")

    def test_http(self):
        self.sweep("http")


class AtAStage(HttpCase):
    def behind(self, fault=None):
        """Returns a relay, and the port of a listener that reaches the edge through it."""
        relay = Relay(self.edge.port, fault)
        self.addCleanup(relay.stop)
        running, port = self.at_free_port(env={"MAYFLY_CONNECT_TO": relay.connect_to})
        return relay, running, port

    def test_cut_and_reset(self):
        relay, running, port = self.behind()
        for number, (stage, action) in enumerate((s, a) for s in STAGES for a in ("cut", "reset")):
            with self.subTest(stage=stage, action=action):
                relay.end_all()
                relay.fault = (stage, action)
                status, _, body = self.get(port, f"/{number}", method="POST", body=b"once")
                self.assertEqual(status, 502, body)
                self.assertRegex(body, b"^mayfly: .*wiki.example.com.*\nhint: ")
                relay.fault = None
                self.assertEqual(self.get(port)[0], 200)
        eventually("each was reported", lambda: running.err.count(" ERR ") == 2 * len(STAGES))

    def test_delay(self):
        _, _, port = self.behind(("accept", "delay"))
        self.assertEqual(self.get(port)[0], 200)

    def test_answer_that_stalls_until_the_program_gives_up(self):
        relay, running, port = self.behind(("answer", "stall"))
        connection = self.connect(port)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        eventually("it stalls", lambda: relay.links and relay.links[0].down.stalled)
        relay.fault = None
        self.assertEqual(self.get(port)[0], 200, "another connection to the edge serves the others")
        connection.close()
        self.assertEqual(self.get(port)[0], 200)
        self.assertNotIn(" ERR ", running.err)

    def test_upgraded(self):
        self.web(echo_upgraded)
        relay, _, port = self.behind()
        for action in ("cut", "reset", "trickle"):
            with self.subTest(action):
                connection = self.connect(port)
                connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: "
                                   "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n".encode())
                self.assert_upgraded(connection)
                self.assert_echo(connection)
                relay.strike(action)
                if action == "trickle":
                    self.assert_echo(connection, bytes(range(256)) * 8)
                else:
                    self.assertEqual(receive(connection, 1), b"")
                connection.close()


class Deadlines(EdgeCase):
    def stalled(self, name, stage):
        kind = listener_sweep.KINDS[name](self.edge, self.home)
        self.addCleanup(kind.stop)
        self.assertTrue(kind.is_whole(kind.exchange()))
        kind.relay.end_all()
        kind.relay.fault = (stage, "stall")
        return kind

    def one_exchange(self, kind):
        began = time.monotonic()
        came = kind.first()
        return came, time.monotonic() - began

    def test_all_at_once(self):
        """Each takes its 15 seconds. The listener sleeps meanwhile and goes on afterwards."""
        kinds = {place: self.stalled(*place) for place in (
            ("http", "accept"), ("http", "handshake"), ("tcp", "answer"), ("socks", "request"))}
        with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
            began = time.monotonic()
            under_way = {place: pool.submit(self.one_exchange, kind) for place, kind in kinds.items()}
            eventually("some is over", lambda: time.monotonic() > began + 6)
            spent = {place: processor_seconds(kind.running.pid) for place, kind in kinds.items()}
            eventually("some more is over", lambda: time.monotonic() > began + 12)
            for place, kind in kinds.items():
                with self.subTest(place):
                    self.assertLess(processor_seconds(kind.running.pid) - spent[place], 0.3, "it is busy waiting")
            for place, one in under_way.items():
                with self.subTest(place):
                    came, took = one.result(GENEROUS)
                    self.assertTrue(14 < took < 15 + LATE, took)
                    kind = kinds[place]
                    kind.check(came, 0)
                    self.assertFalse(kind.is_whole(came))
                    if place[0] == "http":
                        self.assertEqual(came[0][0], 504)
                    kind.relay.end_all()
                    kind.relay.fault = None
                    self.assertTrue(kind.is_whole(kind.exchange()))
