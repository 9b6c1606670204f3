"""Servers that were not written for mayfly: Node's ws, nginx in front of it, nginx in front of the edge."""
import os
import random
import signal
import socket

from harness.case import DONE, NETWORK, PROTOCOL
from harness.listener import receive
from harness.nginx import Nginx
from harness.node import Node
from harness.process import PIPE
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import eventually

HOST = "echo.example.com"
SIZES = (1, 125, 126, 127, 65535, 65536, 1 << 20, 16 << 20)


class ForeignCase(TunnelCase):
    """The edge plays Access, and the tunnel leads past it to the port self.place."""

    def lead_to(self, place):
        self.home.variables["MAYFLY_CONNECT_TO"] = f"{HOST}:443:127.0.0.1:{place},{self.edge.connect_to}"

    def front(self, upstream, **more):
        nginx = Nginx(self.edge, HOST, upstream, **more)
        self.addCleanup(nginx.stop)
        return nginx

    def assert_sizes(self, running):
        came = 0
        for size in SIZES:
            data = random.Random(size).randbytes(size)
            running.write(data)
            came += size
            out = running.wait_out(came)
            self.assertTrue(out[came - size:came] == data, f"{size} bytes are not what was sent")

    def assert_listener(self):
        running = self.home.start("access", "tcp", "--hostname", HOST, "--url", "127.0.0.1:0")
        port = int(running.wait_err(r"listener host=127\.0\.0\.1:(\d+)")[1])
        for size in SIZES:
            with self.subTest(size), socket.create_connection(("127.0.0.1", port), timeout=60) as local:
                data = random.Random(size).randbytes(size)
                local.sendall(data)
                self.assertTrue(receive(local, size) == data)


