"""mayfly http: an application at a local address; what passes, what is changed, who is refused."""
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from harness import programs
from harness.authority import Authority
from harness.case import FAILED, USAGE
from harness.listener import ListenerCase, receive
from harness.process import run
from harness.waiting import GENEROUS, eventually
from harness.web import Web, files_below, git_backend

HOST = "wiki.example.com"
MANY = 20
LARGE = 64 << 20
MOST_MEMORY = 48 << 20  # of the process, while LARGE passes through
TOKEN = re.compile(r"eyJ\w+")


class HttpCase(ListenerCase):
    def setUp(self):
        super().setUp()
        self.edge.application("wiki", hostname=HOST, origin="page")
        self.token = self.know("wiki")

    def listen(self, *flags, host=HOST, **more):
        return self.home.start("http", "--hostname", host, *flags, **more)

    def web(self, answer):
        web = Web(answer)
        self.addCleanup(web.stop)
        self.edge.application("wiki", origin=web.address)
        return web

    def talk(self, port, request, host=None):
        """Raw bytes, and all that comes back until the end; HOST in them is the listener's."""
        connection = self.connect(port)
        connection.sendall(request.replace("HOST", host or f"127.0.0.1:{port}").encode("latin-1"))
        return receive(connection, 1 << 24).decode("latin-1")

    def get(self, port, path="/", method="GET", body=None, **headers):
        """Status, headers and body of one request over a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=GENEROUS)
        client.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = client.getresponse()
        content = answer.read()
        client.close()
        return answer.status, answer.headers, content

    def requests(self):
        return [entry for entry in self.edge.log(HOST) if entry["path"] != "/cdn-cgi/access/cli"]

    def curl(self, *arguments):
        return run([programs.system("curl"), "-sS", "--max-time", str(GENEROUS), *arguments])


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
        text = self.talk(port, "POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n"
                               "Connection: close\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n")
        self.assertTrue(text.endswith("\r\n\r\nPOST abcde"), text)

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
        if "ASAN_OPTIONS" not in self.home.variables:
            self.assertLess(peak, MOST_MEMORY)

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
        def answer(handler):
            handler.send_response(101)
            handler.send_header("Upgrade", "websocket")
            handler.send_header("Connection", "Upgrade")
            handler.end_headers()
            while piece := handler.connection.recv(1 << 16):
                handler.connection.sendall(piece)
            handler.close_connection = True
        web = self.web(answer)
        _, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(f"GET /socket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                           f"Connection: keep-alive, Upgrade\r\nOrigin: http://127.0.0.1:{port}\r\n"
                           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)
        self.assert_echo(connection)
        self.assert_echo(connection, os.urandom(100_000))
        self.assertEqual(web.requests[0][2]["Origin"], f"https://{HOST}")
        connection.close()
        eventually("the edge knows", lambda: not self.edge.upgrades(HOST)[-1]["tunnel"]["open"])

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

    def test_once_for_all_who_wait(self):
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
        """As with Binding Cookie: said, and no loop."""
        self.edge.application("wiki", binding_cookie=True)
        self.home.install_browser()
        _, port = self.at_free_port()
        status, _, body = self.get(port)
        self.assertEqual(status, 502)
        self.assertIn(b"Binding Cookie", body)
        self.assertEqual(len(self.home.browsed()), 1)

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

    def test_certificate_alone(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        authority.root("root")
        authority.device("sensor-17", "root")
        self.fresh()
        self.edge.application("wiki", hostname=HOST, origin="page", policy="certificate",
                              client_ca=authority.read("root.pem"), session_duration="no_duration")
        _, port = self.at_free_port(*authority.flags("sensor-17"))
        for _ in range(2):
            self.assertEqual(self.get(port)[2], b"hello from wiki, sensor-17\n")
        self.assertNotIn("Cf-Access-Token", dict(self.requests()[-1]["headers"]))


class Trouble(HttpCase):
    def test_what_the_edge_says_passes(self):
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

    def test_usual_port(self):
        running = self.listen()
        eventually("it listens or says why not",
                   lambda: running.has_ended() or "listener" in running.err)
        if running.has_ended():
            self.assert_error(running.finish(), FAILED, "127.0.0.1:8080", "in use")
        else:
            self.assertEqual(self.places(running), ["127.0.0.1:8080"])

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
        self.assertLess(time.monotonic() - began, 3)


class Programs(HttpCase):
    """What people put in front of it."""

    def test_git(self):
        folder = os.path.join(self.home.path, "repositories")
        work = os.path.join(self.home.path, "work")
        environment = {**self.home.environment(), "PATH": os.environ["PATH"],
                       "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
                       "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com",
                       "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}

        def git(*words, cwd=self.home.path):
            result = run([programs.system("git"), *words], env=environment, cwd=cwd)
            return self.assert_done(result).out.decode().strip()
        git("init", "-q", "--bare", "-b", "main", os.path.join(folder, "project.git"))
        git("-C", os.path.join(folder, "project.git"), "config", "http.receivepack", "true")
        web = self.web(git_backend(folder))
        _, port = self.at_free_port()
        remote = f"http://127.0.0.1:{port}/project.git"
        git("clone", "-q", remote, work)
        with open(os.path.join(work, "file"), "wb") as file:
            file.write(os.urandom(300_000))
        git("add", "file", cwd=work)
        git("commit", "-q", "-m", "one", cwd=work)
        git("push", "-q", "origin", "HEAD:main", cwd=work)
        again = os.path.join(self.home.path, "again")
        git("clone", "-q", "-b", "main", remote, again)
        self.assertEqual(git("rev-parse", "HEAD", cwd=again), git("rev-parse", "HEAD", cwd=work))
        self.assertIn("/project.git/git-receive-pack", [request[1] for request in web.requests])

    def test_apt(self):
        repository = os.path.join(self.home.path, "debian")
        os.mkdir(repository)
        packages = (b"Package: mayfly-example\nVersion: 1.0\nArchitecture: all\nMaintainer: t\n"
                    b"Filename: ./mayfly-example.deb\nSize: 1\nSHA256: " + b"0" * 64 + b"\n"
                    b"Description: an example\n")
        digest = hashlib.sha256(packages).hexdigest()
        for name, content in [("Packages", packages), ("Release", (
                f"Origin: example\nSuite: stable\nCodename: stable\nArchitectures: all amd64 arm64\n"
                f"SHA256:\n {digest} {len(packages)} Packages\n").encode())]:
            with open(os.path.join(repository, name), "wb") as file:
                file.write(content)
        web = self.web(files_below(repository))
        _, port = self.at_free_port()
        root = os.path.join(self.home.path, "apt")
        for name in ("etc", "lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(root, name))
        with open(os.path.join(root, "etc", "sources.list"), "w", encoding="ascii") as file:
            file.write(f"deb [trusted=yes] http://127.0.0.1:{port} ./\n")
        with open(os.path.join(root, "status"), "w", encoding="ascii"):
            pass
        with open(os.path.join(root, "apt.conf"), "w", encoding="ascii") as file:
            file.write(f'Dir::Etc "{root}/etc";\nDir::Etc::parts "none";\nDir::Etc::sourceparts "none";\n'
                       f'Dir::State "{root}";\nDir::State::lists "{root}/lists";\n'
                       f'Dir::State::status "{root}/status";\nDir::Cache "{root}/cache";\n'
                       'APT::Sandbox::User "";\nAcquire::Languages "none";\n')
        environment = {"PATH": os.environ["PATH"], "APT_CONFIG": os.path.join(root, "apt.conf"),
                       "HOME": self.home.path}
        update = run([programs.system("apt-get"), "update"], env=environment)
        self.assertEqual(update.code, 0, update)
        shown = run([programs.system("apt-cache"), "show", "mayfly-example"], env=environment)
        self.assertIn(b"an example", shown.out, f"{shown} {update}")
        self.assertIn("/./Packages", [request[1] for request in web.requests])
