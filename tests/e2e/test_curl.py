"""mayfly access curl: becomes curl, and lends it the token where nobody else can see it."""
import http.server
import os
import threading

from harness import programs
from harness.authority import Authority
from harness.case import LOGIN_NEEDED, USAGE, EdgeCase
from harness.edge import header
from harness.origin import Origin, Proxy
from harness.waiting import eventually

URL = "https://web.example.com"
ID, SECRET = "0123456789abcdef.access", "the-s3cret"
PAGE = b"hello from web"


class HttpOrigin:
    """An HTTP server behind the edge: GET /STATUS answers with that status, POST sends back,
    GET /slow keeps curl waiting, and nobody else."""

    def __init__(self):
        self.going_on = going_on = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                word = self.path.strip("/")
                if word == "slow" and self.headers.get("User-Agent", "").startswith("curl/"):
                    going_on.wait(60)
                self._answer(int(word) if word.isdigit() else 200, b"the page")

            def do_POST(self):
                self._answer(200, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def _answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http:127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.going_on.set()
        self.server.shutdown()
        self.server.server_close()


class CurlCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.prepare()

    def prepare(self):
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.token = self.know("web")
        self.edge.ask("DELETE", "/log")

    def know(self, application):
        token = self.home.plant_token(application)
        hostname = self.edge.application(application)["hostname"]
        self.assert_done(self.home.mayfly("login", "--batch", "-q", hostname))
        return token

    def curl(self, *arguments, **more):
        return self.home.mayfly("access", "curl", *arguments, **more)

    def with_origin(self):
        origin = HttpOrigin()
        self.addCleanup(origin.stop)
        self.edge.application("web", origin=origin.address)

    def request(self):
        """What curl itself asked last."""
        return [e for e in self.edge.log("web.example.com")
                if any(v.startswith("curl/") for v in header(e, "User-Agent"))][-1]

    def assert_page(self, result):
        self.assert_done(result)
        self.assertTrue(result.out.startswith(PAGE), result)
        return result

    def carried(self, entry):
        """Whether a request of the edge's log holds the token, in whatever form."""
        return self.token in str(entry["headers"]) + entry["target"] + entry["body"]


class InPlace(CurlCase):
    def test_page(self):
        for before in ([], ["access"], ["forward"]):
            result = self.assert_page(self.home.mayfly(*before, "curl", "-s", URL))
            self.assertEqual(result.err, "")
        self.assertEqual(header(self.request(), "Cf-Access-Token"), [self.token])

    def test_exit_codes_are_curls(self):
        self.with_origin()
        for arguments, code in [(["-sf", URL + "/404"], 22), (["-s", URL + "/404"], 0),
                                (["-sf", URL + "/500"], 22), (["-s", "--no-such-option", URL], 2),
                                (["-s", "-o", "/nonexistent/file", URL], 23)]:
            with self.subTest(arguments):
                self.assertEqual(self.curl(*arguments).code, code)

    def test_stdin_and_stdout_are_curls(self):
        self.with_origin()
        data = bytes(range(256)) * 4096
        result = self.curl("-s", "--data-binary", "@-", URL, stdin=data)
        self.assertEqual(result.code, 0, result.err)
        self.assertTrue(result.out == data)

    def test_url_anywhere(self):
        for arguments in ([URL, "-s"], ["-s", URL, "-X", "GET"], ["-s", "--url", URL],
                          ["-X", "GET", "-s", URL], ["-sSX", "GET", URL], ["-s", "-H", "X-Url: https://other.example.com", URL],
                          ["-s", "-A", "https://other.example.com", "--url", URL],
                          ["-s", "--", URL], ["-s", URL + "/a{b}c?x={a}|\""], ["-sg", URL + "/{}?[]"],
                          ["-s", URL + "/[1-2]"], ["-s", "https://user:pw@web.example.com/"]):
            with self.subTest(arguments):
                self.edge.ask("DELETE", "/log")
                self.assert_page(self.curl(*arguments))
                self.assertTrue(any(self.carried(e) for e in self.edge.log("web.example.com")))
                self.assertNotIn("other.example.com", self.edge.hosts())

    def test_without_a_scheme_it_is_https(self):
        self.assert_page(self.curl("-s", "web.example.com"))

    def test_no_token_over_plain_http(self):
        heard = []

        def hear(connection):
            heard.append(connection.recv(10000).decode())
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        server = Origin(hear)
        self.addCleanup(server.stop)
        to = ["--connect-to", f"web.example.com:80:127.0.0.1:{server.port}"]
        for arguments in (["http://web.example.com/"], ["--proto-default", "http", "web.example.com"],
                          [URL, "--next", "-s", "http://web.example.com/"]):
            with self.subTest(arguments):
                del heard[:]
                self.assert_done(self.curl("-s", *to, *arguments, *to))
                self.assertIn("GET / ", heard[0])
                self.assertNotIn(self.token, heard[0])

    def test_next_url_without_a_scheme_is_https_too(self):
        self.edge.ask("DELETE", "/log")
        self.assert_done(self.curl("-s", URL, "--next", "-s", "web.example.com/next"))
        self.assertIn("/next", [entry["target"] for entry in self.edge.log("web.example.com")])

    def test_way_to_the_server(self):
        """The first entry that fits counts, for curl as for mayfly; those of the command line come first."""
        nobody = "web.example.com:443:127.0.0.1:1"
        edge = f"web.example.com:443:127.0.0.1:{self.edge.port}"
        rest = f":443:127.0.0.1:{self.edge.port}"
        for flags, entries in (([], [edge, nobody, rest]), (["--connect-to", edge], [nobody, rest])):
            with self.subTest(flags):
                self.assert_page(self.curl("-s", *flags, URL, "--next", "-s", *flags, URL,
                                           env={"MAYFLY_CONNECT_TO": ",".join(entries)}))

    def test_without_a_url(self):
        for arguments in ([], ["-s"], ["-o", URL]):
            with self.subTest(arguments):
                self.assert_error(self.curl(*arguments), USAGE, "URL")

    def test_curl_is_not_installed(self):
        os.unlink(os.path.join(self.home.bin, "curl"))
        result = self.curl("-s", URL)
        self.assert_error(result, 1, "curl")

    def test_signals_reach_curl_itself(self):
        self.with_origin()
        running = self.home.start("access", "curl", "-s", URL + "/slow")
        eventually("it has become curl", lambda: command_of(running)[:1] == ["curl"])
        running.process.terminate()
        self.assertEqual(running.finish().code, -15)


def command_of(running):
    with open(f"/proc/{running.pid}/cmdline", "rb") as file:
        return file.read().decode().split("\0")[:-1]


class Secrecy(CurlCase):
    def watch(self, *arguments, env=None):
        """Command line and environment of the curl that is waiting for an answer."""
        self.with_origin()
        running = self.home.start("access", "curl", "-s", *arguments, URL + "/slow", env=env)
        eventually("curl waits", lambda: running.has_ended() or command_of(running)[:1] == ["curl"] and any(
            v.startswith("curl/") for e in self.edge.log("web.example.com")
            for v in header(e, "User-Agent")))
        self.assertFalse(running.has_ended(), running.err)
        with open(f"/proc/{running.pid}/environ", "rb") as file:
            seen = "\n".join(command_of(running)) + file.read().decode()
        running.kill()
        return seen

    def test_token_is_neither_argument_nor_variable(self):
        for arguments in ([], ["-L"]):
            with self.subTest(arguments):
                self.edge.ask("DELETE", "/log")
                seen = self.watch(*arguments)
                self.assertNotIn(self.token, seen)
                self.assertNotIn(self.token.split(".")[2], seen)
                self.assertTrue(self.carried(self.request()))

    def test_secret_of_a_service_token(self):
        self.edge.application("web", service_tokens=[{"id": ID, "secret": SECRET}])
        path = os.path.join(self.home.path, "secret")
        with open(path, "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        os.chmod(path, 0o600)
        seen = self.watch("--service-token-id", ID, "--service-token-secret-file", path)
        self.assertNotIn(SECRET, seen)
        self.assertEqual(header(self.request(), "Cf-Access-Client-Secret"), [SECRET])

    def test_password_of_the_key_is_not_for_the_browser(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        authority.root("root")
        authority.device("device", "root")
        password = authority.write("password", "correct horse\n")
        authority.openssl("pkcs8", "-topk8", "-in", "device.key", "-out", "locked.key", "-v2", "aes256",
                          "-passout", f"file:{password}")
        os.unlink(self.home.file(self.home.token_name("web")))
        person = self.home.install_browser("person")
        seen = os.path.join(self.home.path, "seen")
        self.home.script("xdg-open", f'{programs.system("ls")} -l /proc/$$/fd > {seen}\nexec {person} "$@"\n')
        self.assert_page(self.curl("-s", "--cert", authority.path("device.pem"), "--key",
                                   authority.path("locked.key"), "--cert-password-file", password, URL))
        with open(seen, encoding="utf-8") as file:
            descriptors = file.read()
        self.assertIn(" 0 -> ", descriptors)
        self.assertNotIn("memfd", descriptors)

    def test_nothing_on_disk(self):
        before = self.home.snapshot()
        self.assert_page(self.curl("-s", URL))
        # What the application says of itself may have been asked anew.
        self.assert_unchanged(before, besides=("-app",))


class Jar(CurlCase):
    def found(self):
        """The files that hold the token, besides its own."""
        own = self.home.file(self.home.token_name("web"))
        for folder, _, names in os.walk(self.home.path):
            for path in (os.path.join(folder, name) for name in names):
                if path != own and os.path.isfile(path):
                    with open(path, "rb") as file:
                        if self.token.split(".")[2].encode() in file.read():
                            yield path

    def test_token_is_not_written_into_it(self):
        jar = os.path.join(self.home.path, "jar")
        for flags in (["-c", jar], ["-c" + jar], ["-s", "--cookie-jar", jar]):
            with self.subTest(flags):
                self.assert_page(self.curl("-s", *flags, URL))
                self.assertEqual(header(self.request(), "Cf-Access-Token"), [self.token])
                self.assertEqual(list(self.found()), [])

    def test_refused_where_the_token_is_a_cookie(self):
        jar = os.path.join(self.home.path, "jar")
        for flags in (["-L", "-c", jar], ["-sLc" + jar], ["--location", "--cookie-jar", jar],
                      ["-c", jar, "https://other.example.com/"]):
            with self.subTest(flags):
                self.assert_error(self.curl(URL, *flags), USAGE, "cookie jar")
                self.assertEqual(list(self.found()), [])


    def configure(self, name):
        """A curl configuration with a jar, and the jar."""
        jar = os.path.join(self.home.path, "jar")
        with open(os.path.join(self.home.path, name), "w", encoding="ascii") as file:
            file.write(f'cookie-jar = "{jar}"\n')
        return file.name

    def test_jar_of_a_configuration_is_left_alone(self):
        """The person did not ask for it with this command; curl would have told nobody."""
        for name, arguments in ((".curlrc", [URL]), (".curlrc", [URL, "--next", "-s", URL]), ("config", ["-K", "config", URL]), ("config", [URL, "--conf", "config"]),
                                ("config", [URL, "-Kconfig", "--next", "--config", "config", "-s", URL])):
            with self.subTest(arguments):
                self.edge.ask("DELETE", "/log")
                path = self.configure(name)
                self.assert_page(self.curl("-s", *arguments, cwd=self.home.path))
                self.assertIn(f"CF_Authorization={self.token}", "; ".join(header(self.request(), "Cookie")))
                self.assertEqual(list(self.found()), [])
                os.unlink(path)


class Elsewhere(CurlCase):
    """What curl is led to, or given besides, gets no token."""

    def setUp(self):
        super().setUp()
        self.edge.application("other", hostname="other.example.com", policy="none")
        self.with_redirects()

    def with_redirects(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(302)
                self.send_header("Location", "https://other.example.com/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.edge.application("web", origin=f"http:127.0.0.1:{server.server_address[1]}")

    def assert_kept(self, *arguments, **more):
        self.edge.ask("DELETE", "/log")
        result = self.curl("-s", *arguments, **more)
        asked = self.edge.log("other.example.com")
        self.assertTrue(asked, result)
        self.assertFalse(any(self.carried(e) for e in asked))
        self.assertTrue(any(self.carried(e) for e in self.edge.log("web.example.com")), result)

    def test_redirect_followed(self):
        for flags in (["-L"], ["--location"], ["-sL"], ["--location-trusted"]):
            with self.subTest(flags):
                self.assert_kept(*flags, URL)

    def test_second_url(self):
        self.assert_kept(URL, "https://other.example.com/")
        self.assert_kept(URL, "--next", "-s", "https://other.example.com/")

    def configure(self, place, line):
        path = os.path.join(self.home.path, place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(line + "\n")
        return path

    def test_redirect_that_a_configuration_follows(self):
        for place, env in ((".curlrc", {}), (".config/curlrc", {}),
                           ("curl/.curlrc", {"CURL_HOME": "curl"}), ("xdg/.curlrc", {"XDG_CONFIG_HOME": "xdg"})):
            with self.subTest(place):
                path = self.configure(place, "location")
                self.configure("xdg/curlrc", "location")  # its name for newer ones
                self.assert_kept(URL, env={name: os.path.join(self.home.path, folder)
                                           for name, folder in env.items()})
                os.unlink(path)

    def test_configuration_that_is_not_to_be_read(self):
        """curl heeds it as its first argument only."""
        self.configure(".curlrc", "location")
        for first in ("-q", "--disable", "-qs"):
            with self.subTest(first):
                self.edge.ask("DELETE", "/log")
                self.assertEqual(self.curl(first, "-s", URL).code, 0)
                self.assertEqual(self.edge.log("other.example.com"), [])
                self.assertEqual(header(self.request(), "Cf-Access-Token"), [self.token])

    def test_redirect_that_a_newer_curl_follows(self):
        """Options that this curl may not know: how the token would have been handed to it."""
        told = os.path.join(self.home.path, "told")
        os.unlink(os.path.join(self.home.bin, "curl"))
        self.home.script("curl", f"printf '%s\\n' \"$@\" > {told}\n")
        for flags in (["--follow"], ["--variable", "u=https://other.example.com", "--expand-url", "{{u}}"],
                      ["--url", "@list"], ["--option-of-tomorrow"]):
            with self.subTest(flags):
                self.assert_done(self.curl(*flags, URL))
                with open(told, encoding="utf-8") as file:
                    words = file.read().split("\n")
                self.assertIn("-b", words)
                self.assertNotIn("-H", words)

    def test_cookie_is_for_its_host_only(self):
        self.curl("-s", "-L", URL)
        request = self.request()
        self.assertEqual(header(request, "Cf-Access-Token"), [])
        self.assertIn(f"CF_Authorization={self.token}", "; ".join(header(request, "Cookie")))


class Tokens(CurlCase):
    def test_none_leads_to_a_login(self):
        os.unlink(self.home.file(self.home.token_name("web")))
        self.home.install_browser()
        self.assert_page(self.curl("-s", URL))
        self.assertEqual(len(self.home.browsed()), 1)

    def test_none_and_no_login_allowed(self):
        os.unlink(self.home.file(self.home.token_name("web")))
        self.assert_error(self.curl("-s", "--batch", URL), LOGIN_NEEDED)

    def test_request_without_a_token(self):
        os.unlink(self.home.file(self.home.token_name("web")))
        self.home.install_browser()
        for flag in ("--allow-request", "-ar"):
            for arguments in ([flag, "-s", URL], ["-s", URL, flag]):
                with self.subTest(arguments):
                    self.edge.ask("DELETE", "/log")
                    result = self.curl(*arguments, "-o", "/dev/null", "-w", "%{http_code}")
                    self.assertEqual((result.code, result.out), (0, b"302"), result)
                    request, = self.edge.log("web.example.com")[-1:]
                    self.assertEqual(header(request, "Cf-Access-Token"), [])
        self.assertEqual(self.home.browsed(), [])

    def test_allowed_without_one_still_uses_the_one_there_is(self):
        self.assert_page(self.curl("--allow-request", "-s", URL))
        self.assertEqual(header(self.request(), "Cf-Access-Token"), [self.token])

    def test_revoked_and_expired_ones_are_renewed(self):
        for how in ("revoked", "expired"):
            with self.subTest(how):
                self.fresh()
                self.prepare()
                self.home.install_browser()
                if how == "revoked":
                    self.edge.ask("POST", "/revoke", {"kind": "all"})
                else:
                    self.home.plant_token("web", expires_in=-5)
                self.assert_page(self.curl("-s", URL))
                self.assertEqual(len(self.home.browsed()), 1)
                self.assertNotEqual(self.home.text(self.home.token_name("web")), self.token)

    def test_revoked_one_with_an_org_token_needs_no_browser(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.home.plant_org_token()
        self.assert_page(self.curl("-s", "--batch", URL))
        self.assertEqual(self.edge.stats()["exchanges"], 1)


class SharedOptions(CurlCase):
    """curl's options about the way to the server also hold for what mayfly asks before."""

    def bare(self):
        """Nothing known, no help from the environment: all has to come from curl's options."""
        self.fresh()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.home.install_browser()
        self.home.plant_org_token()
        return {"MAYFLY_CONNECT_TO": None, "SSL_CERT_FILE": None}

    def assert_serves(self, *arguments, env):
        self.assert_page(self.curl("-s", "--batch", *arguments, URL, env=env))
        self.assertEqual(self.edge.stats()["exchanges"], 1)

    def test_cacert_and_connect_to(self):
        to = f"::127.0.0.1:{self.edge.port}"
        for flags in (["--cacert", self.edge.ca, "--connect-to", to], ["-k", "--connect-to", to],
                      ["--insecure", "--connect-to", to]):
            with self.subTest(flags):
                self.assert_serves(*flags, env=self.bare())

    def test_resolve(self):
        env = self.bare()
        proxyless = ["--resolve", "*:443:127.0.0.1"]
        result = self.curl("-s", "--batch", "--cacert", self.edge.ca, *proxyless, URL, env=env)
        # Nobody listens at port 443 there: being refused at once shows where it went.
        self.assertEqual(result.code, 5, result)
        self.assertIn("refused", result.err.lower())

    def test_proxy(self):
        for flag in ("--proxy", "-x"):
            with self.subTest(flag):
                env = self.bare()
                proxy = Proxy()
                self.addCleanup(proxy.stop)
                self.assert_serves(flag, f"http://127.0.0.1:{proxy.port}", "--cacert", self.edge.ca,
                                   "--connect-to", f"::127.0.0.1:{self.edge.port}", env=env)
                self.assertGreater(len(proxy.requests), 1, "only one of the two went by the proxy")

    def test_trust_is_not_given_up_without_being_told(self):
        env = self.bare()
        result = self.curl("-s", "--batch", "--connect-to", f"::127.0.0.1:{self.edge.port}", URL, env=env)
        self.assertEqual(result.code, 5, result)
        self.assertEqual(self.edge.log(), [])


class ServiceToken(CurlCase):
    def setUp(self):
        super().setUp()
        self.edge.application("web", policy="service", service_tokens=[{"id": ID, "secret": SECRET}])
        os.unlink(self.home.file(self.home.token_name("web")))
        self.home.install_idle_browser()

    def test_from_the_environment(self):
        env = {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET}
        self.assert_page(self.curl("-s", URL, env=env))
        self.assertIn(self.home.token_name("web"), self.home.files())
        self.assertEqual(self.home.browsed(), [])
