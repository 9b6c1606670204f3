"""Service tokens are accepted, remembered, and refused without ever opening a browser."""
import os
import time

from harness import programs
from harness.case import DONE, REFUSED, USAGE, EdgeCase
from harness.edge import claims, header
from harness.listener import ListenerCase
from harness.process import PIPE

ID, SECRET = "0123456789abcdef.access", "the-s3cret"
RIGHT = {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET}
WRONG = {**RIGHT, "TUNNEL_SERVICE_TOKEN_SECRET": "wrong-s3cret"}


class ServiceToken(EdgeCase):
    def setUp(self):
        super().setUp()
        self.prepare()

    def prepare(self, **more):
        for name in ("echo", "ssh"):
            self.edge.application(name, service_tokens=[{"id": ID, "secret": SECRET}],
                                  certificate={"service_principals": ["deploy"]}, **more)
        self.home.install_idle_browser()

    def commands(self):
        return (["login", "echo.example.com"], ["ssh", "--hostname", "echo.example.com"],
                ["ssh-gen", "--hostname", "ssh.example.com"])

    def test_earns_a_token_that_is_stored(self):
        result = self.assert_done(self.home.mayfly("login", "--no-verbose", "echo.example.com", env=RIGHT))
        self.assertEqual(self.home.text(self.home.token_name("echo")), result.out.decode())
        self.assertEqual(self.home.browsed(), [])

    def test_ways_to_give_a_service_token(self):
        file = self.home.plant("../secret", SECRET + "\n")
        for flags, env in [(["--service-token-id", ID, "--service-token-secret", SECRET], {}),
                           (["--id", ID, "--secret", SECRET], {}),
                           (["-id=" + ID, "-secret=" + SECRET], {}),
                           (["--service-token-id", ID, "--service-token-secret-file", file], {}),
                           ([], RIGHT)]:
            for command in self.commands():
                with self.subTest(command=command, flags=flags):
                    self.edge.ask("DELETE", "/log")
                    running = self.home.start(*command, *flags, env=env, stdin=PIPE)
                    if command[0] == "ssh":
                        running.write(b"through")
                        running.wait_out(7)
                        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
                    self.assert_done(running.finish())
                    for name in self.home.files():
                        if "-token" in name or "cf_key" in name:
                            self.home.plant(name, "")
        self.assertEqual(self.home.browsed(), [])

    def test_file_that_is_not_there_or_empty(self):
        empty = self.home.plant("../secret", "\n")
        for file, hint in (("/nowhere", "check the name of the file"), (empty, "the secret alone")):
            result = self.home.mayfly("login", "--id", ID, "--service-token-secret-file", file, "echo.example.com")
            self.assertIn(hint, self.assert_error(result, USAGE, file).err.splitlines()[-1])

    def test_as_it_was_copied(self):
        """From a file with the line ends of Windows, and as the header that dashboards offer for copying."""
        header_form = {"TUNNEL_SERVICE_TOKEN_ID": f"CF-Access-Client-Id: {ID}",
                       "TUNNEL_SERVICE_TOKEN_SECRET": f"cf-access-client-secret:{SECRET}\r"}
        file = self.home.plant("../secret", f"\ufeff{SECRET}\r\n")
        for flags, env in [([], {name: value + "\r" for name, value in RIGHT.items()}), ([], header_form),
                           (["--id", ID, "--service-token-secret-file", file], {})]:
            with self.subTest(flags=flags, env=env):
                self.assert_done(self.home.mayfly("login", "echo.example.com", *flags, env=env))
                self.assert_done(self.home.mayfly("logout", "--all"))
        for variable in RIGHT:
            broken = {**RIGHT, variable: f"a{RIGHT[variable]}\nX-Header: b"}
            result = self.assert_error(self.home.mayfly("login", "echo.example.com", env=broken), USAGE, variable)
            self.assertNotIn(SECRET, result.err)

    def test_file_that_others_can_read(self):
        file = self.home.plant("../secret", SECRET + "\n", mode=0o640)
        os.chmod(file, 0o640)  # whatever the umask
        for command in self.commands():
            with self.subTest(command=command):
                result = self.home.mayfly(*command, "--service-token-id", ID, "--service-token-secret-file", file)
                self.assert_error(result, USAGE, f"others can read it\nhint: run: chmod 600 {file}")
        self.assertEqual(self.edge.log(), [])

    def test_refused_is_the_end(self):
        for refusal in ("403", "login"):
            for number, command in enumerate(self.commands()):
                with self.subTest(refusal=refusal, command=command):
                    self.fresh()
                    self.prepare(service_refusal=refusal)
                    began = time.monotonic()
                    result = self.home.mayfly(*self.commands()[number], env=WRONG)
                    took = time.monotonic() - began
                    self.assert_error(result, REFUSED, "service auth", "example.com")
                    self.assertEqual(self.home.browsed(), [])
                    self.assertNotIn("wrong-s3cret", result.err)
                    self.assertEqual(self.edge.stats()["polls"], 0)
                    self.assertLess(took, 10)
                    self.assertFalse([f for f in self.home.files() if "token" in f or "cf_key" in f])

    def test_certificate_for_a_machine(self):
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", env=RIGHT))
        shown = self.home.keygen("-L", "-f", self.home.file("ssh.example.com-cf_key-cert.pub"))
        self.assertRegex(shown, r"Principals:\s+deploy\s")

    def test_half_of_a_service_token(self):
        for env in ({"TUNNEL_SERVICE_TOKEN_ID": ID}, {"TUNNEL_SERVICE_TOKEN_SECRET": SECRET}):
            result = self.home.mayfly("login", "echo.example.com", env=env)
            self.assert_error(result, USAGE, "service token")
            self.assertNotIn(SECRET, result.err)

    def test_token_of_a_person_is_not_used_in_its_place(self):
        self.home.plant_token("echo")
        result = self.home.mayfly("login", "--no-verbose", "echo.example.com", env=RIGHT)
        self.assertEqual(result.code, DONE, result)
        self.assertTrue(any(header(e, "Cf-Access-Client-Id") for e in self.edge.log()))

    def test_secret_goes_to_the_application_only(self):
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", env=RIGHT))
        for entry in self.edge.log():
            if entry["host"] != "ssh.example.com":
                self.assertEqual(header(entry, "Cf-Access-Client-Secret"), [], entry)


