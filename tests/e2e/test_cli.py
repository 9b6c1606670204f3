"""The command line: help, version, usage errors, and ssh-config to the byte."""
import os
import re

from harness import programs
from harness.case import FAILED, NETWORK, USAGE, EdgeCase
from harness.origin import Origin
from harness.process import run

LINES, COLUMNS = 40, 80  # the size of a terminal that has not been enlarged


class CommandLine(EdgeCase):
    def setUp(self):
        super().setUp()
        self.home.variables["MAYFLY_CONNECT_TO"] = ":443:127.0.0.1:1"  # The tests of this file need no network.

    def test_version(self):
        for arguments in (["--version"], ["-V"], ["version"], ["access", "--version"]):
            with self.subTest(arguments):
                result = self.assert_done(self.home.mayfly(*arguments))
                self.assertRegex(result.out.decode(), r"\Amayfly \d+\.\d+\.\d+\n\Z")

    def test_help(self):
        for arguments in (["--help"], ["-h"], ["help"], ["access", "--help"], ["access", "-h"],
                          ["access", "help"]):
            with self.subTest(arguments):
                result = self.assert_done(self.home.mayfly(*arguments))
                self.assertEqual(result.err, "")
                for command in ("login", "token", "ssh", "ssh-config", "ssh-gen"):
                    self.assertIn(f"  {command} ", result.out.decode())

    def commands(self):
        """Returns the commands of the help, with their aliases."""
        text = self.assert_done(self.home.mayfly("--help")).out.decode()
        listed = text[text.index("Commands:"):].split("\n\n")[0]
        found = re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE)
        for others in re.findall(r"\(also: ([a-z, ]+)\)", listed):
            found += others.split(", ")
        self.assertLessEqual({"login", "curl", "ssh", "tcp", "status"}, set(found))
        return found

    def assert_fits(self, text, lines=LINES):
        self.assertLessEqual(len(text.splitlines()), lines)
        for line in text.splitlines():
            self.assertLessEqual(len(line), COLUMNS, line)

    def test_help_of_each_command(self):
        for command in self.commands():
            for arguments in ([command, "--help"], ["access", command, "--help"]):
                with self.subTest(arguments):
                    result = self.assert_done(self.home.mayfly(*arguments))
                    self.assertEqual(result.err, "")
                    text = result.out.decode()
                    self.assertTrue(text.startswith("usage: mayfly access "), result)
                    self.assertRegex(text, r"\nExamples:\n  .*mayfly ")
                    self.assert_fits(text)
        self.assertEqual(self.home.files(), [])

    def test_help_fits_a_screen(self):
        self.assert_fits(self.home.mayfly("--help").out.decode())

    def test_help_by_other_names(self):
        for command in ("login", "tcp", "ssh-config"):
            text = self.home.mayfly(command, "--help").out
            for word in ("-h", "-help"):
                self.assertEqual(self.assert_done(self.home.mayfly(command, word)).out, text)

    def test_help_all_explains_the_shared_flags(self):
        for command in ("login", "curl", "ssh-gen"):
            with self.subTest(command):
                short = self.assert_done(self.home.mayfly(command, "--help")).out.decode()
                full = self.assert_done(self.home.mayfly(command, "--help-all")).out.decode()
                named = re.search(r"Shared flags.*:\n((?:  --.*\n)+)", short)[1].split()
                for flag in named:
                    self.assertRegex(full, rf"(?m)^  (-\w, )?{flag}\b")
                self.assert_fits(full, lines=100)

    def test_help_all_of_any_command(self):
        """A command without shared flags has nothing more to explain, and does not list the flag."""
        for command in self.commands():
            with self.subTest(command):
                short = self.assert_done(self.home.mayfly(command, "--help")).out.decode()
                full = self.assert_done(self.home.mayfly(command, "--help-all"))
                self.assertEqual(full.err, "")
                self.assertTrue(full.out.startswith(b"usage: mayfly access "), full)
                self.assertEqual("--help-all" not in short, full.out.decode() == short)
        self.assertEqual(self.assert_done(self.home.mayfly("--help-all")).out, self.home.mayfly("--help").out)

    def test_secrets_of_the_environment_are_not_in_the_help(self):
        result = self.home.mayfly("tcp", "--help", env={"TUNNEL_SERVICE_TOKEN_SECRET": "top-secret"})
        self.assertNotIn(b"top-secret", result.out)

    def test_usage_errors(self):
        for arguments in ([], ["access"], ["no-such-command"], ["access", "no-such-command"],
                          ["login", "--no-such-flag", "web.example.com"], ["token"], ["login"],
                          ["ssh"], ["access", "tcp"], ["ssh-gen"], ["ssh-gen", "--hostname"],
                          ["ssh-gen", "--hostname", "ssh.example.com", "--key-type", "dsa"],
                          ["login", "web.example.com", "another.example.com"],
                          ["login", "http://user@web.example.com"], ["login", "web example.com"],
                          ["login", "ftp://web.example.com"], ["token", "web.example.com:99999"],
                          ["tcp", "--hostname", "web.example.com", "--ping-interval", "soon"],
                          ["login", "--key", "k.pem", "web.example.com"],
                          ["login", "--service-token-id", "x", "web.example.com"],
                          ["--no-such-flag"]):
            with self.subTest(arguments):
                self.assert_error(self.home.mayfly(*arguments), USAGE)
        self.assertEqual([f for f in self.home.files()], [])

    def test_commands_of_cloudflared_alone(self):
        """Under the name cloudflared, a script that runs a tunnel learns whose program this is."""
        link = os.path.join(self.home.bin, "cloudflared")
        os.symlink(programs.mayfly(), link)
        for words in (["tunnel", "run"], ["update"], ["service", "install"], ["--no-autoupdate", "tunnel", "run"]):
            with self.subTest(words):
                result = self.home.mayfly(*words, program=link)
                self.assert_error(result, USAGE, "this is mayfly, a client for Cloudflare Access", "cloudflared")
        other = os.path.join(self.home.path, "real")
        os.mkdir(other)
        os.symlink(programs.system("true"), os.path.join(other, "cloudflared"))
        result = self.home.mayfly("tunnel", "run", program=link, env={"PATH": f"{self.home.bin}:{other}"})
        self.assert_error(result, USAGE, f"hint: give the path of the real one: {other}/cloudflared")

    def test_usage_errors_show_the_wrong_argument(self):
        for words, shown in ((["login", "vm.example.com", "extra", "words"], "not expected: extra words"),
                             ([""], 'no command ""'),
                             (["token", " vm.example.com "], '" vm.example.com " is no application URL'),
                             (["ssh-gen", "--hostname="], "which"),
                             (["ssh", "--hostname="], "which")):
            with self.subTest(words):
                self.assert_error(self.home.mayfly(*words), USAGE, shown)

    def test_where_to_connect_is_no_place(self):
        for text in ("garbage", "127.0.0.1:443", "a:b:c:d", "a:1:b:2:c", "::127.0.0.1:1,garbage", "[::1:443:a:1"):
            with self.subTest(text):
                result = self.home.mayfly("login", "--batch", "vm.example.com", env={"MAYFLY_CONNECT_TO": text})
                self.assert_error(result, USAGE, "MAYFLY_CONNECT_TO")
        for text in ("", " , ", "::127.0.0.1:1", ":443:127.0.0.1:1", "vm.example.com:443:127.0.0.1:1,::127.0.0.1:1",
                     "[::1]:1:[::1]:1,::127.0.0.1:1"):
            with self.subTest(text):
                result = self.home.mayfly("login", "--batch", "vm.invalid", env={"MAYFLY_CONNECT_TO": text})
                self.assertEqual(result.code, NETWORK, result)

    def test_arguments_are_shown_without_control_characters(self):
        result = self.home.mayfly("\x1b[31mred\x07")
        self.assert_error(result, USAGE)
        self.assert_error(self.home.mayfly("login", "web\x1b.example.com"), USAGE)

    def test_flags_before_the_command(self):
        expected = self.home.mayfly("access", "status").err
        for before in (["--no-autoupdate", "access"], ["--loglevel", "debug", "access"], ["-config=/dev/null"],
                       ["access", "--logfile", "there.log"], ["--fedramp=false"], ["access", "--fedramp=true"],
                       ["--metrics", "localhost:0", "--edge", "a:1", "-pq", "forward"]):
            with self.subTest(before):
                result = self.assert_done(self.home.mayfly(*before, "status"))
                self.assertEqual((result.out, result.err), (b"", expected))
        self.assertEqual(self.home.files(), [], "status has no log")
        shown = self.home.mayfly("--version").out
        for words in (["--no-autoupdate", "version"], ["--no-autoupdate", "-v"], ["--loglevel", "debug", "--version"]):
            self.assertEqual(self.assert_done(self.home.mayfly(*words)).out, shown)
        result = self.assert_error(self.home.mayfly("--no-such-flag", "login"), USAGE, "there is no flag --no-such-flag")
        self.assertNotIn("no command", result.err)
        self.assert_error(self.home.mayfly("--logfile"), USAGE, "needs a value")
        self.assert_error(self.home.mayfly("--fedramp=perhaps", "status"), USAGE)

    def test_missing_home_is_said(self):
        """Without HOME it asks the account: here a user without one, since that of the tests has a real home."""
        strange = [programs.system("unshare"), "--user", "--map-user=54321", "--"]
        environment = self.home.environment()
        if run([*strange, programs.system("true")], env=environment).code:
            self.skipTest("this computer gives no user namespace")
        del environment["HOME"]
        for words in (["login", "web.example.com"], ["status"], ["ssh-config", "--hostname", "vm.example.com", "--write"]):
            with self.subTest(words):
                result = run([*strange, programs.mayfly(), *words], env=environment)
                self.assert_error(result, FAILED, "cannot tell the home directory: HOME is not set", "MAYFLY_HOME")

    def test_unreachable_output(self):
        with open("/dev/full", "wb") as full:
            result = self.home.start("--help", stdout=full).finish()
        self.assertEqual(result.code, FAILED, result)
        self.assertEqual(result.err, "mayfly: error: cannot write to standard output: No space left on device\n"
                                     "hint: make room there, and run it again\n")

    def test_output_without_a_reader(self):
        """The reader has gone away, as `| head -1` and `| true` leave it."""
        for words in (["--help"], ["login", "--help"], ["completion", "bash"], ["status", "--json"],
                      ["ssh-config"], ["doctor", "--hostname", "vm.example.com"]):
            with self.subTest(words):
                reading, writing = os.pipe()
                os.close(reading)
                with os.fdopen(writing, "wb") as pipe:
                    result = self.home.start(*words, stdout=pipe).finish()
                self.assertEqual((result.code, result.err), (FAILED, ""), result)

    def test_no_hint_without_advice(self):
        result = self.home.mayfly("ssh-config", "--hostname", "vm.example.com", "--write",
                                  env={"HOME": "/proc/nowhere"})
        self.assert_error(result, FAILED, "/proc/nowhere")
        self.assertNotIn("hint", result.err)


