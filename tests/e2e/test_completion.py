"""Completion of commands, flags and host names, in real shells."""
import os
import shutil
import unittest

from harness import programs
from harness.case import USAGE, EdgeCase
from harness.process import run
from harness.terminal import Terminal


class Completion(EdgeCase):
    def setUp(self):
        super().setUp()
        self.home.plant_token("web")
        self.home.plant_token("path")
        os.symlink(programs.mayfly(), os.path.join(self.home.bin, "mayfly"))

    def script(self, shell):
        path = os.path.join(self.home.path, f"completion.{shell}")
        with open(path, "wb") as file:
            file.write(self.assert_done(self.home.mayfly("completion", shell)).out)
        return path

    def shell(self, name):
        path = shutil.which(name)
        if not path:
            raise unittest.SkipTest(f"{name} is not installed")
        return path

    def complete_in_bash(self, *words):
        """Completes the last of the words, which are split as readline splits them."""
        text = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                '_mayfly; printf "%s\\n" "${COMPREPLY[@]}"')
        result = run([self.shell("bash"), "--norc", "-c", text, "bash", self.script("bash"),
                      "mayfly", *words], env=self.home.environment())
        self.assertEqual((result.code, result.err), (0, ""), result)
        return set(result.out.decode().split())

    def test_bash_commands(self):
        commands = self.complete_in_bash("")
        help_text = self.home.mayfly("--help").out.decode()
        listed = {line.split()[0] for line in help_text.splitlines() if line.startswith("  ")
                  and line[2] != " " and not line.strip().startswith("mayfly")}
        self.assertTrue(listed and listed <= commands, (listed, commands))
        self.assertLessEqual({"tcp", "rdp", "smb", "access", "--help"}, commands)
        self.assertEqual(self.complete_in_bash("access", "sta"), {"status"})
        self.assertEqual(self.complete_in_bash("--fedramp", "forward", "logo"), {"logout"})

    def test_bash_flags_are_those_of_the_help(self):
        for command in ("login", "ssh", "tcp", "ssh-gen", "ssh-config", "status", "logout"):
            with self.subTest(command):
                offered = self.complete_in_bash("access", command, "-")
                flag = "--help-all" if "--help-all" in offered else "--help"
                help_text = self.home.mayfly(command, flag).out.decode()
                in_help = {word.strip(",") for line in help_text.splitlines()
                           if line.startswith("  -") for word in line.split()
                           if word.startswith("-") and len(word) > 1}
                in_help = {part for word in in_help for part in word.split(",")}
                self.assertEqual({f for f in offered if f in in_help}, offered, in_help)
                self.assertIn("--help", offered)
        self.assertEqual(self.complete_in_bash("login", "--no-"), {"--no-browser", "--no-verbose"})

    def test_bash_hostnames(self):
        known = {"tools.example.com-admin", "web.example.com"}
        self.assertEqual(self.complete_in_bash("login", ""), known)
        self.assertEqual(self.complete_in_bash("access", "token", "we"), {"web.example.com"})
        self.assertEqual(self.complete_in_bash("ssh", "--hostname", "we"), {"web.example.com"})
        self.assertEqual(self.complete_in_bash("ssh", "-hostname", "=", "we"), {"web.example.com"})
        self.assertEqual(self.complete_in_bash("ssh", "--hostname", "="), known)
        self.assertEqual(self.complete_in_bash("logout", "https", ":", "//we"), {"//web.example.com"})

    def test_hostnames_of_ssh_config(self):
        with open(os.path.join(self.home.path, ".ssh", "config"), "w", encoding="utf-8") as file:
            file.write("Host github.com\n  User git\n"
                       "Host old.example.com\n  ProxyCommand cloudflared access ssh --hostname %h\n")
        self.assert_done(self.home.mayfly("ssh-config", "--hostname", "vm.example.com", "--write"))
        self.assertEqual(self.complete_in_bash("ssh", "--hostname", ""),
                         {"tools.example.com-admin", "web.example.com", "old.example.com", "vm.example.com"})

    def test_hosts_of_ssh_config_that_cannot_be_completed(self):
        self.assert_done(self.home.mayfly("ssh-config", "--hostname", "vm.example.com", "--write"))
        with open(os.path.join(self.home.path, ".ssh", "config"), "a", encoding="utf-8") as file:
            for host in (".example.com", "a" * 300 + ".example.com", "vm.example.com/" + "a" * 300):
                file.write(f"Host {host}\n  ProxyCommand cloudflared access ssh --hostname %h\n")
        self.assertEqual(self.complete_in_bash("ssh", "--hostname", "v"), {"vm.example.com"})

    def test_bash_values(self):
        self.assertEqual(self.complete_in_bash("ssh-gen", "--key-type", ""), {"ecdsa", "ed25519"})
        self.assertEqual(self.complete_in_bash("completion", "z"), {"zsh"})
        self.assertEqual(self.complete_in_bash("login", "--cert", self.home.path + "/comp"),
                         {self.home.path + "/completion.bash"})
        self.assertEqual(self.complete_in_bash("login", "--log-directory", self.home.path + "/b"),
                         {self.home.path + "/bin"})

    def interactive(self, argv, ready):
        terminal = Terminal(argv, env=self.home.environment({"PS1": "ready> ", "ZDOTDIR": self.home.path}))
        self.addCleanup(terminal.end)
        terminal.type(ready)
        terminal.wait_for(r"loaded-now\b")
        return terminal

    def test_bash_at_a_terminal(self):
        terminal = self.interactive([self.shell("bash"), "--norc", "-i"],
                                    f"source {self.script('bash')}; echo loaded-$(echo now)\n")
        terminal.type("mayfly access logo\t")
        terminal.wait_for("mayfly access logout ")
        terminal.type("we\t")
        terminal.wait_for("logout web.example.com")

    def test_zsh_at_a_terminal(self):
        terminal = self.interactive([self.shell("zsh"), "-f", "-i"],
                                    "autoload -U compinit; compinit -u -D; "
                                    f"source {self.script('zsh')}; echo loaded-$(echo now)\n")
        terminal.type("mayfly access logo\t")
        terminal.wait_for("mayfly access logout ")
        terminal.type("we\t")
        terminal.wait_for("logout web.example.com")
        terminal.type("\x15mayfly ssh-gen --key-type ed\t")
        terminal.wait_for("--key-type ed25519")
        terminal.type("\x15mayfly ssh --hostname=we\t")
        terminal.wait_for("--hostname=web.example.com")
        terminal.type("\x15mayfly tcp web.example.com -- mayfly login --no-b\t")
        terminal.wait_for("-- mayfly login --no-browser")

    def test_fish(self):
        fish = self.shell("fish")
        for line, offered in (("mayfly sta", {"status"}), ("mayfly access logo", {"logout"}),
                              ("mayfly token we", {"web.example.com"}),
                              ("mayfly access ssh --hostname we", {"web.example.com"}),
                              ("mayfly ssh-gen --key-type ", {"ecdsa", "ed25519"}),
                              ("mayfly tcp web.example.com -- mayfly sta", {"status"}),
                              ("mayfly login --no-", {"--no-browser", "--no-verbose"})):
            with self.subTest(line):
                result = run([fish, "--no-config", "-c",
                              f"source {self.script('fish')}; complete -C '{line}'"],
                             env=self.home.environment())
                self.assertEqual(result.code, 0, result)
                self.assertEqual({row.split("\t")[0] for row in result.out.decode().splitlines()},
                                 offered, result)

    def test_usage(self):
        self.assert_error(self.home.mayfly("completion"), USAGE, "bash")
        self.assert_error(self.home.mayfly("completion", "tcsh"), USAGE)

    def test_makes_no_directory(self):
        shutil.rmtree(self.home.state)
        answer = self.assert_done(self.home.mayfly("completion", "bash", "--words", "--", "ssh", "--hostname", ""))
        self.assertEqual(answer.out, b"words\n")
        self.assertFalse(os.path.exists(self.home.state))
