"""A login outlives the ssh that began it: the next one joins it, and the token is there when the person is done."""
import os
import re
import signal

from harness import programs
from harness.case import DONE, LOGIN_NEEDED
from harness.edge import claims
from harness.terminal import Terminal
from harness.waiting import eventually
from test_ssh import HOST, SshCase

URL = r"https://\S+/cdn-cgi/access/cli\?\S+"
GEN = ("ssh-gen", "--hostname", HOST)


class DetachedCase(SshCase):
    def login(self):
        """Waits until a login holds its lock and has published its URL. Returns the number of its process and the URL."""
        name = self.home.token_name("ssh")
        eventually("a login waits", lambda: name + ".url" in self.home.files() and self.home.browsed())
        self.assertEqual(len(self.home.browsed()), 1, "another tab was opened")
        return self.home.lock_holder(name + ".lock"), self.home.browsed()[0]["url"]

    def assert_going_on(self, pid):
        self.assertTrue(os.path.exists(f"/proc/{pid}"), "the login has ended")
        self.assertEqual(self.home.lock_holder(self.home.token_name("ssh") + ".lock"), pid)

    def assert_over(self, pid):
        eventually("the login's process has ended", lambda: not os.path.exists(f"/proc/{pid}"))
        self.assertEqual([f for f in self.home.files() if f.endswith((".lock", ".url"))], [])

    def finish_in_the_browser(self, pid, url):
        self.edge.sign_in(url)
        self.assert_over(pid)
        token = claims(self.home.text(self.home.token_name("ssh")))
        self.assertEqual(token["aud"], [self.edge.audience("ssh")])


class Ssh(DetachedCase):
    def test_ssh_that_gives_up_twice(self):
        key = os.path.join(self.scratch, "own_key")
        self.home.keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
        with open(key + ".pub", "rb") as public, open(self.sshd.authorized_keys, "wb") as file:
            file.write(public.read())
        self.configure()
        self.home.install_idle_browser()
        seen = []
        for _ in range(2):
            result = self.start("-o", "ConnectTimeout=3", "-i", key, HOST, "--", "true").finish()
            self.assertEqual(result.code, 255, result)
            self.assertIn("timed out", result.err)
            seen.append(self.login())
        self.assertEqual(seen[0], seen[1])
        self.finish_in_the_browser(*seen[0])
        result = self.start("-o", "ConnectTimeout=30", "-i", key, HOST, "--", "echo in").finish()
        self.assertEqual((result.code, result.out), (DONE, b"in\n"), result)
        self.assertEqual(len(self.home.browsed()), 1)

    def test_ssh_that_is_killed_with_its_match_exec(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            with self.subTest(number):
                self.fresh()
                self.home.variables["MAYFLY_HOME"] = self.home.state
                self.edge.application("ssh", origin=f"tcp:127.0.0.1:{self.sshd.port}")
                self.configure("--short-lived-cert")
                self.home.install_idle_browser()
                ssh = self.start(HOST, "--", "true")
                pid, url = self.login()
                os.killpg(ssh.pid, number)  # as Ansible and VS Code do when their time is over
                ssh.finish()
                self.assert_going_on(pid)
                self.finish_in_the_browser(pid, url)
                result = self.assert_done(self.ssh("echo in"))
                self.assertEqual(result.out, b"in\n")
                self.assertEqual(len(self.home.browsed()), 1)


class Ends(DetachedCase):
    def setUp(self):
        super().setUp()
        self.home.install_idle_browser()

    def start_login(self, *arguments):
        running = self.home.start(*(arguments or GEN))
        pid, url = self.login()
        self.assertNotEqual(pid, running.pid)
        return running, pid, url

    def test_command_ends_as_before_when_the_person_is_done(self):
        running, pid, url = self.start_login()
        self.edge.sign_in(url)
        result = self.assert_done(running.finish())
        self.assertEqual(result.out, b"")
        self.assert_over(pid)
        self.assertIn(f"{HOST}-cf_key-cert.pub", self.home.files())

    def test_hint_of_a_command_that_was_ended(self):
        for number in (signal.SIGHUP, signal.SIGTERM):
            with self.subTest(number):
                self.fresh()
                self.home.install_idle_browser()
                running, pid, _ = self.start_login()
                running.send(number)
                self.assert_error(running.finish(), LOGIN_NEEDED, "finish the login in the browser")
                self.assert_going_on(pid)
                os.kill(pid, signal.SIGTERM)
                self.assert_over(pid)

    def test_ctrl_c(self):
        running, pid, _ = self.start_login()
        running.send(signal.SIGINT)
        self.assert_error(running.finish(), LOGIN_NEEDED, "interrupted")
        self.assert_over(pid)

    def test_ctrl_c_of_a_joined_command_leaves_the_login(self):
        _, pid, _ = self.start_login()
        second = self.home.start(*GEN)
        second.wait_err(rf"\(pid {pid}\)")
        second.send(signal.SIGINT)
        self.assertEqual(second.finish().code, LOGIN_NEEDED)
        self.assert_going_on(pid)

    def test_interactive_login_ends_by_each_signal(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                self.fresh()
                running = self.home.start("login", HOST)
                running.wait_err(URL)
                pid = self.home.lock_holder(self.home.token_name("ssh") + ".lock")
                self.assertEqual(pid, running.pid)
                running.send(number)
                self.assertEqual(running.finish().code, LOGIN_NEEDED)
                self.assert_over(pid)

    def test_logout(self):
        running, pid, url = self.start_login()
        running.kill()
        self.assert_going_on(pid)
        self.assert_done(self.home.mayfly("logout", HOST))
        self.assert_over(pid)
        self.edge.sign_in(url)
        self.assertFalse([f for f in self.home.files() if f.endswith("-token")])

    def test_terminal_that_is_closed(self):
        command = f"{programs.mayfly()} {' '.join(GEN)}; read word"
        terminal = Terminal(["/bin/sh", "-c", command], env=self.home.environment())
        pid, _ = self.login()
        first = [int(word) for word in re.findall(
            rb"\d+", open(f"/proc/{terminal.process.pid}/task/{terminal.process.pid}/children", "rb").read())]
        for child in first:
            os.kill(child, signal.SIGHUP)
        terminal.wait_for("finish the login in the browser")
        self.assert_going_on(pid)
        terminal.end()
        self.assert_over(pid)

    def test_curl_that_a_script_ends(self):
        running, pid, url = self.start_login("curl", f"https://{HOST}/")
        running.send(signal.SIGTERM)
        running.finish()
        self.assert_going_on(pid)
        self.finish_in_the_browser(pid, url)

    def test_programs_that_wait_for_the_end_of_the_messages_do_not_wait_for_the_login(self):
        running, pid, _ = self.start_login()
        running.process.kill()
        result = running.finish()
        self.assertFalse([t for t in running._threads if t.is_alive()], result)  # pylint: disable=protected-access
        self.assert_going_on(pid)

    def test_login_that_fails_is_said(self):
        running, pid, _ = self.start_login()
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(running.finish().code, 1)
        self.assertIn("the login ended without a result", running.err)
        self.assert_done(self.home.mayfly("logout", HOST))

