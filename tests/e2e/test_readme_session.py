"""Compares the terminal session in the README with real output, command by command."""
import os
import re
import shlex

from harness import programs
from harness.case import EdgeCase
from harness.edge import USER
from harness.sshd import Sshd, client_config
from harness.terminal import Terminal

README = os.path.join(os.path.dirname(programs.E2E), "..", "README.md")
HOST = "vm.example.com"
PERSON = "jdoe"


def session():
    """Returns the commands with the output of each."""
    with open(README, encoding="utf-8") as file:
        section = re.search(r"^## A session\n(.*?)(?=^## )", file.read(), re.M | re.S)[1]
    shown = "".join(line[4:] + "\n" for line in section.splitlines() if line.startswith("    "))
    return re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", shown, re.M)


def likeness(text):
    """Returns the text without the parts that differ between runs and machines."""
    for what, instead in ((r"(?<=token)(=|%3D)[\w%=-]+|(?<=aud)(=|%3D)[\w%=-]+", ""), (r"audience \S+", "audience"), (r"cf-ray \S+", "cf-ray"),
                          (r"OpenSSH_[^\s:]+( Debian\S+)?", "OpenSSH"), (r"\d{4}-\d\d-\d\d ", ""),
                          (r"\d+ (d|h|min|s)\b( \d+ (h|min|s)\b)?", "TIME"), (r"ProxyCommand \S+", "ProxyCommand"),
                          (r"\d+", "0")):
        text = re.sub(what, instead, text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


class Session(EdgeCase):
    def setUp(self):
        super().setUp()
        self.sshd = Sshd(self.edge.ssh_ca_pub)
        self.addCleanup(self.sshd.stop)
        self.edge.application("vm", hostname=HOST, origin=f"tcp:127.0.0.1:{self.sshd.port}")
        self.home.variables["MAYFLY_HOME"] = self.home.state
        self.home.install_browser()
        os.symlink(programs.mayfly(), os.path.join(self.home.bin, "mayfly"))

    def install_ssh(self):
        """Installs an ssh that knows where its configuration is, because ssh expands ~ from the account and not from
        HOME."""
        advice = self.assert_done(self.home.mayfly("ssh-config", "--hostname", HOST, "--short-lived-cert"))
        config = client_config(advice.out.decode().split(":\n\n", 1)[1], HOST, self.sshd, self.home.path)
        ssh = programs.system("ssh")
        self.home.script("ssh", f'exec {shlex.quote(ssh)} -F {shlex.quote(config)} "$@"\n')

    def type(self, command):
        path = self.home.bin + ":/usr/bin:/bin"
        terminal = Terminal(["/bin/sh", "-c", command], env=self.home.environment({"PATH": path, "SHELL": "/bin/sh"}),
                            size=(50, 120))
        self.addCleanup(terminal.end)
        self.assertEqual(terminal.finish(), 0, terminal.text)
        shown = re.sub(r"[^\n]*\r(?!\n)", "", terminal.text)  # lines that were overwritten
        shown = re.sub(r"mayfly: warning: ssh reads [^\n]*\n", "", shown)  # HOME here is a test's own directory
        return re.sub(rf"\b{re.escape(USER)}\b", PERSON, shown.replace(self.home.path, "/home/" + PERSON))

    def test_session_is_as_shown(self):
        commands = session()
        self.assertEqual([re.match(r"(mayfly )?[\w-]+", command)[0] for command, _ in commands],
                         ["mayfly login", "mayfly ssh-config", "ssh", "mayfly status", "mayfly doctor"])
        for command, shown in commands:
            if command.startswith("ssh "):
                self.install_ssh()
            came = self.type(command)
            if os.environ.get("MAYFLY_RECORD"):  # for the author of the README
                print(f"$ {command}\n{came}", flush=True)
            with self.subTest(command):
                self.assertEqual(likeness(came), likeness(shown))
