"""A logout at any moment of a command that runs: no token goes out after it.

Each row repeats a command. A relay holds the edge's answers back at the first moment of its connections, then at the
second, and so on; each time a person logs out meanwhile. So the logout comes during each connection, each handshake and
each answer."""
import os

from harness import programs
from harness.agent_case import AgentCase
from harness.case import DONE, LOGIN_NEEDED
from harness.edge import header
from harness.listener import ListenerCase
from harness.process import end_all
from harness.turnstile import Turnstile
from harness.waiting import eventually

SSH, WEB = "ssh.example.com", "web.example.com"
FAR = 60  # moments; no command has so many


class LogoutAtAnyMoment(ListenerCase, AgentCase):
    def setUp(self):
        super().setUp()
        self.port = int(self.edge.connect_to.rsplit(":", 1)[1])

    def prepare(self, application, holds_app_token):
        self.fresh()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.know(application)
        if not holds_app_token:
            os.unlink(self.home.file(self.home.token_name(application)))
        self.org_token = self.home.plant_org_token()
        self.edge.ask("DELETE", "/log")

    @staticmethod
    def carries_token(entry):
        return bool(header(entry, "Cf-Access-Token")) or entry["path"].endswith("/cert_sign") or any(
            "CF_Authorization=" in value for value in header(entry, "Cookie"))

    @staticmethod
    def is_curl(running):
        """Returns whether mayfly has become curl, which knows of no logout."""
        try:
            return os.path.basename(os.readlink(f"/proc/{running.pid}/exe")) == "curl"
        except OSError:
            return False

    def log_out_at(self, moment, command):
        """Returns the result of the command, or None if the command had fewer moments before a tunnel was open."""
        turnstile = Turnstile(self.port, moment)
        self.addCleanup(turnstile.stop)
        try:
            running = self.home.start(*command, stdin=b"", env={"MAYFLY_CONNECT_TO": turnstile.connect_to})
            eventually("it is held or has ended", lambda: turnstile.held.is_set() or running.has_ended())
            if not turnstile.held.is_set() or self.is_curl(running) or self.edge.upgrades():
                return None
            self.assert_done(self.home.mayfly("logout", "--all"))
            seen = len(self.edge.log())
            turnstile.go_on()
            result = running.finish()
            late = [(entry["host"], entry["target"]) for entry in self.edge.log()[seen:] if self.carries_token(entry)]
            self.assertEqual(late, [], f"a token went out after the logout at moment {moment}")
            self.assertEqual([name for name in self.home.files() if name.endswith(("-token", "cf_key"))], [])
            return result
        finally:
            turnstile.stop()
            end_all()

    def sweep(self, application, command, holds_app_token):
        """Checks the errors, too, except doctor's, which says what it found."""
        refused = 0
        for moment in range(1, FAR):
            self.prepare(application, holds_app_token)
            result = self.log_out_at(moment, command)
            if result is None:
                break
            if command[0] != "doctor" and result.code != DONE:
                self.assert_error(result, LOGIN_NEEDED, "you logged out")
            refused += result.code != DONE
        self.assertGreater(refused, 1)
        self.assertLess(moment, FAR - 1)

    def test_login_by_the_teams_token(self):
        self.sweep("web", ["login", "--batch", WEB], False)

    def test_login_whose_token_is_checked(self):
        self.sweep("web", ["login", "--batch", WEB], True)

    def test_certificate(self):
        self.sweep("ssh", ["ssh-gen", "--hostname", SSH, "--batch"], True)

    def test_tunnel(self):
        self.sweep("echo", ["ssh", "--hostname", "echo.example.com", "--batch"], True)

    def test_tunnel_by_the_teams_token(self):
        self.sweep("echo", ["ssh", "--hostname", "echo.example.com", "--batch"], False)

    def test_curl(self):
        self.sweep("web", ["curl", "-s", f"https://{WEB}/"], True)

    def test_doctor(self):
        for holds_app_token in (True, False):
            with self.subTest(holds_app_token=holds_app_token):
                self.sweep("echo", ["doctor", "--hostname", "echo.example.com"], holds_app_token)
