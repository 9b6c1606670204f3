"""A login that nobody would see is not begun: by ssh -G, by BatchMode, and without a terminal and a display."""
import os
import shutil
import unittest

from harness import programs
from harness.case import DONE, LOGIN_NEEDED
from harness.process import Running
from harness.terminal import Terminal
from test_ssh import HOST, SshCase

GEN = ("ssh-gen", "--hostname", HOST)
TUNNEL = ("ssh", "--hostname", HOST)
UNSEEN = {"DISPLAY": None}


class UnseenCase(SshCase):
    def setUp(self):
        super().setUp()
        self.home.install_idle_browser()
        self.configure("--short-lived-cert")

    def assert_no_login(self):
        self.assertEqual(self.home.browsed(), [])
        self.assertEqual(self.edge.stats()["polls"], 0)
        self.assertFalse([f for f in self.home.files() if f.endswith((".lock", ".url"))])


class Ssh(UnseenCase):
    def test_ssh_that_prints_its_configuration(self):
        for arguments in (["-G", HOST], [HOST, "-G"], ["-vG", "-o", "BatchMode=no", HOST]):
            with self.subTest(arguments):
                result = self.assert_done(self.start(*arguments).finish())
                # The configuration is that of a connection.
                names = [line.split(" ")[0] for line in result.out.decode().splitlines()]
                self.assertIn("certificatefile", names)
                self.assertIn("proxycommand", names)
                self.assert_no_login()
                self.assertEqual(self.edge.stats()["metadata"], 0)

    def test_ssh_that_asks_a_running_master(self):
        path = os.path.join(self.scratch, "control")
        result = self.start("-O", "check", "-o", f"ControlPath={path}", HOST).finish()
        self.assertEqual(result.code, 255, result)
        self.assert_no_login()

    def test_batch_mode(self):
        for option in (["-oBatchMode=yes"], ["-o", "Batchmode yes"]):
            with self.subTest(option):
                result = self.start(*option, HOST, "--", "true").finish()
                self.assertEqual(result.code, 255, result)
                self.assertIn("no valid token is stored, and ssh runs in BatchMode", result.err)
                self.assert_no_login()

    def test_batch_mode_behind_a_shell_and_another_ssh(self):
        command = f"{programs.mayfly()} {' '.join(TUNNEL)}; exit $?"
        inner = f"{programs.system('ssh')} -F none -o 'ProxyCommand={command}' {HOST} true"
        result = self.start("-oBatchMode=yes", "-F", "none", "-o", f"ProxyCommand={inner}", HOST).finish()
        self.assertIn("ssh runs in BatchMode", result.err)
        self.assert_no_login()

    def test_batch_mode_gets_a_token_without_a_browser(self):
        self.home.plant_org_token()
        result = self.assert_done(self.start("-oBatchMode=yes", HOST, "--", "echo in").finish())
        self.assertEqual(result.out, b"in\n")
        self.assert_no_login()

    def test_tab_completion_of_a_remote_path(self):
        rules = "/usr/share/bash-completion/bash_completion"
        if not os.path.exists(rules):
            raise unittest.SkipTest("bash-completion is not installed")
        called = os.path.join(self.scratch, "called")
        self.home.script("ssh", f"echo \"$@\" >> {called}\n"
                                f"exec {programs.system('ssh')} -F {self.config} \"$@\"\n")
        script = (f". {rules}; _completion_loader scp; cur={HOST}:/; _scp_remote_files; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        env = {**self.home.environment(), "SHELL": "/bin/sh", "PATH": f"{self.home.bin}:/usr/bin:/bin"}
        result = self.assert_done(Running(["/bin/bash", "-c", script], env=env).finish())
        with open(called, encoding="utf-8") as file:
            self.assertIn("Batchmode yes", file.read())
        self.assert_no_login()
        self.home.plant_org_token()
        result = self.assert_done(Running(["/bin/bash", "-c", script], env=env).finish())
        self.assertIn("/tmp/", result.out.decode())

    def test_ansible(self):
        program = shutil.which("ansible")
        if program is None:
            raise unittest.SkipTest("ansible-core is not installed")
        env = {**self.home.environment(), "SHELL": "/bin/sh", "PATH": f"{self.home.bin}:/usr/bin:/bin",
               "ANSIBLE_SSH_ARGS": f"-F {self.config} -o BatchMode=yes", "ANSIBLE_LOCAL_TEMP": self.scratch,
               "ANSIBLE_HOST_KEY_CHECKING": "True", "ANSIBLE_NOCOLOR": "1"}

        def ansible():
            return Running([program, "all", "-i", f"{HOST},", "-m", "raw", "-a", "echo in"], env=env,
                           cwd=self.scratch).finish()
        result = ansible()
        self.assertNotEqual(result.code, DONE, result)
        self.assertIn("UNREACHABLE", result.out.decode() + result.err)
        self.assert_no_login()
        self.home.plant_org_token()
        self.assertIn("in", self.assert_done(ansible()).out.decode().splitlines())


class Commands(UnseenCase):
    """The tests run without a terminal."""

    def test_no_terminal_and_no_display(self):
        for command in (GEN, TUNNEL):
            with self.subTest(command):
                result = self.home.mayfly(*command, env=UNSEEN)
                self.assert_error(result, LOGIN_NEEDED, "neither a terminal nor a display",
                                  f"mayfly access login https://{HOST}")
                self.assert_no_login()

    def test_display_without_a_terminal(self):
        for command in (GEN, TUNNEL):
            with self.subTest(command):
                self.fresh()
                self.home.install_idle_browser()
                running = self.home.start(*command)
                running.wait_err("A browser window should have opened")
                self.assertEqual(len(self.home.browsed()), 1)
                running.kill()

    def test_browser_variable(self):
        browser = self.home.install_idle_browser("browser")
        running = self.home.start(*GEN, env={**UNSEEN, "BROWSER": browser})
        running.wait_err("A browser window should have opened")

    def test_flags_that_ask_for_the_url(self):
        for flag in ("--no-browser", "--qr"):
            with self.subTest(flag):
                self.fresh()
                running = self.home.start(*GEN, flag, env=UNSEEN)
                running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+")
                running.kill()

    def test_terminal_without_a_display(self):
        terminal = Terminal([programs.mayfly(), *GEN], env=self.home.environment(UNSEEN))
        self.addCleanup(terminal.end)
        terminal.wait_for("Please open the following URL")
