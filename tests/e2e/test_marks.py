"""Each mark by which Access wants a login renews the token, an origin that forges them gains nothing, and applications
with Managed OAuth take the normal login."""
import os

from harness import programs
from harness.case import DONE, LOGIN_NEEDED, REFUSED, EdgeCase
from harness.edge import claims, header
from harness.http_case import HttpCase
from harness.listener import ListenerCase
from harness.process import PIPE, run

XHR = ("-H", "X-Requested-With: XMLHttpRequest")
# Each mark has the settings of its application, the flags by which a tunnel provokes it, and its status.
MARKS = {"redirect": ({}, (), 302), "challenge": ({}, XHR, 401), "Managed OAuth": ({"managed_oauth": True}, (), 401)}
# The same for commands whose requests cannot have a header of the user.
COMMAND_MARKS = {"redirect": {}, "challenge": {"challenges_programs": True}, "Managed OAuth": {"managed_oauth": True}}
# Revoked app tokens leave the team's token, which earns another one without a browser.
REVOKED = {"kind": "app"}


class Tunnels(ListenerCase):
    def prepare(self, **settings):
        self.fresh()
        self.home.install_idle_browser()
        self.edge.application("echo", **settings)
        self.home.plant_org_token()
        self.know("echo")
        self.old = self.home.text(self.home.token_name("echo"))
        self.edge.ask("POST", "/revoke", REVOKED)
        self.edge.ask("DELETE", "/stats")

    def assert_renewed_once(self, status):
        """One dial with the old token, one exchange, one dial with the new token, and no browser."""
        upgrades = self.edge.upgrades("echo.example.com")
        self.assertEqual([entry["status"] for entry in upgrades], [status, 101])
        new = self.home.text(self.home.token_name("echo"))
        self.assertEqual([header(entry, "Cf-Access-Token") for entry in upgrades], [[self.old], [new]])
        self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))

    def test_in_the_middle_of_a_dial(self):
        for mark, (settings, flags, status) in MARKS.items():
            with self.subTest(mark):
                self.prepare(**settings)
                running = self.home.start("tcp", "--hostname", "echo.example.com", *flags, stdin=PIPE)
                running.write(b"through")
                running.wait_out(7)
                self.edge.ask("POST", "/close-tunnels", {"code": 1000})
                self.assert_done(running.finish())
                self.assert_renewed_once(status)

    def test_listener(self):
        for mark, (settings, flags, status) in MARKS.items():
            with self.subTest(mark):
                self.prepare(**settings)
                running, port = self.at_free_port("--batch", *flags)
                self.assert_echo(self.connect(port))
                self.assert_renewed_once(status)
                running.kill()

    def test_doctor(self):
        for mark in ("redirect", "Managed OAuth"):
            with self.subTest(mark):
                self.prepare(**MARKS[mark][0])
                result = self.home.mayfly("doctor", "--hostname", "echo.example.com")
                self.assertIn("the tunnel opens", result.out.decode())
                self.assertEqual(self.edge.stats()["exchanges"], 1)

    def test_doctor_without_another_token(self):
        for mark in ("redirect", "Managed OAuth"):
            with self.subTest(mark):
                self.prepare(**MARKS[mark][0])
                os.unlink(self.home.file("acme.cloudflareaccess.com-org-token"))
                result = self.home.mayfly("doctor", "--hostname", "echo.example.com")
                self.assertEqual(result.code, LOGIN_NEEDED, result)
                self.assertIn("no longer takes the stored token", result.out.decode())


class Socks(ListenerCase):
    def test_each_mark(self):
        for mark, (settings, flags, status) in MARKS.items():
            with self.subTest(mark):
                self.fresh()
                self.home.install_idle_browser()
                self.edge.application("echo", **settings)
                self.home.plant_org_token()
                self.know("echo")
                self.edge.ask("POST", "/revoke", REVOKED)
                running = self.home.start("socks", "--hostname", "echo.example.com", "--url", "127.0.0.1:0", *flags)
                port = int(self.places(running)[0].rsplit(":", 1)[1])
                connection = self.connect(port)
                connection.sendall(b"\5\1\0" + b"\5\1\0\1\x7f\0\0\1\0\x16")
                while len(connection.recv(1, 2) or b"x") and not self.edge.stats()["open_tunnels"]:
                    connection.recv(1)
                self.assertEqual([e["status"] for e in self.edge.upgrades("echo.example.com")], [status, 101])
                self.assertEqual(self.home.browsed(), [])
                running.kill()


