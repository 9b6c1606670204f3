"""mayfly http: who is refused, before anything of it reaches the edge."""
import socket

from harness.http_case import HOST, HttpCase, name_of_this_computer
from harness.waiting import GENEROUS


class Guard(HttpCase):
    """Nothing of this reaches the edge."""

    def tearDown(self):
        self.assertEqual(self.requests(), [])

    def refused(self, port, request, status, word, host=None):
        text = self.talk(port, request, host)
        self.assertTrue(text.startswith(f"HTTP/1.1 {status} "), text)
        self.assertIn(word, text)

    def test_names_that_were_rebound(self):
        _, port = self.at_free_port()
        for host in (f"evil.example:{port}", "127.0.0.1", f"0.0.0.0:{port}"):
            self.refused(port, "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n", 421, f"127.0.0.1:{port}", host)
        self.refused(port, "GET http://evil.example/ HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, "no proxy")
        self.refused(port, "CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n", 405, "no proxy")

    def test_pages_of_other_sites(self):
        _, port = self.at_free_port()
        for header in ("Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site",
                       "Sec-Fetch-Site: same-site"):
            self.refused(port, f"POST / HTTP/1.1\r\nHost: HOST\r\n{header}\r\nContent-Length: 2\r\n"
                               "\r\nhi", 403, "another site")
        self.refused(port, "GET / HTTP/1.1\r\nHost: HOST\r\nOrigin: https://evil.example\r\n"
                           "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 403, "another site")

    def test_browsers_where_they_do_not_say_whose_page_asks(self):
        name = name_of_this_computer()
        running = self.listen("--url", f"{name}:0")
        place = self.places(running)[0]
        host, port = place.rsplit(":", 1)
        self.connect = lambda _: socket.create_connection((host, int(port)), timeout=GENEROUS)
        for header in ("Accept: text/html", "Referer: https://evil.example/"):
            self.refused(port, f"GET / HTTP/1.1\r\nHost: HOST\r\nUser-Agent: Mozilla/5.0\r\n{header}"
                               "\r\n\r\n", 403, "127.0.0.1", place)
        running.wait_err("WRN .*identity")

    def test_requests_that_two_readers_read_differently(self):
        _, port = self.at_free_port()
        head = "POST / HTTP/1.1\r\nHost: HOST\r\n"
        for fields, status in [
                ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
                ("Content-Length: 5\r\nContent-Length: 5\r\n", 400),
                ("Content-Length: 5, 5\r\n", 400), ("Content-Length: +5\r\n", 400),
                ("Transfer-Encoding: gzip, chunked\r\n", 501),
                ("Transfer-Encoding : chunked\r\n", 400), ("X: y\r\n folded\r\n", 400),
                ("X: a\nTransfer-Encoding: chunked\r\n", 400), ("Host: other\r\n", 400),
                ("X: " + "y" * 70_000 + "\r\n", 431)]:
            with self.subTest(fields[:40]):
                self.refused(port, head + fields + "\r\n0\r\n\r\n", status, "mayfly: ")
        self.refused(port, "GET / HTTP/2.0\r\nHost: HOST\r\n\r\n", 505, "HTTP/1.1")
        self.refused(port, "TRACE / HTTP/1.1\r\nHost: HOST\r\n\r\n", 405, "TRACE")
        self.refused(port, "trace / HTTP/1.1\r\nHost: HOST\r\n\r\n", 405, "TRACE")

    def test_paths_beside_the_application(self):
        self.edge.application("wiki", hostname=f"{HOST}/admin")
        self.know("wiki")
        _, port = self.at_free_port(host=f"{HOST}/admin")
        for path in ("/", "/other", "/administrator", "/admin/../other", "/admin/%2e%2e/other"):
            self.refused(port, f"GET {path} HTTP/1.1\r\nHost: HOST\r\n\r\n", 404, "/admin")

    def test_tls(self):
        running, port = self.at_free_port()
        self.connect(port).sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
        running.wait_err("ERR .*TLS.*http://")
