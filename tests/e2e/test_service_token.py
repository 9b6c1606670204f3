"""Service tokens: accepted, remembered, and refused without ever opening a browser."""
import time

from harness.case import DONE, REFUSED, USAGE, EdgeCase
from harness.edge import header
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

    def test_ways_to_give_it(self):
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

    def test_half_of_one(self):
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
