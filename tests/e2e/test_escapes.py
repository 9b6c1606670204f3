"""Control characters that a server sends appear escaped on the terminal, in whatever part of an answer they are."""
import base64
import json

from harness.case import EdgeCase
from harness.process import PIPE
from harness.terminal import Terminal
from harness import programs

ECHO, SSH, WEB = "echo.example.com", "ssh.example.com", "web.example.com"
# Clears the screen, sets the title, makes the terminal answer, and reverses the direction of text.
EVIL = "\x1b[2J\x1b]0;title\x07\x9b5n\u202e\x7f"


class Escapes(EdgeCase):
    def assert_harmless(self, result):
        self.assertNotEqual(result.code, 0, result)
        self.assert_printable(result.err)
        for character in "\x1b\x07\x9b\u202e\x7f":
            self.assertNotIn(character, result.err)
        self.assertIn("\\x1b", result.err, "what was sent is shown nowhere")

    def open(self, *flags):
        self.home.plant_token("echo")
        running = self.home.start("ssh", "--hostname", ECHO, *flags, stdin=PIPE)
        running.write(b"ready")
        return running

    def test_close_reason(self):
        for flags in ((), ("-v",)):
            running = self.open(*flags)
            running.wait_out(5)
            self.edge.ask("POST", "/close-tunnels", {"code": 1011, "reason": EVIL})
            self.assert_harmless(running.finish())

    def test_location_of_a_refused_upgrade(self):
        for sent in ("\x1b[2J\x1b]0;title", "\x9b5n\u202e"):  # The first cannot be in a header; the second can.
            with self.subTest(sent):
                self.edge.fault("upgrade.redirect_elsewhere", {"value": "https://elsewhere.example/" + sent})
                result = self.open().finish()
                self.assertNotEqual(result.code, 0)
                self.assert_printable(result.err)
                self.assertFalse(set(sent) & set("\x1b\x9b\u202e") & set(result.err), result.err)

    def test_signers_words(self):
        self.home.install_browser()  # mayfly answers a refusal with one new login.
        self.edge.fault("cert_sign.control_characters")
        self.assert_harmless(self.home.mayfly("ssh-gen", "--hostname", SSH))

    def test_team_in_the_metadata(self):
        self.edge.fault("metadata.auth_domain", {"value": "acme.cloudflareaccess.com" + EVIL})
        self.assert_harmless(self.home.mayfly("login", "--batch", WEB))

    def test_name_in_a_token(self):
        self.edge.mint("app", "web")
        self.home.plant_token("web", claims={"email": f"alice{EVIL}@example.com"})
        self.assert_done(self.home.mayfly("login", "--batch", "-q", WEB))
        for flags in ((), ("--json",)):
            result = self.assert_done(self.home.mayfly("status", *flags))
            text = result.out.decode()
            for character in "\x1b\x07\x9b\x7f" + ("" if flags else "\u202e"):
                self.assertNotIn(character, text)
        shown = json.loads(text)
        self.assertIn("alice", json.dumps(shown))

    def test_name_of_the_person_who_has_logged_in(self):
        self.home.plant_token("web", claims={"email": f"alice{EVIL}@example.com"})
        terminal = Terminal([programs.mayfly(), "login", "--batch", "-q", WEB], env=self.home.environment(), streams=(1, 2))
        self.addCleanup(terminal.end)
        self.assertEqual(terminal.finish(), 0)
        for character in "\x1b\x07\x9b\u202e\x7f":
            self.assertNotIn(character, terminal.text)

    def test_log_on_the_terminal(self):
        """A server chooses part of a file name too. A record that is not used is logged with its name."""
        self.home.plant_token("echo")
        self.assert_done(self.home.mayfly("login", "--batch", "-q", ECHO))
        payload = base64.urlsafe_b64encode(json.dumps({"hostname": EVIL}).encode()).rstrip(b"=").decode()
        self.home.plant(ECHO + "-app", f"eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln")
        running = self.open("-v", "--log-level", "debug")
        running.wait_out(5)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_printable(self.assert_done(running.finish()).err)
