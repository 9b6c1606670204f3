"""mayfly http: an application at a local address, what it passes on, what it changes, and how it ends."""
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import threading
import time
import unittest

from harness import memory, programs, tcp
from harness.authority import Authority
from harness.case import FAILED, USAGE
from harness.http_case import HOST, HttpCase
from harness.listener import abort, receive
from harness.waiting import GENEROUS, eventually, stretched
from harness.web import echo_upgraded

MANY = 20
LARGE = 64 << 20
MOST_MEMORY = 48 << 20  # of the process, while a body of LARGE passes through
TOKEN = re.compile(r"eyJ\w+")


def keep_alive_timers(pid):
    return sum(row.timer == tcp.KEEP_ALIVE for row in tcp.rows_of(pid))


class Passing(HttpCase):
    def test_the_request(self):
        web = self.web(lambda handler: handler.say(200, b"hello", Set_Cookie=["a=b; Secure"]))
        running, port = self.at_free_port("-H", "X-One: 1")
        status, headers, body = self.get(port, "/x?y=z", Cookie="CF_Authorization=stale; a=b",
                                         Cf_Access_Token="stale", X_One="0", Accept="*/*")
        self.assertEqual((status, body), (200, b"hello"))
        self.assertEqual(headers.get_all("Set-Cookie"), ["a=b"])
        seen, = self.requests()
        names = dict(seen["headers"])
        self.assertEqual((names["Host"], names["Cf-Access-Token"], names["X-One"], names["Cookie"],
                          seen["target"]), (HOST, self.token, "1", "a=b", "/x?y=z"))
        self.assertEqual(web.requests[0][2]["Cf-Access-Jwt-Assertion"], self.token)
        self.assertEqual(bytes(running.out), b"")

    def test_service_token_that_is_refused(self):
        self.home.install_idle_browser()
        for policy, refusal in (("service", "403"), ("identity", "login")):
            with self.subTest(policy):
                self.edge.application("wiki", policy=policy, service_refusal=refusal)
                running, port = self.at_free_port(
                    env={"TUNNEL_SERVICE_TOKEN_ID": "ci.access", "TUNNEL_SERVICE_TOKEN_SECRET": "wr0ng"})
                status, _, body = self.get(port)
                self.assertEqual(status, 403)
                self.assertIn(b"the service token was not accepted", body)
                self.assertNotIn("wr0ng", running.err + body.decode())
                self.assertEqual(self.home.browsed(), [])

    def test_methods_statuses_and_bodies(self):
        def answer(handler):
            if handler.path == "/none":
                return handler.say(204)
            if handler.path == "/chunked":
                handler.say(200, b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", Transfer_Encoding="chunked")
            else:
                handler.say(201, handler.command.encode() + b" " + (handler.body or b""))
        self.web(answer)
        _, port = self.at_free_port()
        self.assertEqual(self.get(port, method="PUT", body=b"data")[::2], (201, b"PUT data"))
        self.assertEqual(self.get(port, method="DELETE")[::2], (201, b"DELETE "))
        status, headers, body = self.get(port, method="HEAD")
        self.assertEqual((status, headers["Content-Length"], body), (201, "5", b""))
        self.assertEqual(self.get(port, "/none")[::2], (204, b""))
        self.assertEqual(self.get(port, "/chunked")[::2], (200, b"hello world"))
        text = self.talk(port, "GET /chunked HTTP/1.0\r\nHost: HOST\r\n\r\n")
        self.assertTrue(text.endswith("\r\n\r\nhello world"), text)
        # Load balancers send such a request to check whether a server works.
        text = self.talk(port, "GET /chunked HTTP/1.0\r\n\r\n")
        self.assertTrue(text.endswith("\r\n\r\nhello world"), text)
        text = self.talk(port, "POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n"
                               "Connection: close\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n")
        self.assertTrue(text.endswith("\r\n\r\nPOST abcde"), text)

    def test_names_of_a_port_mapping_in_front(self):
        _, port = self.at_free_port("--allow-host", "sidecar", "--allow-host", "localhost:9000")
        for host, status in (("sidecar", 200), ("sidecar:80", 200), ("localhost:9000", 200), ("localhost:9001", 421)):
            with self.subTest(host):
                text = self.talk(port, "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", host)
                self.assertTrue(text.startswith(f"HTTP/1.1 {status} "), text)
        self.assertIn("--allow-host localhost:9001", text)
        self.assert_error(self.listen("--allow-host", "http://sidecar/").finish(), USAGE, "--allow-host")

    def test_one_connection_serves_many_requests(self):
        _, port = self.at_free_port()
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=GENEROUS)
        self.addCleanup(client.close)
        self.edge.ask("DELETE", "/stats")
        for _ in range(5):
            client.request("GET", "/")
            self.assertEqual(client.getresponse().read(), self.page())
        self.assertEqual(self.edge.ask("GET", "/stats")["tls_connections"], 1)
        request = "GET /{} HTTP/1.1\r\nHost: HOST\r\n{}\r\n"
        text = self.talk(port, request.format(1, "") + request.format(2, "") +
                         request.format(3, "Connection: close\r\n"))
        self.assertEqual(text.count("HTTP/1.1 200 "), 3)
        self.assertEqual([entry["target"] for entry in self.requests()][-3:], ["/1", "/2", "/3"])

    def page(self):
        return f"hello from wiki, {self.edge.ask('GET', '/config')['login_email']}\n".encode()

    def test_large_bodies_are_not_held(self):
        data = os.urandom(1 << 20) * (LARGE >> 20)
        digest = hashlib.sha256(data).hexdigest()

        def answer(handler):
            if handler.command == "GET":
                return handler.say(200, data)
            left, seen = int(handler.headers["Content-Length"]), hashlib.sha256()
            while left > 0:
                piece = handler.rfile.read(min(left, 1 << 20))
                seen.update(piece)
                left -= len(piece)
            handler.say(200, seen.hexdigest().encode())
        self.web(answer)
        running, port = self.at_free_port()
        self.assertEqual(hashlib.sha256(self.get(port)[2]).hexdigest(), digest)
        self.assertEqual(self.get(port, method="POST", body=data)[2].decode(), digest)
        with open(f"/proc/{running.pid}/status", encoding="ascii") as file:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) << 10
        if not programs.is_instrumented():
            self.assertLess(peak, MOST_MEMORY)

    def test_answers_come_as_they_are_made(self):
        seen = threading.Event()
        self.addCleanup(seen.set)

        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", "text/event-stream")
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for event in (b"data: 1\n\n", b"data: 2\n\n"):
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                handler.wfile.flush()
                self.assertTrue(seen.wait(GENEROUS))
            handler.wfile.write(b"0\r\n\r\n")
        self.web(answer)
        _, port = self.at_free_port()
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=GENEROUS)
        self.addCleanup(client.close)
        client.request("GET", "/events")
        stream = client.getresponse()
        self.assertEqual(stream.read(9), b"data: 1\n\n")
        seen.set()
        self.assertEqual(stream.read(), b"data: 2\n\n")

    def test_redirects_and_cookies_lead_back(self):
        def answer(handler):
            if handler.path == "/":
                return handler.say(302, Location=f"https://{HOST}/next",
                                   Set_Cookie=f"session=1; Domain={HOST}; Secure; SameSite=None")
            handler.say(200, handler.headers.get("Cookie", "no cookie").encode())
        self.web(answer)
        _, port = self.at_free_port()
        jar = os.path.join(self.home.path, "jar")
        result = self.assert_done(self.curl("-L", "-b", jar, "-c", jar, f"http://127.0.0.1:{port}/"))
        self.assertEqual(result.out, b"session=1", result)

    def test_continue(self):
        self.web(lambda handler: handler.say(200, handler.body))
        _, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 5\r\n"
                           "Expect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        expected = b"HTTP/1.1 100 Continue\r\n\r\n"
        self.assertEqual(receive(connection, len(expected)), expected)
        connection.sendall(b"hello")
        self.assertTrue(receive(connection, 1 << 20).endswith(b"\r\n\r\nhello"))

    def test_upgrade(self):
        web = self.web(echo_upgraded)
        running, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(f"GET /socket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                           f"Connection: keep-alive, Upgrade\r\nOrigin: http://127.0.0.1:{port}\r\n"
                           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n".encode())
        self.assert_upgraded(connection)
        self.assert_echo(connection)
        self.assert_echo(connection, os.urandom(100_000))
        self.assertEqual(web.requests[0][2]["Origin"], f"https://{HOST}")
        if memory.shows_descriptors():
            eventually("both ends are asked for signs of life", lambda: keep_alive_timers(running.pid) == 2)
        connection.close()
        eventually("the edge knows", lambda: not self.edge.upgrades(HOST)[-1]["tunnel"]["open"])

    def test_trailers_stay_behind(self):
        """Trailers are headers that arrive after the headers have been checked."""
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"2\r\nok\r\n0\r\nSet-Cookie: CF_Authorization=x\r\n\r\n")
        self.web(answer)
        _, port = self.at_free_port()
        said = self.talk(port, "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
        self.assertTrue(said.endswith("\r\n\r\n2\r\nok\r\n0\r\n\r\n"), said)

    def test_many_at_once(self):
        self.web(lambda handler: handler.say(200, handler.path.encode() * 10_000))
        running, port = self.at_free_port()
        failures = []

        def fetch(number):
            if self.get(port, f"/{number}")[2] != f"/{number}".encode() * 10_000:
                failures.append(number)
        threads = [threading.Thread(target=fetch, args=(n,), daemon=True) for n in range(MANY)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(GENEROUS)
        self.assertEqual(failures, [])
        self.assertEqual(len(self.requests()), MANY)
        self.assertEqual(len(os.listdir(f"/proc/{running.pid}/task")), 1, "one thread serves all")

    def test_unix_socket(self):
        path = os.path.join(self.home.path, "socket")
        self.places(self.listen("--url", f"unix:{path}"))
        self.assertEqual(os.lstat(path).st_mode & 0o777, 0o600)
        result = self.assert_done(self.curl("--unix-socket", path, "http://wiki/"))
        self.assertEqual(result.out, self.page())


class Trouble(HttpCase):
    def test_answers_of_the_edge_pass(self):
        self.web(lambda handler: handler.say(200))
        _, port = self.at_free_port()
        self.edge.fault("origin.down", 1)
        status, _, body = self.get(port)
        self.assertEqual(status, 502)
        self.assertNotIn(b"mayfly", body)
        authority = Authority()
        self.addCleanup(authority.remove)
        authority.root("root")
        self.edge.application("wiki", policy="certificate", certificate_use="always",
                              client_ca=authority.read("root.pem"))
        self.assertEqual(self.get(port)[0], 403)

    def test_edge_away(self):
        running, port = self.at_free_port(env={"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"})
        status, _, body = self.get(port)
        self.assertEqual(status, 502)
        self.assertIn(b"connection refused", body)
        self.assertIn(b"hint: ", body)
        running.wait_err("ERR .*connection refused")

    def test_after_the_edge_was_restarted(self):
        """A kept connection that has ended is not an error."""
        _, port = self.at_free_port()
        self.assertEqual(self.get(port)[0], 200)
        self.edge.restart()
        self.edge.application("wiki", hostname=HOST, origin="page")
        self.assertEqual(self.get(port)[0], 200)

    def test_answer_that_is_cut(self):
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b"half")
            handler.close_connection = True
        self.web(answer)
        running, port = self.at_free_port()
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            self.get(port)
        running.wait_err("ERR .*cut")

    def test_program_that_goes_away_in_the_middle(self):
        gone = threading.Event()

        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(1 << 40))
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(bytes(1 << 16))
            except OSError:
                gone.set()
                handler.close_connection = True
        self.web(answer)
        running, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        receive(connection, 1 << 20)
        connection.close()
        self.assertTrue(gone.wait(GENEROUS), "the application is not told")
        self.assertNotIn("ERR", running.err)
        self.web(lambda handler: handler.say(200, b"still there"))
        self.assertEqual(self.get(port)[2], b"still there")

    def test_program_that_goes_away_before_its_body_is_whole(self):
        web = self.web(lambda handler: handler.say(200))
        running, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                           "Content-Length: 100\r\n\r\nhalf".encode())
        connection.close()
        self.assertEqual(self.get(port, "/next")[0], 200)
        self.assertEqual([request[1] for request in web.requests], ["/next"])
        self.assertNotIn("ERR", running.err)

    @unittest.skipUnless(memory.shows_descriptors(), "nobody can count its descriptors")
    def test_program_that_aborts_while_an_answer_is_awaited(self):
        over = threading.Event()
        self.addCleanup(over.set)
        asked = threading.Semaphore(0)

        def answer(handler):
            asked.release()
            over.wait(GENEROUS)
            handler.close_connection = True
        self.web(answer)
        running, port = self.at_free_port()
        before = memory.count_descriptors(running.pid)
        for _ in range(5):
            connection = self.connect(port)
            connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            self.assertTrue(asked.acquire(timeout=GENEROUS))
            abort(connection)
        eventually("nothing is left of them", lambda: memory.count_descriptors(running.pid) == before)
        self.assertNotIn("ERR", running.err)

    def test_program_that_only_has_no_more_to_say(self):
        self.web(lambda handler: handler.say(200, handler.body or b"page"))
        _, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        self.assertIn(b"page", receive(connection, 1 << 20))

    def test_answer_with_two_lengths(self):
        """The response is refused, so that no program has to guess which length is right."""
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "5")
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"0\r\n\r\nhello")
            handler.close_connection = True
        self.web(answer)
        _, port = self.at_free_port()
        status, _, body = self.get(port)
        self.assertEqual(status, 502)
        self.assertNotIn(b"hello", body)

    def test_usage(self):
        self.assert_error(self.home.mayfly("http"), USAGE, "--hostname")
        self.assert_error(self.listen("-H", "Transfer-Encoding: x").finish(), USAGE)

    def test_nothing_secret_in_the_log(self):
        running, port = self.at_free_port("-v")
        self.get(port, "/page?secret=1", Authorization="Basic xyz")
        running.wait_err("DBG .*GET /page.*200")
        for secret in (self.token, "secret=1", "Basic"):
            self.assertNotIn(secret, running.err)
        self.assertEqual(TOKEN.findall(running.err), [])