class BehindNode(ForeignCase):
    secure = True

    def setUp(self):
        super().setUp()
        self.node = Node(self.edge, HOST if self.secure else "")
        self.addCleanup(self.node.stop)
        self.set_up_front()

    def set_up_front(self):
        self.lead_to(self.node.port)

    def closed(self):
        return self.node.wait_for("closed", len(self.node.events("open")))

    def test_messages_of_every_size(self):
        running = self.open()
        self.assert_sizes(running)
        running.send(signal.SIGTERM)
        self.assertEqual(running.finish().code, DONE)
        seen = self.closed()
        self.assertEqual((seen["code"], seen["bytes"], seen["text"]), (1001, sum(SIZES), 0), seen)
        opened = self.node.wait_for("open")
        self.assertEqual((opened["protocol"], opened["extensions"]), ("", ""))
        self.assertEqual(opened["headers"]["cf-access-token"], self.token)

    def test_listener(self):
        self.assert_listener()

    def test_empty_messages(self):
        self.node.treat(empty=4)
        running = self.ready()
        self.assertEqual(bytes(running.out), b"ready")

    def test_fragments(self):
        for size in (1, 1000, 70000):
            with self.subTest(size):
                self.node.treat(fragment=size)
                data = os.urandom(2000 if size == 1 else 500_000)
                running = self.open()
                running.write(data)
                self.assertTrue(running.wait_out(len(data)) == data)
                running.kill()

    def test_text(self):
        self.node.treat(text=True, fragment=3)
        running = self.open()
        data = "Grüße, κόσμε 𝄞".encode()
        running.write(data)
        self.assertEqual(running.wait_out(len(data)), data)

    def test_pings_both_ways(self):
        self.node.treat(ping="are you there?")
        running = self.ready("--ping-interval", "1")
        self.node.wait_for("ping", 2)
        self.assertFalse(running.has_ended())
        running.send(signal.SIGTERM)
        running.finish()
        seen = self.closed()
        self.assertEqual(seen["pongs"], ["are you there?"] * seen["messages"])

    def test_close_codes(self):
        for code, reason in ((1000, "that is all"), (1001, ""), (1002, "x" * 123), (1003, "no bytes"), (1008, "no"),
                             (1011, "trouble \x1b[31m"), (1012, "restart"), (1013, "later"), (3000, "ours"),
                             (4999, "Grüße")):
            with self.subTest(code):
                self.node.treat(close=[code, reason])
                running = self.open()
                running.write(b"ready")
                result = running.finish()
                self.assertEqual(result.out, b"ready")
                self.assertEqual(result.code, DONE if code in (1000, 1001) else NETWORK, result)
                self.assertEqual(self.closed()["code"], code, "our Close repeats the code")
                if result.code:
                    self.assertIn(f"5 bytes sent, 5 received, close code {code}", result.err)
                    self.assertIn(reason.split(" \x1b")[0], result.err)
                self.assert_printable(result.err)

    def test_close_without_a_code(self):
        self.node.treat(close=[])
        running = self.open()
        running.write(b"ready")
        self.assertEqual((running.finish().code, bytes(running.out)), (DONE, b"ready"))

    def test_connection_that_is_dropped(self):
        self.node.treat(terminate=True)
        running = self.open()
        running.write(b"ready")
        result = running.finish()
        self.assertEqual(result.code, NETWORK, result)
        self.assertIn("5 bytes sent", result.err)

    def test_a_long_message_and_its_end(self):
        """The Close comes right after 16 MiB, and no byte is lost."""
        self.node.treat(source=16 << 20, close=[1000, ""])
        running = self.open()
        running.write(b"go")
        result = running.finish()
        self.assertEqual(result.code, DONE, result)
        expected = (b"abc" * (1 + (16 << 20) // 3))[:16 << 20] + b"go"
        self.assertTrue(result.out == expected, f"{len(result.out)} bytes came")


class BehindNginxAndNode(BehindNode):
    """TLS ends at nginx, which passes the upgrade on to ws without TLS."""
    secure = False

    def set_up_front(self):
        self.lead_to(self.front(f"http://127.0.0.1:{self.node.port}").port)


class BehindNginxAndEdge(ForeignCase):
    def through_nginx(self, *flags, **more):
        nginx = self.front(f"https://127.0.0.1:{self.edge.port}", **more)
        self.lead_to(nginx.port)
        running = self.ready(*flags)
        return running, nginx

    def test_messages_of_every_size(self):
        running, _ = self.through_nginx()
        running.out.clear()
        self.assert_sizes(running)
        self.hang_up(running)

    def test_listener(self):
        self.lead_to(self.front(f"https://127.0.0.1:{self.edge.port}").port)
        self.assert_listener()

    def test_pings_keep_a_tunnel_open(self):
        """nginx ends a tunnel that is silent for a while."""
        running, _ = self.through_nginx("--ping-interval", "1", location="proxy_read_timeout 3s;")
        eventually("five pings have been sent", lambda: self.edge.upgrades()[-1]["tunnel"]["pings_in"] >= 5)
        self.assertFalse(running.has_ended())
        self.hang_up(running)

    def test_silence_ends_a_tunnel(self):
        running, _ = self.through_nginx("--ping-interval", "0", location="proxy_read_timeout 1s;")
        result = running.finish()
        self.assertEqual(result.code, NETWORK, result)
        self.assertIn("5 bytes sent, 5 received", result.err)

    def test_nginx_that_goes_away(self):
        running, nginx = self.through_nginx()
        nginx.process.send(signal.SIGTERM)
        self.assertEqual(running.finish().code, NETWORK)

    def test_nginx_whose_upstream_is_down(self):
        nobody = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(nobody.close)
        port = nobody.getsockname()[1]
        nobody.close()
        self.lead_to(self.front(f"http://127.0.0.1:{port}").port)
        self.assert_error(self.home.mayfly(*ECHO), NETWORK, "502")

    def test_nginx_that_does_not_upgrade(self):
        """A common mistake in a configuration of nginx: the answer is a page."""
        self.lead_to(self.front(f"https://127.0.0.1:{self.edge.port}",
                                upgrade="").port)
        self.assert_error(self.home.mayfly(*ECHO), PROTOCOL, "200")