class Commands(EdgeCase):
    def prepare(self, application="web", **settings):
        self.fresh()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.home.install_idle_browser()
        self.edge.application(application, **settings)
        self.home.plant_org_token()
        self.old = self.home.plant_token(application)
        self.edge.ask("POST", "/revoke", REVOKED)

    def test_login_does_not_print_a_revoked_token(self):
        for mark, settings in COMMAND_MARKS.items():
            with self.subTest(mark):
                self.prepare(**settings)
                result = self.assert_done(self.home.mayfly("login", "--no-verbose", "web.example.com"))
                self.assertNotEqual(result.out.decode(), self.old)
                self.assertEqual(result.out.decode(), self.home.text(self.home.token_name("web")))
                self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))

    def test_curl(self):
        for mark, settings in COMMAND_MARKS.items():
            with self.subTest(mark):
                self.prepare(**settings)
                result = self.assert_done(self.home.mayfly("curl", "-sS", "https://web.example.com"))
                self.assertTrue(result.out.startswith(b"hello from web"), result)
                self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))

    def test_ssh_gen(self):
        for mark, settings in COMMAND_MARKS.items():
            with self.subTest(mark):
                self.prepare("ssh", **settings)
                self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com"))
                self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))

    def test_own_answers_of_the_origin_renew_nothing(self):
        """With a person's token, too, a 401 or 403 without a mark is passed on."""
        for status in (401, 403):
            self.prepare(own_answers={"/own": {"status": status, "body": "the origin's", "headers": [
                ["WWW-Authenticate", "Bearer realm=\"origin\", error=\"invalid_token\""]]}})
            token = self.home.plant_token("web")
            result = self.home.mayfly("curl", "-sS", "https://web.example.com/own")
            self.assertEqual((result.code, result.out, result.err), (DONE, b"the origin's", ""))
            self.assertEqual(self.home.text(self.home.token_name("web")), token)

    def test_bypassed_application_whose_origin_answers_401(self):
        self.prepare(policy="bypass", own_answers={"/*": {"status": 401, "body": "the origin's"}})
        os.unlink(self.home.file(self.home.token_name("web")))
        result = self.home.mayfly("curl", "-sS", "https://web.example.com/")
        self.assertEqual((result.code, result.out), (DONE, b"the origin's"), result)
        self.assertEqual(self.home.browsed(), [])


class Http(HttpCase):
    def prepare(self, **settings):
        self.fresh()
        self.home.install_idle_browser()
        self.edge.application("wiki", hostname="wiki.example.com", origin="page", **settings)
        self.home.plant_org_token()
        self.know("wiki")

    def test_each_mark(self):
        for mark, (settings, flags, status) in MARKS.items():
            for method, body in (("GET", None), ("POST", b"once")):
                with self.subTest(mark=mark, method=method):
                    self.prepare(**settings)
                    running, port = self.at_free_port("--batch")
                    self.edge.ask("POST", "/revoke", REVOKED)
                    more = {"X_Requested_With": "XMLHttpRequest"} if flags else {}
                    self.assertEqual(self.get(port, method=method, body=body, **more)[0], 200)
                    asked = [entry["status"] for entry in self.requests() if entry["method"] == method
                             and header(entry, "Cf-Access-Token")]
                    self.assertEqual(asked, [status, 200])
                    self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))
                    running.kill()

    def test_request_that_cannot_be_repeated(self):
        self.prepare()
        _, port = self.at_free_port("--batch")
        self.edge.ask("POST", "/revoke", REVOKED)
        more = {"X_Requested_With": "XMLHttpRequest"}
        self.assertEqual(self.get(port, method="POST", body=bytes(1 << 20), **more)[0], 502)
        self.assertEqual(self.get(port, method="POST", body=bytes(1 << 20), **more)[0], 200)


def forged(scheme, path):
    address = f"https://wiki.example.com/.well-known/cloudflare-access-protected-resource{path}"
    return {"status": 401, "body": "forged",
            "headers": [["WWW-Authenticate", f'{scheme} realm="x", resource_metadata="{address}"']]}


