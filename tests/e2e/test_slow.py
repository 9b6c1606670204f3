"""Peers that do not answer: every step has a deadline. The waits here are the deadlines of mayfly."""
import signal
import time

from harness.case import LOGIN_NEEDED, NETWORK
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import eventually


class Slow(TunnelCase):
    def assert_times_out(self, limit, *arguments):
        began = time.monotonic()
        before = self.home.snapshot(["-app", "-jwks"])
        result = self.home.mayfly(*arguments, seconds=60)
        took = time.monotonic() - began
        self.assert_error(result, NETWORK)
        self.assertLess(took, limit + 8, "its deadline came late")
        self.assert_unchanged(before, besides=["-app", "-jwks"])

    def test_metadata(self):
        self.edge.fault("metadata.slow")
        self.assert_times_out(7, "login", "--batch", "web.example.com")

    def test_keys(self):
        self.home.make_older("acme.cloudflareaccess.com-jwks", 25 * 3600)
        self.edge.fault("jwks.slow")
        self.assert_times_out(10, "login", "--batch", "web.example.com")

    def test_signer(self):
        self.know("ssh")
        self.edge.fault("cert_sign.slow")
        self.assert_times_out(10, "ssh-gen", "--batch", "--hostname", "ssh.example.com")

    def test_upgrade(self):
        self.edge.fault("upgrade.slow")
        self.assert_times_out(15, *ECHO)

    def test_handshake(self):
        self.edge.fault("tls.stall")
        self.assert_times_out(15, *ECHO)

    def test_exchange(self):
        self.home.plant_org_token()
        self.edge.fault("exchange.slow")
        result = self.home.mayfly("login", "--batch", "web.example.com", seconds=60)
        self.assertIn(result.code, (LOGIN_NEEDED, NETWORK))
        self.assert_error(result, result.code)

    def test_slow_origin_does_not_decide_a_login(self):
        self.edge.fault("origin.slow")
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com", seconds=60))

    def test_interrupt_in_the_midst_of_a_request(self):
        self.edge.fault("metadata.slow")
        running = self.home.start("login", "web.example.com")
        eventually("it has asked", lambda: self.edge.log("web.example.com"))
        running.send(signal.SIGINT)
        began = time.monotonic()
        self.assertNotEqual(running.finish().code, 0)
        self.assertLess(time.monotonic() - began, 3)

    def test_bounded_drain(self):
        """An origin that sends nothing more after the end of stdin: mayfly sends Close 1000 in the end."""
        def part(connection):
            while connection.recv(1000):
                pass
        self.origin(part)
        result = self.home.start(*ECHO, stdin=b"is anybody there?").finish(60)
        self.assertEqual((result.code, result.out), (0, b""), result)
        self.assertEqual(self.edge.ended_tunnel()["close_received"], 1000)
