"""mayfly http: the credential, and its renewal."""
import os
import signal
import threading
import unittest

from harness import memory
from harness.http_case import HttpCase
from harness.listener import abort, receive
from harness.waiting import GENEROUS, eventually


class Logins(HttpCase):
    def test_token_that_has_ended_is_renewed(self):
        self.home.install_browser()
        web = self.web(lambda handler: handler.say(200, handler.body or b"page"))
        _, port = self.at_free_port()
        self.assertEqual(self.get(port)[0], 200)
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.assertEqual(self.get(port)[::2], (200, b"page"))
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.assertEqual(self.get(port, method="POST", body=b"once")[::2], (200, b"once"))
        self.assertEqual([request[0] for request in web.requests], ["GET", "GET", "POST"])
        self.assertEqual(len(self.home.browsed()), 2)

    def test_token_that_is_known_to_have_ended_is_not_even_sent(self):
        self.home.install_browser()
        self.home.plant(self.home.token_name("wiki"), self.edge.mint("app", "wiki", expires_in=-60))
        _, port = self.at_free_port()
        self.assertEqual(self.get(port)[0], 200)
        self.assertEqual(len(self.home.browsed()), 1)
        pages = [entry for entry in self.requests() if entry["target"] == "/"]
        self.assertEqual([entry["status"] for entry in pages if entry["method"] == "GET"], [200])

    def test_one_login_for_all_waiting_requests(self):
        self.home.install_browser()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        _, port = self.at_free_port()
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.get(port)[0]), daemon=True)
                   for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(GENEROUS)
        self.assertEqual(results, [200] * 5)
        self.assertEqual(len(self.home.browsed()), 1)

    @unittest.skipUnless(memory.shows_descriptors(), "nobody can count its descriptors")
    def test_program_that_does_not_wait_for_the_login(self):
        """Its request is dropped, and the login goes on for the other programs."""
        self.home.install_idle_browser()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        running, port = self.at_free_port()
        waiting = self.connect(port)
        waiting.sendall(f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        url = running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+").group()
        before = memory.count_descriptors(running.pid)
        for _ in range(5):
            connection = self.connect(port)
            connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            abort(connection)
        self.get(port, "/", Host="x")  # By now every earlier program has been accepted.
        eventually("nothing is left of them", lambda: memory.count_descriptors(running.pid) <= before)
        self.edge.sign_in(url)
        self.assertTrue(receive(waiting, 1 << 20).startswith(b"HTTP/1.1 200 "))

    def test_body_too_long_to_be_sent_again(self):
        self.home.install_browser()
        web = self.web(lambda handler: handler.say(200, b"taken"))
        running, port = self.at_free_port()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        status, _, body = self.get(port, "/up?secret", method="POST", body=bytes(1 << 20))
        self.assertEqual(status, 502)
        self.assertIn(b"body of POST /up was on its way", body)
        self.assertIn(b"hint: send it again", body)
        self.assertEqual(self.get(port, "/up", method="POST", body=bytes(1 << 20))[0], 200)
        self.assertEqual(len(web.requests), 1)
        running.wait_err("ERR .*on its way")

    def test_fresh_token_that_is_refused(self):
        """As with Binding Cookie, there is a message and no loop."""
        self.edge.application("wiki", binding_cookie=True)
        self.home.install_browser()
        _, port = self.at_free_port()
        status, _, body = self.get(port)
        self.assertEqual(status, 502)
        self.assertIn(b"Binding Cookie", body)
        self.assertEqual(len(self.home.browsed()), 1)

    def test_login_page_that_is_not_the_teams_is_the_applications_own_affair(self):
        self.web(lambda handler: handler.say(302, Location=page))
        self.home.install_browser()
        _, port = self.at_free_port()
        before = self.home.text(self.home.token_name("wiki"))
        for page in ("https://evil.cloudflareaccess.com/cdn-cgi/access/login",
                     "https://other.example.com/cdn-cgi/access/login/x"):
            with self.subTest(page):
                status, headers, _ = self.get(port)
                self.assertEqual((status, headers["Location"]), (302, page))
        self.assertEqual(self.home.browsed(), [])
        self.assertEqual(self.home.text(self.home.token_name("wiki")), before)

    def test_process_for_logins_that_died(self):
        self.home.install_browser()
        running, port = self.at_free_port()
        login_process, = memory.children_of(running.pid)
        os.kill(login_process, signal.SIGKILL)
        self.assertEqual(self.get(port)[0], 200)
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        for _ in range(2):
            status, _, body = self.get(port)
            self.assertEqual(status, 502)
            self.assertIn(b"hint: restart this listener", body)
        running.wait_err("ERR .*logs in for this listener is gone.*restart this listener")

    def test_batch(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        running, port = self.at_free_port("--batch")
        status, headers, body = self.get(port)
        self.assertEqual((status, headers["Content-Type"]), (502, "text/plain; charset=utf-8"))
        self.assertIn(b"login", body)
        running.wait_err("ERR .*login")
        self.assertFalse(running.has_ended())

    def test_service_token(self):
        self.edge.application("wiki", policy="service",
                              service_tokens=[{"id": "ci.access", "secret": "s3cret"}])
        _, port = self.at_free_port(
            env={"TUNNEL_SERVICE_TOKEN_ID": "ci.access", "TUNNEL_SERVICE_TOKEN_SECRET": "s3cret"})
        self.assertEqual(self.get(port)[0], 200)