class ClosedDescriptors(EdgeCase):
    """A supervisor may start a program with descriptor 0, 1 or 2 closed. The next file that the program opens then
    gets the number, and is read, or written over with messages."""

    COMMANDS = (["login", "-v", "--batch", "web.example.com"], ["token", "-v", "web.example.com"], ["ssh", "-v", "--hostname", "echo.example.com"],
                ["curl", "-s", "https://web.example.com"], ["socks", "--batch", "--hostname", "unknown.invalid", "--url", "unix:/nonexistent/s"],
                ["http", "--batch", "--hostname", "unknown.invalid", "--url", "unix:/nonexistent/s"],
                ["ssh-config", "--hostname", "vm.example.com"], ["ssh-gen", "--batch", "--hostname", "vm.example.com"],
                ["status"], ["logout", "vm.example.com"], ["doctor", "--batch", "--hostname", "echo.example.com"],
                ["completion", "bash"], ["--help"], ["--no-such-flag"])

    def prepare(self):
        self.fresh()
        origin = Origin(lambda connection: None)  # hangs up
        self.addCleanup(origin.stop)
        self.edge.application("echo", origin=origin.address)
        self.home.plant_token("web")
        self.home.plant_token("echo")

    def closed(self, redirection, words, **more):
        shell = [programs.system("sh"), "-c", f'exec "$@" {redirection}', "sh", *programs.under(), programs.mayfly(), *words]
        return run(shell, env={**self.home.environment(), "PATH": os.environ["PATH"]}, **more)

    def test_every_command_ends(self):
        self.assertEqual({words[0] for words in self.COMMANDS if not words[0].startswith("-")},
                         {"login", "token", "ssh", "curl", "socks", "http", "ssh-config", "ssh-gen", "status", "logout",
                          "doctor", "completion"})
        for redirection in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"):
            for words in self.COMMANDS:
                with self.subTest((redirection, words[0])):
                    self.prepare()
                    result = self.closed(redirection, words)
                    if words[0] in ("login", "token", "ssh", "curl") and ">&-" not in redirection.split():
                        self.assert_done(result)
                    for name in self.home.files():
                        self.assertNotIn(b"mayfly: ", self.home.read(name), name)

    def test_closed_input_is_an_empty_one(self):
        """The origin keeps the tunnel open: the tunnel ends because its input has ended, 30 s ago."""
        self.home.plant_token("echo")
        result = self.assert_done(self.closed("<&-", ["ssh", "--hostname", "echo.example.com"]))
        self.assertEqual((result.out, result.err), (b"", ""))

    def test_closed_output_is_an_error(self):
        self.prepare()
        for words in (["token", "web.example.com"], ["--help"], ["ssh-config"]):
            self.assertEqual(self.closed(">&-", words).code, FAILED)
            self.assertIn("cannot write to standard output: Bad file descriptor", self.closed(">&-", words).err)

    def test_closed_output_of_a_tunnel_is_said(self):
        self.home.plant_token("echo")
        result = self.closed(">&-", ["ssh", "--hostname", "echo.example.com"], stdin=b"hello")
        self.assertEqual((result.code, result.out), (FAILED, b""), result)
        self.assertIn("Bad file descriptor", result.err)


