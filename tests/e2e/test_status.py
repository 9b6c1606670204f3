"""mayfly status, --json of login and token, and the identity that is logged in."""
import datetime
import json
import os

from harness import programs
from harness.agent_case import KEYS, AgentCase, rfc3339
from harness.case import DONE, LOGIN_NEEDED, NOWHERE, EdgeCase
from harness.edge import EMAIL, USER, claims
from harness.process import run
from harness.terminal import Terminal


class Status(AgentCase):
    def test_nothing_is_stored(self):
        result = self.status()
        self.assertEqual((result.out, result.err), (b"", f"Nothing is stored in {self.home.state}.\n"))
        result = self.status("--json")
        self.assertEqual(json.loads(result.out), {"directory": self.home.state, "entries": [], "listeners": []})
        self.assertFalse(os.path.exists(self.home.state), "a look makes no directory")

    def test_tokens_and_certificates(self):
        token = self.logged_in("web")
        self.certified()
        before, seen = self.home.snapshot(), len(self.edge.log())
        result = self.status()
        self.assertEqual(result.err, "")
        lines = result.out.decode().splitlines()
        self.assertRegex(lines[0], r"^WHAT +IDENTITY +OPENS +ENDS IN$")
        shown = [line.split("  ") for line in lines[1:]]
        shown = [[cell.strip() for cell in row if cell] for row in shown]
        self.assertEqual([row[:3] for row in shown],
                         [["app token", EMAIL, "ssh.example.com"],
                          ["app token", EMAIL, "web.example.com"],
                          ["org token", EMAIL, "acme.cloudflareaccess.com"],
                          ["certificate", USER, "ssh.example.com"]])
        for row in shown:
            self.assertRegex(row[3], r"^\d+ (d|h|min|s)( \d+ (h|min))?$")
        self.assertNotIn(token.split(".")[1], result.out.decode())
        self.assertEqual(len(self.edge.log()), seen)
        self.assert_unchanged(before)

    def test_json(self):
        token = self.logged_in("web")
        self.certified()
        entries = {(e["kind"], e["opens"]): e for e in self.entries()}
        web = entries["app_token", "web.example.com"]
        self.assertEqual((web["expires"], web["state"], web["identity"], web["place"], web["file"]),
                         (rfc3339(claims(token)["exp"]), "valid", EMAIL, "disk",
                          self.home.token_name("web")))
        self.assertGreater(web["seconds_left"], 0)
        self.assertIsNone(web["problem"])
        certificate = entries["certificate", "ssh.example.com"]
        ends = datetime.datetime.strptime(certificate["expires"], "%Y-%m-%dT%H:%M:%SZ")
        listed = run([programs.system("ssh-keygen"), "-L", "-f", self.home.file(KEYS[1])],
                     env=self.home.environment({"TZ": "UTC"})).out.decode()
        self.assertIn(f" to {ends.isoformat()}", listed)
        for entry in entries.values():
            self.assertEqual(set(entry), {"kind", "state", "identity", "opens", "expires",
                                          "seconds_left", "place", "file", "problem"})
            self.assertNotIn(token, json.dumps(entry))

    def test_wildcard_and_path_are_named_as_defined(self):
        self.logged_in("wild", host="a.wild.example.com")
        self.logged_in("path")
        self.assertEqual({e["opens"] for e in self.entries() if e["kind"] == "app_token"},
                         {"*.wild.example.com", "tools.example.com/admin"})

    def test_expired_is_shown_and_kept(self):
        self.home.plant_token("web", expires_in=-5)
        self.certified_expired()
        before = self.home.snapshot()
        self.assertEqual({e["kind"]: e["state"] for e in self.entries()},
                         {"app_token": "expired", "certificate": "expired"})
        lines = self.status().out.decode().splitlines()[1:]
        self.assertTrue(all(line.endswith("  expired") for line in lines), lines)
        self.assert_unchanged(before)

    def certified_expired(self):
        run([programs.system("ssh-keygen"), "-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-C", "",
             "-f", self.home.file(KEYS[0])], env=self.home.environment())
        self.edge.sign_key(self.home.file(KEYS[2]), "-I", "old", "-n", USER, "-V", "20200101:20200102")

    def test_malformed_is_said_and_not_shown(self):
        for content in ("", "garbage\x1b[2J\n", "x" * 200000, self.edge.mint("app", "echo"),
                        self.edge.mint("app", "web", algorithm="none")):
            with self.subTest(content[:20]):
                self.fresh()
                name = self.home.token_name("web")
                self.home.plant(name, content)
                result = self.status()
                self.assertRegex(result.out.decode(), r"app token +- +web.example.com +malformed\n")
                self.assertIn("mayfly: warning: ", result.err)
                self.assertIn(name[:40], result.err)
                self.assert_printable(result.out.decode() + result.err)
                entry, = self.entries()
                self.assertEqual((entry["state"], entry["expires"]), ("malformed", None))
                self.assertIn(name, entry["problem"])
                if content:
                    self.assertNotIn(content, result.out.decode() + result.err)

    def test_certificate_without_its_key(self):
        self.home.install_browser()
        self.certified()
        os.unlink(self.home.file(KEYS[0]))
        states = {e["kind"]: e["state"] for e in self.entries()}
        self.assertEqual(states["certificate"], "malformed")

    def test_files_of_others_are_not_shown(self):
        for name in ("cert.pem", "config.yml", "my-token", "6f1ad4a2-9d0c-4f6e-8a4b-0c8b5a1e2d3f.json"):
            self.home.plant(name, "something")
        self.assertEqual(self.entries(), [])

    def test_certificates_in_the_agent(self):
        self.start_agent()
        self.home.install_browser()
        self.certified("--agent")
        entry, = [e for e in self.entries() if e["kind"] == "certificate"]
        self.assertEqual((entry["place"], entry["opens"], entry["identity"], entry["file"]),
                         ("agent", "ssh.example.com", USER, None))
        self.assertIn("certificate (agent)", self.status().out.decode())

    def test_agent_that_is_gone(self):
        self.home.plant_token("web")
        self.home.variables["SSH_AUTH_SOCK"] = os.path.join(self.home.path, "nobody")
        result = self.status()
        self.assertIn("web.example.com", result.out.decode())
        self.assertIn("mayfly: warning: ssh-agent", result.err)


