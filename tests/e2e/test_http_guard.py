"""mayfly http: the requests that it refuses before anything reaches the edge."""
import base64
import http.client
import os
import socket
import ssl

from harness import programs
from harness.case import USAGE
from harness.http_case import HOST, HttpCase, name_of_this_computer
from harness.waiting import GENEROUS
from harness.web import Web

# Spellings of "/cdn-cgi/access/cli" that a client could use. The test edge understands all of them.
SPELLINGS = ["/cdn-cgi/access/cli", "//cdn-cgi/access/cli", "/./cdn-cgi/access/cli", "/cdn-cgi//access/cli",
             "/x/../cdn-cgi/access/cli", "/cdn-cgi/x/../access/cli", "/CDN-CGI/Access/CLI",
             "/%63dn-cgi/access/cli", "/cdn-cgi%2faccess/cli", "/cdn-cgi/acces%73/cli",
             "/%2563dn-cgi/access/cli", "/%252563dn-cgi/access/cli", "/x/%2e%2e/cdn-cgi/access/cli",
             "/x/%252e%252e/cdn-cgi/access/cli", "/cdn-cgi%5caccess/cli", "/cdn-cgi\\access\\cli"]


class Guard(HttpCase):
    """None of these requests reaches the edge."""

    def tearDown(self):
        self.assertEqual(self.requests(), [])

    def refused(self, port, request, status, word, host=None):
        text = self.talk(port, request, host)
        self.assertTrue(text.startswith(f"HTTP/1.1 {status} "), text)
        self.assertIn(word, text)

    def test_rebound_names(self):
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

    def test_browsers_at_names_without_sec_fetch_site(self):
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
        for method in ("trace", "TRACK", "Track", "DEBUG", "ECHO", "get"):
            self.refused(port, f"{method} / HTTP/1.1\r\nHost: HOST\r\n\r\n", 405, method)

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