class OwnAddress(HttpCase):
    """Without --url, each application has a port of its own, which is the same at the next start."""

    def setUp(self):
        super().setUp()
        # No other run of the tests has this name at the same time, so it has a port of its own.
        self.host = f"wiki{os.getpid()}.example.com"
        self.edge.application("wiki", hostname=self.host)
        self.know("wiki")

    def status_lists(self):
        return json.loads(self.home.mayfly("status", "--json").out)["listeners"]

    def test_same_port_at_each_start(self):
        places = []
        for _ in range(2):
            running = self.listen(host=self.host)
            places.append(self.places(running)[0])
            running.wait_err("INF the application in a browser")
            running.send(signal.SIGTERM)
            self.assert_done(running.finish())
        host, port = places[0].split(":")
        self.assertEqual((places[1], host), (places[0], "127.0.0.1"))
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            self.assertLess(int(port), min(32768, int(file.read().split()[0])))
        self.assertEqual(os.stat(self.home.file("http-ports")).st_mode & 0o777, 0o600)

    def test_status_and_logout(self):
        running = self.listen(host=self.host)
        place = self.places(running)[0]
        url = running.wait_err(r"INF the application in a browser url=(\S+)").group(1)
        self.assertEqual(self.status_lists(), [{"application": self.host, "address": f"http://{place}/",
                                                "browser_address": url}])
        text = self.home.mayfly("status").out.decode()
        self.assertIn(f"{self.host} is at http://{place}/", text)
        self.assertIn(url, text)
        self.assert_done(self.home.mayfly("logout", self.host))
        self.assertEqual(len(self.status_lists()), 1)
        self.assert_done(self.home.mayfly("logout", "--all"))
        self.assertEqual(self.status_lists(), [])

    def test_both_families_are_taken(self):
        """Otherwise another user's program could listen at ::1, to which names under .localhost resolve too."""
        running = self.listen(host=self.host)
        place = self.places(running)[0]
        running.wait_err("INF the application in a browser")
        port = int(place.rsplit(":", 1)[1])
        with socket.socket(socket.AF_INET6) as other:
            try:
                other.bind(("::1", 0))
            except OSError:
                self.skipTest("there is no IPv6 here")
            with socket.socket(socket.AF_INET6) as second, self.assertRaises(OSError):
                second.bind(("::1", port))
        self.assertEqual(self.curl("-g", f"http://[::1]:{port}/").out[:10], b"hello from")

    def test_port_that_another_program_has(self):
        first = self.listen(host=self.host)
        place = self.places(first)[0]
        first.wait_err("INF the application in a browser")
        self.assert_error(self.listen(host=self.host).finish(), FAILED, place, "in use", "--url")

    def test_name_of_another_application_means_another_listener(self):
        running = self.listen(host=self.host)
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        own = running.wait_err(r"INF the application in a browser url=http://(\S+):").group(1)
        for name, status in ((own, 200), ("localhost", 200), ("127.0.0.1", 200), ("wiki.localhost", 421),
                             ("git-example-com.localhost", 421), (f"x.{own}", 421)):
            text = self.talk(port, "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
                             f"{name}:{port}")
            self.assertTrue(text.startswith(f"HTTP/1.1 {status} "), (name, text))
        _, port = self.at_free_port(host=self.host)
        for name, status in ((own, 200), ("wiki.localhost", 200), ("git-example-com.localhost", 421)):
            text = self.talk(port, "GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
                             f"{name}:{port}")
            self.assertTrue(text.startswith(f"HTTP/1.1 {status} "), (name, text))


class Ends(HttpCase):
    def test_sigterm(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "10")
            handler.end_headers()
            handler.wfile.write(b"begin")
            handler.wfile.flush()
            gate.wait(GENEROUS)
        self.web(answer)
        running, port = self.at_free_port()
        idle, busy = self.connect(port), self.connect(port)
        request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        busy.sendall(request)
        begun = b""
        while not begun.endswith(b"begin"):
            begun += busy.recv(1 << 16)
        running.send(signal.SIGTERM)
        began = time.monotonic()
        self.assertEqual(idle.recv(1), b"")
        self.assert_done(running.finish())
        self.assertLess(time.monotonic() - began, stretched(2))