class SshConfig(EdgeCase):
    def config(self, *flags, **more):
        return self.home.mayfly("access", "ssh-config", *flags, **more)

    def expect(self, text, *flags, program=None, **more):
        result = self.assert_done(self.config(*flags, program=program, **more))
        path = program or programs.mayfly()
        self.assertEqual(result.out.decode(),
                         text.replace("MAYFLY", path).replace("HOME", self.home.path))
        self.assertEqual(result.err, "")
        self.assertEqual(self.home.files(), [])

    def test_short_lived(self):
        self.expect("""
Add to your HOME/.ssh/config:

Match host vm.example.com exec "MAYFLY access ssh-gen --hostname %h"
  ProxyCommand MAYFLY access ssh --hostname %h
  IdentityFile ~/.cloudflared/%h-cf_key
  CertificateFile ~/.cloudflared/%h-cf_key-cert.pub
  AddKeysToAgent no
""", "--hostname", "vm.example.com", "--short-lived-cert")

    def test_plain(self):
        self.expect("""
Add to your HOME/.ssh/config:

Host vm.example.com
  ProxyCommand MAYFLY access ssh --hostname %h

""", "--hostname", "vm.example.com")

    def test_without_a_host(self):
        self.expect("""
Add to your HOME/.ssh/config:

Host [your hostname]
  ProxyCommand MAYFLY access ssh --hostname %h

""")
        self.expect("""
Add to your HOME/.ssh/config:

Match host [your hostname] exec "MAYFLY access ssh-gen --hostname %h"
  ProxyCommand MAYFLY access ssh --hostname %h
  IdentityFile ~/.cloudflared/%h-cf_key
  CertificateFile ~/.cloudflared/%h-cf_key-cert.pub
  AddKeysToAgent no
""", "-short-lived-cert")

    def test_words_before_the_block(self):
        expected = self.config("--hostname", "vm.example.com").out
        for before in ([], ["forward"], ["access"]):
            for flag in (["--hostname", "vm.example.com"], ["-hostname=vm.example.com"]):
                self.assertEqual(self.home.mayfly(*before, "ssh-config", *flag).out, expected)

    def test_host_in_any_form(self):
        """ssh's Host is case-sensitive."""
        expected = self.config("--hostname", "vm.example.com").out
        for host in ("VM.Example.com", "https://vm.example.com/", "vm.example.com.", "vm.example.com:443"):
            with self.subTest(host):
                self.assertEqual(self.assert_done(self.config("--hostname", host)).out, expected)
        for host in ("vm.example.com:22", "https://vm.example.com/?team=a", "https://[::1]/"):
            self.assert_error(self.config("--hostname", host), USAGE)

    def test_mayfly_home_is_named(self):
        self.expect("""
Add to your HOME/.ssh/config:

Match host vm.example.com exec "MAYFLY access ssh-gen --hostname %h"
  ProxyCommand MAYFLY access ssh --hostname %h
  IdentityFile HOME/state/%h-cf_key
  CertificateFile HOME/state/%h-cf_key-cert.pub
  AddKeysToAgent no
""", "--hostname", "vm.example.com", "--short-lived-cert",
                    env={"MAYFLY_HOME": os.path.join(self.home.path, "state")})

    def test_path_through_a_link(self):
        link = os.path.join(self.home.path, "cloudflared")
        os.symlink(programs.mayfly(), link)
        self.expect("""
Add to your HOME/.ssh/config:

Host vm.example.com
  ProxyCommand MAYFLY access ssh --hostname %h

""", "--hostname", "vm.example.com", program=link)

    def test_invalid_host_names(self):
        for host in ("vm example.com", "vm.example.com\nProxyCommand evil", "$(id)", "`id`", "vm;id",
                     "-oProxyCommand=id", "vm.example.com\"", "*", "!vm.example.com", "vm,other", "#vm",
                     "vm%n.example.com", "vm.example.com/$(id)", "user@vm.example.com", "..", "a..b"):
            with self.subTest(host):
                result = self.config("--short-lived-cert", f"--hostname={host}")
                if host == "vm.example.com/$(id)" and result.code == 0:
                    continue  # A path may contain it, quoted; the tests of sshconfig check this with ssh and the shell.
                self.assert_error(result, USAGE)

    def test_secret_is_not_printed(self):
        result = self.config("--hostname", "vm.example.com", "--service-token-id", "x.access",
                             "--service-token-secret", "top-secret")
        self.assertNotIn("top-secret", result.out.decode() + result.err)