class Forged(HttpCase):
    def prepare(self, **settings):
        self.fresh()
        self.home.install_idle_browser()
        self.edge.application("wiki", hostname="wiki.example.com", **{"origin": "page", **settings})

    def prepare_person(self, answer):
        self.prepare(own_answers={"/x": answer})
        self.home.plant_org_token()
        self.know("wiki")
        self.edge.ask("DELETE", "/stats")

    def test_one_renewal_and_no_loop(self):
        for answer in (forged("Cloudflare-Access", "/x"), forged("Bearer", "/x"),
                       {"status": 302, "headers": [["Location", "/cdn-cgi/access/login/wiki.example.com"]]}):
            with self.subTest(answer):
                self.prepare_person(answer)
                running, port = self.at_free_port()
                for _ in range(5):
                    status, _, body = self.get(port, "/x")
                    # A 401 is passed on in the end; a redirect to a login page is not, as ever.
                    self.assertEqual((status, body == b"forged"), (401, True) if answer["status"] == 401 else (502, False))
                self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))
                self.assertEqual(self.edge.traffic("wiki")["origin_requests"], 6)
                # The token is as good as before for other pages, and a true mark still renews it.
                self.assertEqual(self.get(port, "/")[0], 200)
                self.edge.ask("POST", "/revoke", REVOKED)
                self.assertEqual(self.get(port, "/")[0], 200)
                self.assertEqual(self.edge.stats()["exchanges"], 2)
                running.kill()

    def test_listener(self):
        self.prepare(origin="echo", own_answers={"/*": forged("Bearer", "/")})
        self.home.plant_org_token()
        self.home.plant_token("wiki")
        self.edge.ask("DELETE", "/stats")
        running = self.home.start("tcp", "--hostname", "wiki.example.com", "--url", "127.0.0.1:0")
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        for _ in range(4):
            self.assertEqual(self.connect(port).recv(1), b"")
        running.wait_err("(?s)(ERR .*wiki.example.com.*){4}")
        self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))
        self.assertEqual(len(self.edge.upgrades("wiki.example.com")), 5)

    def test_tunnel(self):
        self.prepare(origin="echo", own_answers={"/*": forged("Cloudflare-Access", "/")})
        self.home.plant_org_token()
        self.home.plant_token("wiki")
        result = self.home.mayfly("tcp", "--hostname", "wiki.example.com")
        self.assert_error(result, REFUSED, "fresh token")
        self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))
        self.assertEqual(len(self.edge.upgrades("wiki.example.com")), 2)

    def test_machine_gets_no_browser(self):
        env = {"TUNNEL_SERVICE_TOKEN_ID": "ci.access", "TUNNEL_SERVICE_TOKEN_SECRET": "s3cret"}
        self.prepare(policy="service", service_tokens=[{"id": "ci.access", "secret": "s3cret"}],
                     own_answers={"/*": forged("Bearer", "/x")})
        running, port = self.at_free_port(env=env)
        for _ in range(3):
            self.assertEqual(self.get(port, "/x")[0], 403)
        self.assertEqual(self.home.mayfly("tcp", "--hostname", "wiki.example.com", env=env).code, REFUSED)
        self.assertEqual(self.home.mayfly("login", "wiki.example.com", env=env).code, REFUSED)
        self.assertEqual((self.home.browsed(), self.edge.stats()["polls"], self.edge.stats()["exchanges"]), ([], 0, 0))
        running.kill()

    def test_mark_of_another_origin_is_none(self):
        answer = forged("Bearer", "/x")
        answer["headers"][0][1] = answer["headers"][0][1].replace("wiki.example.com", "other.example.com")
        self.prepare_person(answer)
        _, port = self.at_free_port()
        self.assertEqual(self.get(port, "/x")[::2], (401, b"forged"))
        self.assertEqual(self.edge.stats()["exchanges"], 0)


class ManagedOauth(ListenerCase):
    def setUp(self):
        super().setUp()
        for name in ("echo", "web", "ssh"):
            self.edge.application(name, managed_oauth=True)
        self.home.install_browser()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        for name in self.home.files():
            os.unlink(self.home.file(name))
        self.edge.ask("DELETE", "/stats")

    def test_login(self):
        result = self.assert_done(self.home.mayfly("login", "--no-verbose", "web.example.com"))
        self.assertEqual(claims(result.out.decode())["aud"], [self.edge.audience("web")])
        self.assertEqual(len(self.home.browsed()), 1)
        self.assertEqual(self.edge.stats()["registrations"], 0)

    def test_exchange_needs_no_browser(self):
        self.home.plant_org_token()
        for command in (["login", "-q", "web.example.com"], ["curl", "-sS", "https://web.example.com"],
                        ["ssh-gen", "--hostname", "ssh.example.com"]):
            self.assert_done(self.home.mayfly(*command, "--batch") if command[0] != "curl" else
                             self.home.mayfly("curl", "--batch", *command[1:]))
        self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (2, []))

    def test_tunnel_and_listener(self):
        self.home.plant_org_token()
        running = self.home.start("tcp", "--batch", "--hostname", "echo.example.com", stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())
        _, port = self.at_free_port("--batch")
        self.assert_echo(self.connect(port))
        self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))

    def test_http(self):
        self.home.plant_org_token()
        running = self.home.start("http", "--batch", "--hostname", "web.example.com", "--url", "127.0.0.1:0")
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        for accept in ("*/*", "text/html"):
            answer = run([programs.system("curl"), "-sS", "-H", f"Accept: {accept}", f"http://127.0.0.1:{port}/"])
            self.assertTrue(answer.out.startswith(b"hello from web"), answer)
        self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (1, []))

    def test_service_token(self):
        tokens = [{"id": "ci.access", "secret": "s3cret"}]
        env = {"TUNNEL_SERVICE_TOKEN_ID": "ci.access", "TUNNEL_SERVICE_TOKEN_SECRET": "s3cret"}
        for strict in (True, False):
            self.edge.application("web", service_tokens=tokens, strict_service_token_auth=strict)
            self.assert_done(self.home.mayfly("curl", "-sS", "https://web.example.com", env=env))
            self.assert_done(self.home.mayfly("login", "-q", "web.example.com", env=env))
            refused = self.home.mayfly("login", "-q", "web.example.com",
                                       env={**env, "TUNNEL_SERVICE_TOKEN_SECRET": "wrong"})
            self.assert_error(refused, REFUSED, "service token")
        self.assertEqual(self.home.browsed(), [])
