"""mayfly http with answers that name the application's own address."""
import http.client
import json
import os
import threading

from harness.http_case import HOST, HttpCase
from harness.listener import receive
from harness.waiting import GENEROUS

PUBLIC = f"https://{HOST}"


def as_json(value, type="application/json", **headers):
    """Returns an answer() with a JSON text."""
    return lambda handler: handler.say(200, json.dumps(value).encode(), Content_Type=type, **headers)


class Urls(HttpCase):
    """The application's address in headers and in JSON."""

    def test_json_and_headers_name_the_listener(self):
        value = {"href": f"{PUBLIC}/file", "other": "https://wiki.example.com.evil.example/", "text": f"see {PUBLIC}/",
                 "socket": f"wss://{HOST}/socket", "list": [f"{PUBLIC}/{i}" for i in range(3)]}
        web = self.web(as_json(value, Link=f'<{PUBLIC}/?page=2>; rel="next"', Refresh=f"5; url={PUBLIC}/",
                               WWW_Authenticate=f'Bearer realm="{PUBLIC}/token",service="x"'))
        _, port = self.at_free_port()
        here = f"http://127.0.0.1:{port}"
        _, headers, body = self.get(port, Accept_Encoding="gzip, br")
        self.assertEqual(json.loads(body), {
            **value, "href": f"{here}/file", "socket": f"ws://127.0.0.1:{port}/socket",
            "list": [f"{here}/{i}" for i in range(3)]})
        self.assertEqual(headers["Link"], f'<{here}/?page=2>; rel="next"')
        self.assertEqual(headers["Refresh"], f"5; url={here}/")
        self.assertEqual(headers["WWW-Authenticate"], f'Bearer realm="{here}/token",service="x"')
        self.assertEqual(web.requests[0][2]["Accept-Encoding"], "identity")
        # The name under which a program came is the one that it gets.
        self.assertIn(f"http://localhost:{port}/file".encode(), self.get(port, Host=f"localhost:{port}")[2])

    def test_flag_leaves_them(self):
        web = self.web(as_json({"href": PUBLIC}, Link=f"<{PUBLIC}/>", Location=f"{PUBLIC}/x", Accept_Ranges="bytes"))
        for arguments in (["--no-rewrite", "--url", "127.0.0.1:0"], ["--url", "127.0.0.1:0", "--no-rewrite"]):
            running = self.listen(*arguments)
            port = int(self.places(running)[0].rsplit(":", 1)[1])
            _, headers, body = self.get(port, Accept_Encoding="gzip")
            self.assertEqual(json.loads(body), {"href": PUBLIC})
            self.assertEqual((headers["Link"], headers["Accept-Ranges"], headers["Content-Length"]),
                             (f"<{PUBLIC}/>", "bytes", str(len(body))))
            self.assertEqual(headers["Location"], f"http://127.0.0.1:{port}/x")
            self.assertEqual(web.requests[-1][2]["Accept-Encoding"], "gzip")

    def test_answers_that_must_not_change(self):
        value = {"href": f"{PUBLIC}/"}
        for type, headers in [("text/html", {}), ("application/octet-stream", {}),
                              ("application/json", {"Cache_Control": "no-transform"}),
                              ("application/json", {"Content_Digest": "sha-256=:x:"}),
                              ("application/json", {"Content_Encoding": "x-unknown"}),
                              ("application/vnd.docker.distribution.manifest.v2+json",
                               {"Docker_Content_Digest": "sha256:x"})]:
            with self.subTest(type, headers=headers):
                self.web(as_json(value, type, **headers))
                running, port = self.at_free_port()
                _, got, body = self.get(port)
                self.assertEqual(json.loads(body), value)
                self.assertEqual(got["Content-Length"], str(len(body)))
                running.kill()

    def test_empty_answer_keeps_its_length(self):
        """RFC 9112, section 6.3: without it, a client waits for the end of the connection."""
        self.web(lambda handler: handler.say(200, b"", Content_Type="application/json"))
        _, port = self.at_free_port()
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=GENEROUS)
        self.addCleanup(client.close)
        for method in ("GET", "DELETE", "HEAD", "GET"):  # on one connection
            client.request(method, "/")
            answer = client.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, b""))
            if method != "HEAD":
                self.assertEqual(answer.headers["Content-Length"], "0")
            self.assertFalse(answer.will_close)

    def test_kinds_of_requests(self):
        content = json.dumps({"href": f"{PUBLIC}/" + "x" * 1000}).encode()

        def answer(handler):
            if span := handler.headers.get("Range"):
                first = int(span.removeprefix("bytes=").rstrip("-"))
                return handler.say(206, content[first:], Content_Type="application/json",
                                   Content_Range=f"bytes {first}-{len(content) - 1}/{len(content)}")
            handler.say(200, content, Content_Type="application/json", Accept_Ranges="bytes")
        web = self.web(answer)
        _, port = self.at_free_port()
        here = f"http://127.0.0.1:{port}"
        expected = content.replace(PUBLIC.encode(), here.encode())
        head = self.assert_done(self.curl("-I", here)).out.decode().lower()
        self.assertNotIn("content-length", head)
        self.assertNotIn("accept-ranges", head)
        self.assertEqual(self.assert_done(self.curl("--http1.0", here)).out, expected)
        self.assertEqual(self.assert_done(self.curl(here, here)).out, expected + expected)
        # curl would write the rest of another text after the part that it has.
        file = os.path.join(self.home.path, "part")
        with open(file, "wb") as out:
            out.write(expected[:50])
        before = len(web.requests)
        result = self.curl("-C", "-", "-o", file, here)
        self.assertEqual(result.code, 33, result)  # CURLE_RANGE_ERROR: the server sends the whole.
        self.assertEqual([one[2].get("Range") for one in web.requests[before:]], ["bytes=50-", None])

    def test_long_text_passes_whole(self):
        count = 200_000

        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for i in range(0, count, 1000):
                rows = "".join(f'"{PUBLIC}/{i + k}",' for k in range(1000)).encode()
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(rows), rows))
            handler.wfile.write(b"2\r\n[]\r\n0\r\n\r\n")
        self.web(answer)
        _, port = self.at_free_port()
        _, headers, body = self.get(port)
        self.assertIsNone(headers["Content-Length"])
        self.assertEqual(body, "".join(f'"http://127.0.0.1:{port}/{i}",' for i in range(count)).encode() + b"[]")

    def test_events_in_json_come_as_they_are_made(self):
        seen = threading.Event()
        self.addCleanup(seen.set)

        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for event in (b'{"event":1}\n', b'{"event":2}\n'):
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                handler.wfile.flush()
                self.assertTrue(seen.wait(GENEROUS))
            handler.wfile.write(b"0\r\n\r\n")
        self.web(answer)
        _, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(f"GET /watch HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        seen_by_client = b""
        while b"\r\n\r\n" not in seen_by_client:
            seen_by_client += receive(connection, 1)
        body = seen_by_client.partition(b"\r\n\r\n")[2]  # it may come with the head
        body += receive(connection, 12 - len(body))
        self.assertEqual(body, b'{"event":1}\n')
        seen.set()
        self.assertEqual(receive(connection, 100), b'{"event":2}\n')

    def test_text_that_is_cut_is_not_taken_for_a_whole_one(self):
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b'{"a":1}')
            handler.close_connection = True
        self.web(answer)
        _, port = self.at_free_port()
        result = self.curl(f"http://127.0.0.1:{port}/")
        self.assertIn(result.code, (18, 56), result)  # CURLE_PARTIAL_FILE, CURLE_RECV_ERROR