class Json(EdgeCase):
    def test_login(self):
        self.home.install_browser()
        result = self.assert_done(self.home.mayfly("login", "--json", "web.example.com"))
        token = self.home.text(self.home.token_name("web"))
        self.assertEqual(json.loads(result.out),
                         {"application": "web.example.com", "identity": EMAIL,
                          "expires": rfc3339(claims(token)["exp"]), "stored": True, "why_not_stored": None})
        for part in token.split("."):
            self.assertNotIn(part, result.out.decode() + result.err)

    def test_token(self):
        token = self.logged_in("web")
        result = self.assert_done(self.home.mayfly("token", "--json", "web.example.com", env=NOWHERE))
        self.assertEqual(json.loads(result.out),
                         {"token": token, "expires": rfc3339(claims(token)["exp"]),
                          "identity": EMAIL, "audience": self.edge.audience("web")})
        self.assertEqual(result.err, "")

    def test_no_token(self):
        result = self.home.mayfly("token", "--json", "web.example.com")
        self.assertEqual((result.code, result.out), (LOGIN_NEEDED, b""))


class LoggedIn(EdgeCase):
    def login_at_terminal(self, *flags):
        self.home.install_browser()
        terminal = Terminal([programs.mayfly(), "login", *flags, "web.example.com"],
                            env=self.home.environment(), streams=(2,))
        self.addCleanup(terminal.end)
        self.assertEqual(terminal.finish(), DONE, terminal.text)
        return terminal.text

    def test_identity_and_expiry(self):
        self.assertRegex(self.login_at_terminal(), rf"logged in as {EMAIL} until (\d{{4}}-\d\d-\d\d )?\d\d:\d\d\n")

    def test_not_when_quiet(self):
        for flag in ("-q", "--json"):
            with self.subTest(flag):
                self.fresh()
                self.assertNotIn("logged in", self.login_at_terminal(flag))

    def test_not_in_a_pipe(self):
        self.home.install_browser()
        result = self.assert_done(self.home.mayfly("login", "web.example.com"))
        self.assertNotIn("logged in as", result.err)