class PathsOfAccess(HttpCase):
    """At /cdn-cgi/access/cli, Access encrypts the tokens of the client to the public key in the query."""

    def setUp(self):
        super().setUp()
        self.edge.configure(poll_seconds=0.1)

    def lure(self, path="/cdn-cgi/access/cli"):
        """Returns a target that gives the tokens to an attacker, and the attacker's public key."""
        key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        return (f"{path}?aud={self.edge.audience('wiki')}&edge_token_transfer=true&send_org_token=true"
                f"&token={key}"), key

    def at_edge(self, host, target, **headers):
        connection = http.client.HTTPSConnection(host, timeout=GENEROUS)
        raw = socket.create_connection(("127.0.0.1", self.edge.port), timeout=GENEROUS)
        connection.sock = ssl.create_default_context(cafile=self.edge.ca).wrap_socket(
            raw, server_hostname=host)
        connection.request("GET", target, headers={n.replace("_", "-"): v for n, v in headers.items()})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def collects(self, key):
        """Returns whether the attacker finds tokens at the transfer service."""
        status, _ = self.at_edge("login.cloudflareaccess.org", f"/transfer/{key}")
        return status == 200

    def test_edge_gives_tokens_to_a_client_with_a_token(self):
        for path in SPELLINGS:
            for header in ({"Cf_Access_Token": self.token}, {"Cookie": f"CF_Authorization={self.token}"}):
                target, key = self.lure(path)
                with self.subTest(path):
                    self.assertEqual(self.at_edge(HOST, target, **header)[0], 200)
                    self.assertTrue(self.collects(key))
        target, key = self.lure()
        self.assertEqual(self.at_edge(HOST, target)[0], 302)
        self.assertFalse(self.collects(key))

    def test_another_user_of_this_computer_collects_nothing(self):
        running, port = self.at_free_port()
        for path in SPELLINGS:
            target, key = self.lure(path)
            with self.subTest(path):
                result = self.curl("--path-as-is", "-w", "%{http_code}", f"http://127.0.0.1:{port}",
                                   "--request-target", target)
                self.assertFalse(self.collects(key))
                self.assertRegex(result.out.decode(), "(?s)a path of Access itself.*403$")
        self.assertEqual(self.edge.log(HOST), [])
        self.assertEqual(running.err.count("WRN the request is refused: "), len(SPELLINGS), running.err)
        self.assertNotIn("token=", running.err)

    def test_paths_of_access_are_refused_to_every_client(self):
        _, port = self.at_free_port()
        target, key = self.lure()
        head = "Host: HOST\r\n"
        upgrade = head + "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        for line, fields in [(f"GET {target}", upgrade), (f"GET http://HOST{target}", head),
                             (f"HEAD {target}", head), (f"OPTIONS {target}", head),
                             ("GET /cdn-cgi/access", head), ("GET /cdn-cgi/access/logout", head),
                             ("GET /cdn-cgi/access/get-identity", head),
                             ("POST /cdn-cgi/access/callback", head + "Content-Length: 0\r\n"),
                             ("GET /cdn-cgi/access/authorized?nonce=1", head)]:
            text = self.talk(port, f"{line} HTTP/1.1\r\n{fields}\r\n")
            self.assertTrue(text.startswith("HTTP/1.1 403 "), text)
        self.assertFalse(self.collects(key))
        self.assertEqual(self.edge.log(HOST), [])

    def test_application_on_a_path(self):
        self.edge.application("wiki", hostname=f"{HOST}/admin")
        self.know("wiki")
        _, port = self.at_free_port(host=f"{HOST}/admin")
        for path in SPELLINGS + ["/admin/%252e%252e/cdn-cgi/access/cli", "/admin/..;/cdn-cgi/access/cli"]:
            target, key = self.lure(path)
            with self.subTest(path):
                text = self.talk(port, f"GET {target} HTTP/1.1\r\nHost: HOST\r\n\r\n")
                self.assertTrue(text.startswith("HTTP/1.1 403 "), text)
                self.assertFalse(self.collects(key))
        self.assertEqual(self.edge.log(HOST), [])

    def test_other_paths_of_cloudflare_pass(self):
        _, port = self.at_free_port()
        for path in ("/cdn-cgi/trace", "/cdn-cgi/rum", "/docs/cdn-cgi/access/cli",
                     "/?q=/cdn-cgi/access/cli"):
            self.assertEqual(self.get(port, path)[0], 200)

    def test_tunnel_to_such_a_path(self):
        target, key = self.lure()
        for command in ("tcp", "ssh", "socks", "http"):
            result = self.home.mayfly(command, "--hostname", HOST + target)
            self.assert_error(result, USAGE, "path of Access")
        self.assertFalse(self.collects(key))
        self.assertEqual(self.edge.log(HOST), [])

    def test_commands_at_such_a_path(self):
        """Each command, with each credential, gets an attacker's address instead of the application's."""
        self.edge.application("wiki", service_tokens=[{"id": "svc.access", "secret": "s3cret"}])
        self.home.plant_org_token()
        service = ["--service-token-id", "svc.access", "--service-token-secret", "s3cret"]
        for command in (["login", "--batch", "-q"], ["token"], ["ssh-gen", "--batch", "--hostname"],
                        ["login", "--batch", "-q", *service], ["token", *service],
                        ["ssh-gen", "--batch", *service, "--hostname"]):
            for path in ("/cdn-cgi/access/cli", "//cdn-cgi/access/cli", "/%63dn-cgi/access/cli"):
                target, key = self.lure(path)
                with self.subTest(command, path=path):
                    result = self.home.mayfly(*command, f"https://{HOST}{target}")
                    self.assertFalse(self.collects(key))
                    self.assert_error(result, USAGE, "path of Access")
        self.assertEqual(self.edge.log(HOST), [])

    def test_query_of_the_application_goes_with_no_credential(self):
        self.assert_done(self.home.mayfly("login", "--batch", "-q", f"https://{HOST}/page?somebody=elses"))
        targets = [entry["target"] for entry in self.edge.log(HOST)]
        self.assertIn("/page?cloudflared_token_check=true", targets)
        self.assertFalse([target for target in targets if "somebody" in target])

    def with_curl(self):
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))

    def test_curl_at_such_a_path(self):
        self.with_curl()
        for path in SPELLINGS + ["/{cdn-cgi,x}/access/cli", "/[c-c]dn-cgi/access/cli", "/%6[3-3]dn-cgi/access/cli"]:
            target, key = self.lure(path)
            lured = f"https://{HOST}{target}"
            escaped = lured.replace("\\", "\\\\")
            file = self.home.plant("../curl.conf", f'url = "{escaped}"\n')
            for arguments in ([lured], ["--path-as-is", lured], [f"https://{HOST}/", lured], ["--url", lured],
                              ["-K", file, f"https://{HOST}/"], [f"https:/{HOST}{target}"],
                              ["--request-target", target, f"https://{HOST}/"]):
                if arguments[0] == "--request-target" and set("{[") & set(path):
                    continue  # curl expands no globs there.
                with self.subTest(arguments):
                    result = self.home.mayfly("curl", "--batch", "-s", "--allow-redirects", *arguments)
                    self.assertFalse(self.collects(key))
                    self.assertEqual(result.code, USAGE, result)
        self.assertEqual(self.edge.log(HOST), [])

    def test_curl_requests_get_identity(self):
        self.with_curl()
        result = self.home.mayfly("curl", "--batch", "-s", f"https://{HOST}/cdn-cgi/access/get-identity")
        self.assert_done(result)
        self.assertIn("/cdn-cgi/access/get-identity", [e["target"] for e in self.edge.log(HOST)])

    def test_redirect_of_the_application_to_such_a_path(self):
        self.with_curl()
        target, key = self.lure()
        web = Web(lambda handler: handler.say(302, Location="/" if handler.path == "/next" else target))
        self.addCleanup(web.stop)
        self.edge.application("wiki", origin=web.address)
        following = "location\nmax-redirs = 9\n"
        file = self.home.plant("../curl.conf", f'{following}url = "https://{HOST}/"\nnext\n')
        for arguments in (["-L"], ["--location-trusted"], ["-L", "--max-redirs", "9"], ["-K", file]):
            with self.subTest(arguments):
                result = self.home.mayfly("curl", "--batch", "-s", *arguments, f"https://{HOST}/")
                self.assertFalse(self.collects(key))
                if "-K" not in arguments:
                    self.assertEqual(result.code, 47, result)
                    self.assertIn("--allow-redirects", result.err)
        self.assertTrue(web.requests, "the token did not reach the application")
        for spelling in SPELLINGS:  # at the end of a chain that is followed
            target, key = self.lure(spelling)
            self.edge.ask("DELETE", "/log")
            with self.subTest(spelling):
                result = self.home.mayfly("curl", "--batch", "-sL", f"https://{HOST}/next")
                self.assertFalse(self.collects(key))
                self.assertEqual(result.code, 47, result)
                self.assertEqual([e["target"] for e in self.edge.log(HOST) if "token_check" not in e["target"]][-2:],
                                 ["/next", "/"])
        target, key = self.lure()
        self.home.mayfly("curl", "--batch", "-s", "-L", "--allow-redirects", f"https://{HOST}/")
        self.assertTrue(self.collects(key), "the edge of the tests hands out nothing, so the rest shows nothing")
