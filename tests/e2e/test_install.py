"""meson install: the place of each file, and that each shell finds its completion there."""
import os
import re
import shutil
import unittest

from harness import programs
from harness.case import EdgeCase
from harness.process import run
from harness.terminal import Terminal

BUILD = os.environ.get("MAYFLY_BUILD", "")
MAN = os.path.join(programs.E2E, "..", "..", "man")
LINKS = ("mayfly-tcp.1", "mayfly-rdp.1", "mayfly-smb.1")


def meson(*arguments):
    environment = {**os.environ, "DESTDIR": ""}
    return run([programs.system("meson"), *arguments], env=environment)


class Install(EdgeCase):
    def setUp(self):
        super().setUp()
        if not os.path.isdir(os.path.join(BUILD, "meson-info")):
            self.skipTest("a copy of the programs cannot be installed")
        self.root = os.path.join(self.home.path, "root")
        self.assert_done(meson("install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", self.root))
        prefix = re.search(r"^  prefix +(\S+)", meson("configure", BUILD, "--no-pager").out.decode(), re.MULTILINE)[1]
        self.prefix = self.root + prefix
        self.share = os.path.join(self.prefix, "share")

    def shell(self, name):
        path = shutil.which(name)
        if not path:
            self.skipTest(f"{name} is not installed")
        return path

    def installed(self):
        found = {}
        for folder, _, files in os.walk(self.root):
            for name in files:
                path = os.path.join(folder, name)
                found[os.path.relpath(path, self.prefix)] = os.stat(path).st_mode & 0o777
        return found

    def test_everything_is_where_a_distribution_expects_it(self):
        pages = [name for name in os.listdir(MAN) if name.endswith(".1")]
        self.assertIn("mayfly-login.1", pages)
        expected = {f"share/man/man1/{page}": 0o644 for page in (*pages, *LINKS)}
        expected |= {f"lib/systemd/user/mayfly-ssh-gen@.{end}": 0o644 for end in ("service", "timer")}
        expected |= {"share/bash-completion/completions/mayfly": 0o644, "share/zsh/site-functions/_mayfly": 0o644,
                     "share/fish/vendor_completions.d/mayfly.fish": 0o644, "bin/mayfly": 0o755}
        expected |= {f"share/doc/mayfly/{name}": 0o644 for name in ("README.md", "NEWS.md", "SECURITY.md", "LICENSE")}
        self.assertEqual(self.installed(), expected)

    def test_installed_program_runs(self):
        program = os.path.join(self.prefix, "bin", "mayfly")
        result = self.assert_done(self.home.start("--version", program=program).finish())
        self.assertTrue(result.out.startswith(b"mayfly "), result)

    def test_man_finds_the_pages(self):
        man = self.shell("man")
        pages = os.path.join(self.share, "man")
        for page in ("mayfly", "mayfly-login", "mayfly-rdp"):
            environment = self.home.environment({"PATH": os.environ["PATH"], "MANPATH": pages, "MANPAGER": "cat"})
            result = self.assert_done(run([man, page], env=environment))
            self.assertIn(b"NAME", result.out)

    def at_a_prompt(self, argv, commands, more=None):
        """Starts a shell with mayfly, curl and the installed files, without the user's own configuration."""
        for name, path in (("mayfly", programs.mayfly()), ("curl", self.shell("curl"))):
            os.symlink(path, os.path.join(self.home.bin, name))
        environment = self.home.environment({"PS1": "ready> ", "ZDOTDIR": self.home.path, **(more or {}),
                                             "PATH": f"{self.home.bin}:/usr/bin:/bin"})
        terminal = Terminal(argv, env=environment)
        self.addCleanup(terminal.end)
        terminal.type(f"{commands}; echo loaded-$(echo now)\n")
        terminal.wait_for(r"loaded-now\b")
        return terminal

    def expect_completions(self, terminal):
        self.home.plant_token("web")
        for typed, shown in (("mayfly access logo\t", "mayfly access logout "),
                             ("mayfly token we\t", "token web.example.com"),
                             ("mayfly ssh-gen --key-type ed\t", "--key-type ed25519"),
                             ("mayfly login --no-v\t", "login --no-verbose"),
                             ("mayfly curl --allow-req\t", "curl --allow-request")):
            terminal.type("\x15" + typed)
            terminal.wait_for(re.escape(shown))

    def test_bash_loads_the_completion(self):
        loader = "/usr/share/bash-completion/bash_completion"
        if not os.path.exists(loader):
            raise unittest.SkipTest("bash-completion is not installed")
        terminal = self.at_a_prompt([self.shell("bash"), "--norc", "-i"], f"source {loader}",
                                    {"XDG_DATA_DIRS": f"{self.share}:/usr/share"})
        self.expect_completions(terminal)
        # curl's own completion continues after the flags of mayfly.
        terminal.type("\x15mayfly curl --remote-n\t")
        terminal.wait_for("curl --remote-name")

    def test_zsh_loads_the_completion(self):
        functions = os.path.join(self.share, "zsh", "site-functions")
        terminal = self.at_a_prompt([self.shell("zsh"), "-f", "-i"],
                                    f"fpath=({functions} $fpath); autoload -U compinit; compinit -u -D")
        self.expect_completions(terminal)

    def test_fish_loads_the_completion(self):
        # fish loads completions of vendors with its own configuration; a fresh home has no other.
        fish = self.shell("fish")
        self.home.plant_token("web")
        os.symlink(programs.mayfly(), os.path.join(self.home.bin, "mayfly"))
        environment = self.home.environment({"XDG_DATA_DIRS": f"{self.share}:/usr/share",
                                             "PATH": f"{self.home.bin}:/usr/bin:/bin"})
        for line, offered in (("mayfly access logo", {"logout"}), ("mayfly token we", {"web.example.com"}),
                              ("mayfly ssh-gen --key-type ", {"ecdsa", "ed25519"}),
                              ("mayfly curl --allow-req", {"--allow-request"})):
            with self.subTest(line):
                result = self.assert_done(run([fish, "-c", f"complete -C '{line}'"], env=environment))
                self.assertEqual({row.split("\t")[0] for row in result.out.decode().splitlines()}, offered, result)
