"""Commands that run beside a mayfly logout, or after it: none of them ends it for another application, and none leaves
a token behind that the logout was to remove."""
import os
import signal

from harness import injection, memory, programs
from harness.agent_case import AgentCase
from harness.case import LOGIN_NEEDED
from harness.http_case import HOST as WIKI
from harness.http_case import HttpCase
from harness.process import Running
from harness.waiting import eventually

OPEN = "open.example.com"
STOPPED = "--- stopped by SIGSTOP ---"


def text_of(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


class Bystanders(HttpCase, AgentCase):
    def setUp(self):
        super().setUp()
        self.begin()

    def begin(self):
        self.home.script("curl", f'exec {programs.system("curl")} "$@"\n')
        self.home.install_browser()
        self.edge.application("open", hostname=OPEN, origin="page", policy="bypass")
        self.edge.application("web")
        self.know("wiki")
        self.home.plant_org_token()
        self.listener, self.port = self.at_free_port()
        self.assertEqual(self.get(self.port)[0], 200)

    def stopped_logout(self, call, *arguments):
        """A logout that has made the first system call of this name, and goes on when it is told to."""
        log = os.path.join(self.home.path, "strace.log")
        command = [programs.system("strace"), "-qq", "-o", log, *injection.options(call, "signal=STOP"),
                   programs.mayfly(), "logout", *arguments]
        running = Running(command, env=self.home.environment({"ASAN_OPTIONS": "detect_leaks=0"}))
        eventually("it is stopped", lambda: STOPPED in text_of(log))
        return running

    def let_finish(self, logout):
        for pid in memory.children_of(logout.pid):
            os.kill(pid, signal.SIGCONT)
        self.assert_done(logout.finish())

    def curl_of_open(self, *flags):
        result = self.assert_done(self.home.mayfly("curl", *flags, "-s", f"https://{OPEN}/"))
        self.assertIn(b"hello from open", result.out)

    def assert_logged_out(self):
        """A listener that began before the logout has no token, and begins no login."""
        self.assertEqual(self.get(self.port)[0], 502)
        self.listener.wait_err("you logged out after this command began")

    def assert_no_token(self, host=""):
        found = [name for name in self.home.files() if name.startswith(host) and name.endswith("-token")]
        self.assertEqual(found, [])

    def test_curl_of_a_public_application_after_a_logout(self):
        for arguments in ([WIKI], ["--all"]):
            for flags in ([], ["--batch"]):
                with self.subTest(flags + arguments):
                    self.assert_done(self.logout(*arguments))
                    self.curl_of_open(*flags)
                    self.assert_logged_out()
                    self.assert_no_token(WIKI)
                    self.assertEqual(self.home.browsed(), [])
        self.assert_no_token()

    def test_curl_of_a_public_application_while_files_are_removed(self):
        logout = self.stopped_logout(injection.Call("unlinkat", 1, ""), "--all")
        self.curl_of_open()
        self.let_finish(logout)
        self.assert_logged_out()
        self.assert_no_token()

    def test_curl_of_the_application_while_files_are_removed(self):
        """It finds both tokens, one, or none; whatever it gets then, it does not store."""
        for call, *arguments in (("renameat", 1, "--all"), ("unlinkat", 1, "--all"), ("unlinkat", 2, "--all"),
                                 ("renameat", 1, WIKI), ("unlinkat", 1, WIKI)):
            with self.subTest([call, *arguments]):
                self.fresh()
                self.edge.application("wiki", hostname=WIKI, origin="page")
                self.begin()
                logout = self.stopped_logout(injection.Call(call, arguments[0], ""), arguments[1])
                curl = self.home.start("curl", "-s", f"https://{WIKI}/")
                eventually("it has a token, or has found one", lambda: curl.has_ended() or self.edge.stats()["exchanges"]
                           or self.home.browsed())
                self.let_finish(logout)
                result = curl.finish()
                if result.code:
                    self.assert_error(result, LOGIN_NEEDED, "you logged out after this command began")
                self.assert_logged_out()
                self.assert_no_token(WIKI if arguments[1] == WIKI else "")

    def test_login_that_begins_while_files_are_removed(self):
        """It has seen the mark, and yet the logout is younger."""
        self.home.install_idle_browser()
        logout = self.stopped_logout(injection.Call("unlinkat", 3, ""), "--all")
        login = self.home.start("login", WIKI)
        url = login.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+").group()
        login.send(signal.SIGSTOP)
        self.let_finish(logout)
        self.edge.sign_in(url)
        login.send(signal.SIGCONT)
        self.assert_error(login.finish(), LOGIN_NEEDED, "you logged out after this command began")
        self.assert_logged_out()
        self.assert_no_token()

    def test_login_of_another_application(self):
        """Its org token could be exchanged for one of the first application."""
        self.assert_done(self.logout("--all"))
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com"))
        self.assertEqual(len(self.home.browsed()), 1)
        self.assert_logged_out()
        self.assert_no_token(WIKI)
        self.assert_done(self.home.mayfly("curl", "-s", "https://web.example.com/"))
        self.assert_logged_out()
        self.assert_done(self.home.mayfly("login", "-q", WIKI))
        self.assertEqual(self.get(self.port)[0], 200)
