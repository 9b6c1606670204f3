"""Service tokens in strict and in classic organisations: what each request costs, what is said, and rotations."""
import json
import os
import struct

from harness import programs
from harness.case import DONE, FAILED, LOGIN_NEEDED, REFUSED, USAGE, EdgeCase
from harness.edge import header
from harness.http_case import HOST, HttpCase
from harness.listener import ListenerCase, receive
from harness.process import PIPE
from harness.origin import Origin

ID, SECRET = "0123456789abcdef0123456789abcdef.access", "cfast_" + "s3cr" * 12
GIVEN = {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET}
WRONG = {**GIVEN, "TUNNEL_SERVICE_TOKEN_SECRET": "cfast_" + "w0ng" * 12}
TOKENS = [{"id": ID, "secret": SECRET}]
# An organisation, and whether the headers are needed with each request there.
KINDS = {"strict": {"strict_service_token_auth": True},
         "classic": {"strict_service_token_auth": False},
         "classic, headers always": {"strict_service_token_auth": False, "service_token_use": "always"}}


class Tunnels(ListenerCase):
    def prepare(self, **more):
        self.fresh()
        self.edge.application("echo", policy="service", service_tokens=TOKENS, **more)

    def know_application(self):
        """Makes the record, by a tunnel."""
        self.tunnel()
        self.edge.ask("DELETE", "/log")
        self.edge.ask("DELETE", "/stats")

    def tunnel(self, env=None):
        running = self.home.start("tcp", "--hostname", "echo.example.com", env=env or GIVEN, stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        return self.assert_done(running.finish())

    def cost(self):
        return self.edge.traffic("echo")

    def assert_headers_of_each(self, credentials):
        """Each request to the application but the question for its metadata has these headers and no other token."""
        for entry in self.edge.log("echo.example.com"):
            wanted = [] if header(entry, "CF-Access-Metadata-Request") else credentials
            self.assertEqual(header(entry, "Cf-Access-Client-Id"), wanted and [ID])
            self.assertEqual(len(header(entry, "Cf-Access-Client-Secret")), len(wanted))
            self.assertEqual(header(entry, "Cf-Access-Token") + header(entry, "Cookie"), [])

    def test_known_application_costs_one_connection_and_one_request(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                self.home.plant_token("echo")  # of a person
                self.know_application()
                for _ in range(2):
                    self.tunnel()
                self.assertEqual(self.cost(), {"connections": 2, "requests": 2, "origin_requests": 2})
                self.assertEqual(self.edge.hosts(), {"echo.example.com"})
                self.assert_headers_of_each([ID])

    def test_new_application_costs_the_question_besides(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                self.tunnel()
                self.assertEqual(self.cost(), {"connections": 2, "requests": 2, "origin_requests": 1})
                self.assert_headers_of_each([ID])
                self.assertFalse([name for name in self.home.files() if name.endswith("-token")])

    def test_nothing_but_the_tunnel_reaches_the_origin(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                self.tunnel()
                reached = self.edge.reached_origin("echo")
                self.assertEqual([entry["status"] for entry in reached], [101])

    def test_listener_with_eight_connections(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                self.know_application()
                running, port = self.at_free_port(env=GIVEN)
                for connection in [self.connect(port) for _ in range(8)]:
                    self.assert_echo(connection)
                self.assertEqual(self.cost(), {"connections": 8, "requests": 8, "origin_requests": 8})
                self.assert_headers_of_each([ID])
                running.kill()

    def test_application_that_changes_from_one_kind_to_the_other(self):
        self.prepare(**KINDS["classic"])
        self.assert_done(self.home.mayfly("login", "-q", "echo.example.com", env=GIVEN))
        self.assertIn(self.home.token_name("echo"), self.home.files())
        running, port = self.at_free_port(env=GIVEN)
        for kind in ("classic", "strict", "classic, headers always", "classic"):
            with self.subTest(kind):
                self.edge.application("echo", **{"service_token_use": "first", **KINDS[kind]})
                self.edge.ask("DELETE", "/stats")
                self.assert_echo(self.connect(port))
                self.tunnel()
                self.assertEqual(self.cost()["requests"], 2)
        self.assertFalse(running.has_ended())

    def test_socks(self):
        self.prepare(origin="bastion", strict_service_token_auth=True)
        origin = Origin(lambda connection: connection.sendall(connection.recv(7)))
        self.addCleanup(origin.stop)
        running = self.home.start("socks", "--hostname", "echo.example.com", "--url", "127.0.0.1:0", env=GIVEN)
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        for _ in range(2):
            connection = self.connect(port)
            connection.sendall(b"\5\1\0" + b"\5\1\0\1" + bytes([127, 0, 0, 1]) + struct.pack(">H", origin.port))
            receive(connection, 12)
            self.assert_echo(connection)
        self.assertEqual(self.cost()["requests"], 4)  # with the question and the trial

    def assert_refused(self, result, *words):
        self.assert_error(result, REFUSED, "service token", "service auth", *words)
        self.assertEqual((self.home.browsed(), self.edge.stats()["polls"]), ([], 0))

    def test_what_is_said_of_a_refused_token(self):
        causes = ("expired", "disabled", "cleaned up after a long time without use", "rotated")
        for action in ("expire", "disable", "delete", "rotate"):
            for mark in ("challenge", "aud", "none"):
                with self.subTest(action=action, mark=mark):
                    self.prepare(strict_service_token_auth=True, strict_401=mark)
                    self.home.install_idle_browser()
                    self.know_application()
                    self.edge.service_token(ID, action)
                    result = self.home.mayfly("tcp", "--hostname", "echo.example.com", env=GIVEN)
                    self.assert_refused(result, "401", *causes)
                    self.assertEqual(self.cost()["requests"], 1)  # no try again without another secret

    def test_what_is_said_without_a_policy(self):
        self.prepare(strict_service_token_auth=True)
        self.edge.configure(teams={"acme": {"service_tokens": TOKENS}})
        self.edge.application("echo", service_tokens=[])
        self.home.install_idle_browser()
        self.assert_refused(self.home.mayfly("tcp", "--hostname", "echo.example.com", env=GIVEN),
                            "403", "needs a policy with the action service auth")

    # Rotation

    def with_file(self):
        return ("--service-token-id", ID, "--service-token-secret-file", self.plant_secret(SECRET))

    def plant_secret(self, secret):
        """Replaces the file as a rotation does: whole, by renaming."""
        folder = os.path.join(self.home.path, "secrets")
        os.makedirs(folder, 0o700, exist_ok=True)
        path = os.path.join(folder, "token")
        with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as new:
            new.write(secret + "\n")
        os.rename(path + ".new", path)
        return path

    def test_rotation_while_a_listener_runs(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                self.know_application()
                running, port = self.at_free_port(*self.with_file())
                self.assert_echo(self.connect(port))
                # At once: the listener still has the old secret at hand, and is refused once.
                self.plant_secret(self.edge.service_token(ID, "rotate")["secret"])
                self.assert_echo(self.connect(port))
                self.assertLessEqual(self.cost()["requests"], 3)
                self.assert_echo(self.connect(port))
                self.assertNotIn("ERR", running.err)
                running.kill()

    def test_rotation_that_the_file_follows_later(self):
        self.prepare(strict_service_token_auth=True)
        self.know_application()
        running, port = self.at_free_port(*self.with_file())
        self.assert_echo(self.connect(port))
        secret = self.edge.service_token(ID, "rotate")["secret"]
        self.assertEqual(self.connect(port).recv(1), b"")
        running.wait_err("ERR .*service token.*rotated")
        self.plant_secret(secret)
        self.assert_echo(self.connect(port))
        self.assertFalse(running.has_ended())

    def test_rotation_with_a_grace_period(self):
        self.prepare(strict_service_token_auth=True)
        self.know_application()
        running, port = self.at_free_port(*self.with_file())
        secret = self.edge.service_token(ID, "rotate", grace=3600)["secret"]
        self.assert_echo(self.connect(port))
        self.plant_secret(secret)
        self.assert_echo(self.connect(port))
        self.assertNotIn("ERR", running.err)

    def test_secret_that_does_not_change_is_not_tried_again(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                self.know_application()
                running, port = self.at_free_port(env=WRONG)
                for _ in range(3):
                    self.assertEqual(self.connect(port).recv(1), b"")
                running.wait_err("(?s)(ERR .*service token.*){3}")
                self.assertEqual(self.cost()["requests"], 3)
                running.kill()


class Commands(EdgeCase):
    """What login, token and ssh-gen say, and mistakes in the flags."""

    def setUp(self):
        super().setUp()
        self.prepare(True)

    def prepare(self, strict):
        self.edge.strict(strict)
        for name in ("ssh", "web"):
            self.edge.application(name, policy="service", service_tokens=TOKENS,
                                  certificate={"service_principals": ["deploy"]})
        self.home.install_idle_browser()

    def test_login_says_that_nothing_is_stored(self):
        result = self.assert_done(self.home.mayfly("login", "web.example.com", env=GIVEN))
        self.assertEqual(result.out, b"")
        self.assertIn("nothing is stored", result.err)
        self.assertIn("strict", result.err)
        self.assertIn("goes with each request", result.err)
        self.assertFalse([name for name in self.home.files() if name.endswith("-token")])
        self.assertEqual(self.edge.traffic("web")["requests"], 2)

    def test_login_says_so_in_json(self):
        result = self.assert_done(self.home.mayfly("login", "--json", "web.example.com", env=GIVEN))
        report = json.loads(result.out)
        self.assertEqual((report["stored"], report["expires"], report["application"]),
                         (False, None, "web.example.com"))
        self.assertIn("strict", report["why_not_stored"])
        self.assertIn("nothing is stored", result.err)
        self.prepare(False)
        result = self.assert_done(self.home.mayfly("login", "--json", "web.example.com", env=GIVEN))
        report = json.loads(result.out)
        self.assertEqual((report["stored"], report["why_not_stored"], report["identity"]), (True, None, ID))
        self.assertEqual(result.err, "")

    def test_login_takes_away_what_the_organisation_issues_no_more(self):
        self.prepare(False)
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com", env=GIVEN))
        self.assertIn(self.home.token_name("web"), self.home.files())
        self.prepare(True)
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com", env=GIVEN))
        self.assertNotIn(self.home.token_name("web"), self.home.files())

    def test_login_with_a_refused_token(self):
        for mark in ("challenge", "aud"):
            self.edge.application("web", strict_401=mark)
            result = self.assert_error(self.home.mayfly("login", "web.example.com", env=WRONG), REFUSED,
                                       "the service token was not accepted", "401", "rotated")
            self.assertNotIn(WRONG["TUNNEL_SERVICE_TOKEN_SECRET"], result.err)
        self.assertEqual(self.home.browsed(), [])

    def test_token_says_why_there_is_none(self):
        for name in ("login", "token"):
            self.home.mayfly(name, "web.example.com", env=GIVEN)
        result = self.home.mayfly("token", "web.example.com", env=GIVEN)
        self.assertEqual((result.code, result.out), (FAILED, b""), result)
        self.assertIn("goes with each request", result.err)
        self.assertNotIn("run login", result.err)

    def test_token_of_a_person_says_what_it_said(self):
        result = self.home.mayfly("token", "web.example.com")
        self.assertEqual(result.code, LOGIN_NEEDED, result)
        self.assertIn("Please run login command", result.err)

    def test_ssh_gen_says_that_a_service_token_earns_no_certificate(self):
        result = self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", env=GIVEN)
        self.assert_error(result, FAILED, "a service token earns none there", "strict", "ssh key of your own")
        self.assertEqual(self.edge.log(path="/cdn-cgi/access/cert_sign"), [])
        self.prepare(False)
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", env=GIVEN))

    def test_id_and_secret_swapped(self):
        swapped = {"TUNNEL_SERVICE_TOKEN_ID": SECRET, "TUNNEL_SERVICE_TOKEN_SECRET": ID}
        old = "0123456789abcdef" * 4
        for env in (swapped, {**swapped, "TUNNEL_SERVICE_TOKEN_ID": old}):
            for command in (["login", "web.example.com"], ["tcp", "--hostname", "web.example.com"],
                            ["ssh-gen", "--hostname", "web.example.com"], ["http", "--hostname", "web.example.com"],
                            ["socks", "--hostname", "web.example.com"], ["curl", "https://web.example.com"],
                            ["token", "web.example.com"]):
                with self.subTest(command=command):
                    result = self.home.mayfly(*command, env=env)
                    self.assert_error(result, USAGE, "swapped")
                    self.assertNotIn(env["TUNNEL_SERVICE_TOKEN_ID"], result.err)
        result = self.home.mayfly("ssh-config", "--hostname", "ssh.example.com", "--service-token-id", SECRET)
        self.assert_error(result, USAGE, "swapped")
        self.assertEqual(self.edge.log(), [])

    def test_header_beside_the_flags(self):
        secret = self.home.plant("../headers", f"X-A: b\ncf-access-client-secret: {SECRET}\n")
        for command in (["tcp", "--hostname", "web.example.com"], ["tcp", "--hostname", "web.example.com", "--url", "[::1]:0"],
                        ["http", "--hostname", "web.example.com"], ["socks", "--hostname", "web.example.com"],
                        ["curl", "https://web.example.com"]):
            for value in (f"CF-Access-Client-Id: {ID}", f"cf-access-client-secret:{SECRET}"):
                with self.subTest(command=command, value=value[:20]):
                    for arguments in ([*command, "-H", value], [*command, "--header", value]):
                        result = self.home.mayfly(*arguments, env=GIVEN)
                        self.assert_error(result, USAGE, "Access rejects a request with both")
                        self.assertNotIn(SECRET, result.err)
        config = self.home.plant("../curl.cfg", f'header = "CF-Access-Client-Id: {ID}"\n')
        for more in (["-H", f"@{secret}"], ["--config", config], ["-H", "CF-Access-Client-Id;"]):
            with self.subTest(more):
                self.assert_error(self.home.mayfly("curl", *more, "https://web.example.com", env=GIVEN), USAGE,
                                  "Access rejects a request with both")
        self.assertEqual(self.edge.log(), [])

    def test_doctor(self):
        for strict in (True, False):
            self.prepare(strict)
            self.edge.application("web", origin="echo")
            self.edge.ask("DELETE", "/log")
            result = self.home.mayfly("doctor", "--hostname", "web.example.com", env=GIVEN)
            self.assertIn("is accepted", result.out.decode())
            self.assertIn("the tunnel opens", result.out.decode())
            for entry in self.edge.log("web.example.com"):
                self.assertEqual(header(entry, "Cf-Access-Token"), [])
        result = self.home.mayfly("doctor", "--hostname", "web.example.com", env=WRONG)
        self.assertEqual(result.code, REFUSED, result)
        self.assertIn("rotated", result.out.decode())


class Curl(EdgeCase):
    def setUp(self):
        super().setUp()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.home.install_idle_browser()
        self.prepare()

    def prepare(self, **more):
        self.edge.application("web", policy="service", service_tokens=TOKENS, **more)

    def curl(self, *arguments, env=None):
        return self.home.mayfly("curl", "-sS", *arguments, env=env or GIVEN)

    def test_request_has_the_headers_and_is_the_only_one(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                self.assert_done(self.curl("https://web.example.com"))
                self.edge.ask("DELETE", "/stats")
                result = self.assert_done(self.curl("https://web.example.com/page"))
                self.assertEqual(result.out, b"hello from web, " + ID.encode() + b"\n")
                self.assertEqual(self.edge.traffic("web"), {"connections": 1, "requests": 1, "origin_requests": 1})

    def test_own_answers_of_the_origin_come_through(self):
        own = {str(status): {"status": status, "body": f"the origin's {status}",
                             "headers": [["WWW-Authenticate", 'Basic realm="origin"'], ["X-Own", "yes"]]}
               for status in (401, 403)}
        own = {"/" + path: answer for path, answer in own.items()}
        for kind, settings in KINDS.items():
            for status in (401, 403):
                with self.subTest(kind=kind, status=status):
                    self.prepare(own_answers=own, **settings)
                    result = self.curl("-i", f"https://web.example.com/{status}")
                    self.assertEqual((result.code, result.err), (DONE, ""), result)
                    head, body = result.out.decode().split("\r\n\r\n")
                    self.assertTrue(head.startswith(f"HTTP/1.1 {status} "), head)
                    self.assertIn('WWW-Authenticate: Basic realm="origin"', head)
                    self.assertEqual(body, f"the origin's {status}")
                    self.assertEqual(self.curl("-f", f"https://web.example.com/{status}").code, 22)

    def test_refusal_is_named(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                for flags in ([], ["-o", "/dev/null"], ["-D", os.path.join(self.home.path, "heads")], ["-v"]):
                    result = self.curl(*flags, "https://web.example.com", env=WRONG)
                    self.assertEqual(result.code, REFUSED, result)
                    self.assertIn("mayfly: error: access to web.example.com refused: the service token was not "
                                  "accepted", result.err)
                    self.assertIn("rotated", result.err)
                    self.assertNotIn(WRONG["TUNNEL_SERVICE_TOKEN_SECRET"], result.err)
                self.assertEqual(self.curl("-f", "https://web.example.com", env=WRONG).code, 22)
        self.assertEqual(self.home.browsed(), [])

    def redirecting(self, location):
        self.prepare(strict_service_token_auth=True, own_answers={
            "/old": {"status": 302, "headers": [["Location", location]]}})

    def test_redirects_on_the_same_host(self):
        for location in ("/new", "https://web.example.com/new", "new?a=b"):
            for flags in ("-L",), ("-L", "--allow-redirects"):
                with self.subTest(location, flags=flags):
                    self.redirecting(location)
                    result = self.assert_done(self.curl(*flags, "https://web.example.com/old"))
                    self.assertEqual((result.out, result.err), (b"hello from web, " + ID.encode() + b"\n", ""))
                    asked = [entry["path"] for entry in self.edge.log("web.example.com")
                             if header(entry, "Cf-Access-Client-Secret")]
                    self.assertEqual(asked[-2:], ["/old", "/new"])

    def test_redirects_that_are_followed_by_curl_alone(self):
        """Several runs of curl would not do the same: the application could lead this one to the pages of Access."""
        self.redirecting("/new")
        for flags in (["-w", "%{http_code}"], ["-d", "a=b"], ["-c", "jar"]):
            with self.subTest(flags):
                result = self.curl("-L", *flags, "https://web.example.com/old")
                self.assertEqual(result.code, 47, result)
                self.assertIn("--allow-redirects", result.err)
                self.assert_done(self.curl("-L", "--allow-redirects", *flags, "https://web.example.com/old"))

    def test_redirects_elsewhere_do_not_get_the_secret(self):
        self.edge.application("echo", policy="none", origin="page")
        for location in ("https://echo.example.com/", "https://web.example.com:8443/", "http://web.example.com/",
                         "https://web.example.com.evil.example/"):
            with self.subTest(location):
                self.redirecting(location)
                self.edge.ask("DELETE", "/log")
                for flags in ("-L", "--allow-redirects"), ("-L",):
                    result = self.curl(*flags, "https://web.example.com/old")
                    self.assertNotEqual(result.code, DONE, result)
                    self.assertIn("goes to no other host", result.err)
                self.assertNotIn("echo.example.com", self.edge.hosts())
                told = {entry["host"] for entry in self.edge.log() if header(entry, "Cf-Access-Client-Secret")}
                self.assertEqual(told, {"web.example.com"})

    def test_addresses_that_the_user_gives_lead_nobody_else_to_the_secret(self):
        """As --resolve '*:443:...' or a resolver does that has an address for every name."""
        self.edge.application("echo", policy="none", origin="page")
        self.redirecting("https://echo.example.com/")
        self.edge.ask("DELETE", "/log")
        everything = [word for port in (443, 1, self.edge.port)
                      for word in ("--resolve", f"*:{port}:127.0.0.1")]
        result = self.curl("-L", "--allow-redirects", *everything, "https://web.example.com/old")
        self.assertNotEqual(result.code, DONE, result)
        self.assertNotIn("echo.example.com", self.edge.hosts())

    def test_ways_around_are_refused(self):
        self.redirecting("https://echo.example.com/")
        self.edge.ask("DELETE", "/log")
        elsewhere = "https://echo.example.com/"
        config = self.home.plant("../curl.cfg", f'url = "{elsewhere}"\n')
        mapping = self.home.plant("../map.cfg", f'connect-to = "::127.0.0.1:{self.edge.port}"\n')
        follow = ["-L", "--allow-redirects", "https://web.example.com/old"]
        for arguments in (["https://web.example.com/", elsewhere], ["https://web.example.com/", "http://web.example.com/"],
                          ["https://web.example.com/", "--next", elsewhere], ["--config", config, "https://web.example.com/"],
                          ["--config", mapping, *follow], ["-x", "http://127.0.0.1:9", *follow],
                          ["--socks5-hostname", "127.0.0.1:9", *follow], ["--unix-socket", "/tmp/x", *follow]):
            with self.subTest(arguments):
                self.assert_error(self.curl(*arguments), USAGE, "service token to its host")
        self.assertEqual([e for e in self.edge.log() if header(e, "Cf-Access-Client-Secret")], [])

    def test_configuration_of_curl_works(self):
        self.home.plant("../.curlrc", "user-agent = mine\n")
        self.prepare(strict_service_token_auth=True)
        self.assert_done(self.curl("https://web.example.com/"))
        self.assertEqual(header(self.edge.log("web.example.com")[-1], "User-Agent"), ["mine"])


class Http(HttpCase):
    def setUp(self):
        super().setUp()
        self.home.install_idle_browser()

    def prepare(self, **more):
        self.edge.application("wiki", policy="service", service_tokens=TOKENS, **more)
        self.edge.ask("DELETE", "/stats")

    def test_each_request_has_the_headers(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                running, port = self.at_free_port(env=GIVEN)
                for _ in range(3):
                    self.assertEqual(self.get(port)[::2], (200, b"hello from wiki, " + ID.encode() + b"\n"))
                self.assertEqual(self.edge.traffic("wiki"), {"connections": 1, "requests": 3, "origin_requests": 3})
                running.kill()

    def test_own_answers_of_the_origin_come_through(self):
        own = {"status": 401, "body": "the origin's", "headers": [["WWW-Authenticate", 'Basic realm="origin"']]}
        for kind, settings in KINDS.items():
            for status in (401, 403):
                with self.subTest(kind=kind, status=status):
                    self.prepare(own_answers={"/own": {**own, "status": status}}, **settings)
                    running, port = self.at_free_port(env=GIVEN)
                    for _ in range(2):
                        answered, headers, body = self.get(port, "/own")
                        self.assertEqual((answered, headers["WWW-Authenticate"], body),
                                         (status, 'Basic realm="origin"', b"the origin's"))
                    self.assertEqual(self.edge.traffic("wiki")["requests"], 2)
                    self.assertNotIn("ERR", running.err)
                    running.kill()

    def test_refused_token(self):
        for kind, settings in KINDS.items():
            with self.subTest(kind):
                self.prepare(**settings)
                running, port = self.at_free_port(env=WRONG)
                for _ in range(2):
                    status, _, body = self.get(port)
                    self.assertEqual(status, 403)
                    self.assertIn(b"the service token was not accepted", body)
                    self.assertIn(b"rotated", body)
                self.assertEqual(self.edge.traffic("wiki")["requests"], 2)
                running.kill()
        self.assertEqual(self.home.browsed(), [])

    def test_rotation(self):
        self.prepare(strict_service_token_auth=True)
        file = self.home.plant("../secret", SECRET + "\n")
        running, port = self.at_free_port("--service-token-id", ID, "--service-token-secret-file", file)
        self.assertEqual(self.get(port)[0], 200)
        self.home.plant("../secret", self.edge.service_token(ID, "rotate")["secret"] + "\n")
        self.assertEqual(self.get(port, method="POST", body=b"once")[0], 200)
        self.assertNotIn("ERR", running.err)
        self.assertEqual(HOST, self.edge.log()[-1]["host"])