class Tunnels(ListenerCase):
    """Service tokens behind a listener and with curl, and the token that Access issues for one."""

    def setUp(self):
        super().setUp()
        self.prepare()

    def prepare(self, **more):
        for name in ("echo", "web"):
            self.edge.application(name, policy="service",
                                  service_tokens=[{"id": ID, "secret": SECRET}], **more)
            if self.home.token_name(name) in self.home.files():
                os.unlink(self.home.file(self.home.token_name(name)))
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.home.install_idle_browser()

    def assert_headers_alone(self, host):
        """The headers went with each request but the question for the metadata, and no token is stored."""
        for entry in self.edge.log(host):
            is_question = bool(header(entry, "CF-Access-Metadata-Request"))
            self.assertEqual(header(entry, "Cf-Access-Client-Id"), [] if is_question else [ID])
            self.assertEqual(header(entry, "Cf-Access-Token"), [])
        self.assertFalse([name for name in self.home.files() if name.endswith("-token")])
        self.assertEqual(self.home.browsed(), [])

    def test_listener(self):
        file = self.home.plant("../secret", SECRET + "\n")
        for flags, env in [(["--service-token-id", ID, "--service-token-secret", SECRET], {}),
                           (["-id=" + ID, "--service-token-secret-file", file], {}), ([], RIGHT)]:
            with self.subTest(flags):
                running, port = self.at_free_port(*flags, env=env)
                for _ in range(2):
                    self.assert_echo(self.connect(port))
                self.assert_headers_alone("echo.example.com")
                self.assertNotIn(SECRET, running.err)
                running.kill()

    def test_curl(self):
        file = self.home.plant("../secret", SECRET + "\n")
        for flags, env in [(["--service-token-id", ID, "--service-token-secret", SECRET], {}),
                           (["--service-token-id=" + ID, "--service-token-secret-file", file], {}),
                           ([], RIGHT)]:
            with self.subTest(flags):
                result = self.home.mayfly("curl", "-s", *flags, "https://web.example.com", env=env)
                self.assertEqual((result.code, result.out[:14]), (0, b"hello from web"), result)
                self.assert_headers_alone("web.example.com")

    def test_earned_token_is_printed_and_used_without_the_service_token(self):
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com", env=RIGHT))
        self.assertEqual(claims(self.home.text(self.home.token_name("web")))["common_name"], ID)
        logins = self.edge.stats()["service_logins"]
        for env in (RIGHT, {}):
            result = self.assert_done(self.home.mayfly("token", "web.example.com", env=env))
            self.assertEqual(result.out.decode(), self.home.text(self.home.token_name("web")))
        # The token alone opens the application.
        result = self.home.mayfly("curl", "-s", "https://web.example.com")
        self.assertEqual((result.code, result.out[:14]), (0, b"hello from web"), result)
        self.assertEqual(self.edge.stats()["service_logins"], logins)

    def test_token_prints_nothing_without_an_app_token(self):
        result = self.home.mayfly("token", "web.example.com", env=WRONG)
        self.assertNotEqual(result.code, 0, result)
        self.assertEqual(result.out, b"")
        self.assertEqual(self.home.browsed(), [])

    def test_refused_by_a_listener(self):
        for refusal in ("403", "login"):
            with self.subTest(refusal):
                self.fresh()
                self.prepare(service_refusal=refusal)
                running, port = self.at_free_port(env=WRONG)
                try:
                    self.assertEqual(self.connect(port).recv(1), b"")
                except ConnectionResetError:
                    pass
                running.wait_err("ERR .*echo.example.com.*Service Auth")
                self.assertFalse(running.has_ended())
                self.assertEqual((self.home.browsed(), self.edge.stats()["polls"]), ([], 0))

    def test_refused_around_curl(self):
        for refusal in ("403", "login"):
            with self.subTest(refusal):
                self.fresh()
                self.prepare(service_refusal=refusal)
                result = self.home.mayfly("curl", "-s", "https://web.example.com", env=WRONG)
                self.assertEqual(result.code, REFUSED, result)
                self.assertIn("mayfly: error: access to web.example.com refused: the service token", result.err)
                self.assertIn("Service Auth", result.err)
                self.assertEqual((self.home.browsed(), self.edge.stats()["polls"]), ([], 0))

    def test_refused_within_a_second_of_the_answer(self):
        for refusal in ("403", "login"):
            with self.subTest(refusal):
                self.fresh()
                self.prepare(service_refusal=refusal)
                result = self.home.mayfly("ssh", "--hostname", "echo.example.com", env=WRONG)
                ended = time.time()
                self.assert_error(result, REFUSED, "service auth")
                last = max(entry["time"] for entry in self.edge.log())
                self.assertLess(ended - last, 2)  # one second, and one more for a busy machine


class Signer(EdgeCase):
    def generate(self):
        self.edge.application("ssh", service_tokens=[{"id": ID, "secret": SECRET}])
        self.home.install_idle_browser()
        return self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", env=RIGHT)

    def assert_refused(self, result, words):
        self.assertEqual(result.code, REFUSED, result)
        self.assertIn(words, result.err)
        self.assert_printable(result.err)
        self.assertEqual((self.home.browsed(), self.edge.stats()["polls"]), ([], 0))
        self.assertFalse([name for name in self.home.files() if "cf_key" in name])

    def test_words_of_its_refusal(self):
        words = "service tokens get no certificate here; ask platform@example.com"
        self.edge.fault("cert_sign.json_error", {"value": words})
        self.assert_refused(self.generate(), words)

    def test_token_without_principals(self):
        result = self.generate()
        self.assertTrue(self.edge.log(path="/cdn-cgi/access/cert_sign"), result)
        entry = self.edge.log(path="/cdn-cgi/access/cert_sign")[-1]
        self.assertEqual(entry["status"], 403)
        self.assert_refused(result, "service tokens cannot be used to sign certificates")
