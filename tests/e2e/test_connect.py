"""mayfly connect: one command from nothing to a shell, with a real ssh and sshd, and without a file of ssh's."""
import os
import shlex
import socket
import unittest

from harness import programs
from harness.agent_case import AgentCase
from harness.case import LOGIN_NEEDED, USAGE
from harness.edge import USER
from harness.process import PIPE, run
from harness.sshd import client_config
from harness.terminal import Terminal
from harness.waiting import eventually
from test_ssh import HOST, SshCase
from test_strict_service_token import GIVEN, SECRET, TOKENS


class ConnectCase(SshCase, AgentCase):
    def setUp(self):
        super().setUp()
        self.home.install_browser()
        for name in ("ssh", "sh", "id"):
            os.symlink(programs.system(name), os.path.join(self.home.bin, name))
        self.home.variables["SHELL"] = "/bin/sh"  # ssh runs the ProxyCommand with it
        self.config = client_config("", HOST, self.sshd, self.scratch)

    def connection(self, *arguments, flags=(), host=HOST):
        return ["connect", *flags, host, "-F", self.config, *arguments]

    def connect(self, *arguments, env=None, stdin=b"", **more):
        return self.home.mayfly(*self.connection(*arguments, **more), env=env, stdin=stdin)

    def printed(self, *arguments, env=None, **more):
        """Returns the words of the command line that --print prints."""
        result = self.home.mayfly(*self.connection(*arguments, flags=["--print", *more.pop("flags", [])], **more),
                                  env=env)
        return shlex.split(self.assert_done(result).out.decode())

    def trust_own_key(self):
        """Makes a key that the server accepts without a certificate. Returns its path."""
        key = os.path.join(self.scratch, "own_key")
        self.home.keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
        with open(key + ".pub", encoding="ascii") as public, open(self.sshd.authorized_keys, "w", encoding="ascii") as file:
            file.write(public.read())
        return key


class Connect(ConnectCase):
    def test_from_nothing_to_a_command_on_the_server(self):
        result = self.assert_done(self.connect("printf", "'hello from %s'", '"$(id -un)"'))
        self.assertEqual(result.out.decode(), f"hello from {USER}")
        self.sshd.wait_log(r"Accepted publickey for .*ECDSA-CERT .* ID .* CA ")
        self.assertEqual(len(self.home.browsed()), 1)
        self.assertEqual(os.listdir(os.path.join(self.home.path, ".ssh")), [])

    def test_second_time_needs_one_connection(self):
        self.assert_done(self.connect("true"))
        before = self.edge.stats()
        self.assert_done(self.connect("true"))
        after = self.edge.stats()
        self.assertEqual(after["tls_connections"], before["tls_connections"] + 1)
        self.assertEqual(after["signatures"], 1)

    def test_exit_codes_are_those_of_ssh(self):
        for command in ("exit 42", "kill -TERM $$", "no-such-program-here"):
            with self.subTest(command):
                own = run([programs.system("sh"), "-c", command], env={"PATH": "/usr/bin:/bin"}).code
                expected = {42: 42, 127: 127}.get(own, 255)  # ssh's own code for a command that a signal ended
                self.assertEqual(self.connect(command).code, expected)
        self.assertEqual(self.connect("-o", "NoSuchOption=1", "true").code, 255)

    def test_words_of_a_command_arrive_as_with_ssh(self):
        command = ["printf", "'[%s]'", "'a  b'", '"c d"', "\\$HOME", "-x", "--", "--print"]
        self.assertEqual(self.assert_done(self.connect(*command)).out, b"[a  b][c d][$HOME][-x][--][--print]")

    def test_standard_input_goes_through(self):
        self.assertEqual(self.assert_done(self.connect("cat", stdin=b"in and out")).out, b"in and out")

    def test_forwarding_without_a_command(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            local = os.path.join(self.scratch, "forwarded")
            running = self.home.start(*self.connection("-N", "-L", f"{local}:127.0.0.1:{server.getsockname()[1]}"))
            eventually("ssh listens", lambda: running.has_ended() or os.path.exists(local))
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(local)
                client.sendall(b"through ssh")
                accepted, _ = server.accept()
                with accepted:
                    self.assertEqual(accepted.recv(11), b"through ssh")
            running.process.terminate()
            running.finish()
        eventually("the tunnel has ended", lambda: self.edge.stats()["open_tunnels"] == 0)

    def test_refusals_end_it_before_ssh_starts(self):
        result = self.connect("true", flags=["--batch"])
        self.assertEqual(result.code, LOGIN_NEEDED, result)
        self.assertEqual(self.edge.stats()["tunnels"], 0)
        self.assertNotIn("ssh:", result.err)

    def test_key_in_the_agent(self):
        self.start_agent()
        result = self.connect("echo", "by agent", flags=["--agent"])
        self.assertEqual(self.assert_done(result).out, b"by agent\n")
        self.assertNotIn(f"{HOST}-cf_key", self.home.files())

    def test_key_type(self):
        self.assert_done(self.connect("true", flags=["--key-type", "ed25519"]))
        self.sshd.wait_log(r"Accepted publickey for .*ED25519-CERT ")

    def test_application_without_a_ca_and_a_key_of_ones_own(self):
        own_key = self.trust_own_key()
        self.edge.fault("cert_sign.no_ca")
        result = self.assert_done(self.connect("-i", own_key, "echo", "in"))
        self.assertEqual(result.out, b"in\n")
        said = [line for line in result.err.splitlines() if "certificate" in line]
        self.assertEqual(len(said), 1, result.err)
        self.assertIn("Please create a ca for application", said[0])

    def test_application_on_a_path(self):
        self.edge.application("ssh", hostname=f"{HOST}/machine")
        result = self.assert_done(self.connect("echo", "there", host=f"{HOST}/machine"))
        self.assertEqual(result.out, b"there\n")

    def test_configuration_of_ssh_still_counts(self):
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(f"Host {HOST}\n  SetEnv LC_MINE=configured\n")
        words = self.printed()
        shown = run([programs.system("ssh"), "-G", *words[1:]], env=self.home.environment()).out.decode()
        self.assertIn("setenv LC_MINE=configured\n", shown)
        self.assertIn("addkeystoagent false\n", shown)


class User(ConnectCase):
    def user_of(self, *arguments, **more):
        words = self.printed(*arguments, **more)
        shown = run([programs.system("ssh"), "-G", *words[1:]], env=self.home.environment()).out.decode()
        return next(line.split()[1] for line in shown.splitlines() if line.startswith("user "))

    def without_configured_user(self):
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text.replace(f"  User {USER}\n", ""))

    def test_typed_user(self):
        self.assertEqual(self.user_of(host=f"admin@{HOST}"), "admin")
        self.assertEqual(self.user_of(host=f"jane@corp.example@{HOST}"), "jane@corp.example")

    def test_principal_is_the_user_unless_the_person_names_one(self):
        self.home.install_browser(email="jane@example.com")
        self.without_configured_user()
        self.assertEqual(self.user_of(), "jane")
        self.assertEqual(self.user_of("-l", "other"), "other")
        self.assertEqual(self.user_of("-o", "User=other"), "other")

    def test_a_name_is_no_option_of_ssh(self):
        proof = os.path.join(self.scratch, "proof")
        for host in (f"-oProxyCommand=touch {proof}@{HOST}", f"@{HOST}", f"a b@{HOST}", f"x@-oProxyCommand=touch {proof}"):
            with self.subTest(host):
                result = self.home.mayfly("connect", "--", host, "true")
                self.assertEqual(result.code, USAGE, result)
        self.assertFalse(os.path.exists(proof))


class Print(ConnectCase):
    def test_printed_line_works_in_a_shell(self):
        line = self.assert_done(self.home.mayfly(*self.connection("printf", "'%s'", "'it works'", flags=["--print"])))
        self.assertTrue(line.out.decode().startswith("ssh -o "), line.out)
        result = run([programs.system("sh"), "-c", line.out.decode()], env=self.home.environment())
        self.assertEqual((result.code, result.out), (0, b"it works"), result)

    def test_printed_line_is_that_of_the_block(self):
        """ssh comes to the same settings as with the block of ssh-config."""
        self.assert_done(self.connect("true"))
        words = self.printed()
        block = self.assert_done(self.home.mayfly("ssh-config", "--short-lived-cert", HOST)).out.decode()
        other = os.path.join(self.scratch, "other")
        os.mkdir(other)
        by_block = client_config(block.split(":\n\n", 1)[1], HOST, self.sshd, other)

        def settings(*arguments):
            shown = run([programs.system("ssh"), "-G", *arguments],
                        env={**self.home.environment(), "SHELL": "/bin/sh"}).out.decode()
            return {line for line in shown.replace(other, self.scratch).replace("%h", HOST).splitlines()
                    if not line.startswith("proxycommand")}
        with_options = settings(*words[1:])
        self.assertEqual(with_options, settings("-F", by_block, HOST))


class Arguments(ConnectCase):
    def test_options_of_ssh_before_the_host(self):
        result = self.home.mayfly("connect", "-N", HOST)
        self.assertEqual(result.code, USAGE, result)
        self.assertIn("-N", result.err)

    def test_host_is_missing(self):
        for arguments in ([], ["--print"], ["--"], [""]):
            with self.subTest(arguments):
                result = self.home.mayfly("connect", *arguments)
                self.assertEqual(result.code, USAGE, result)
                self.assertIn("which host?", result.err)

    def test_value_of_a_flag_is_not_the_host(self):
        for flags in (["--logfile", os.devnull], [f"--logfile={os.devnull}"], ["-logfile", os.devnull], ["-v"]):
            with self.subTest(flags):
                self.assert_done(self.connect("true", flags=flags))

    def test_without_ssh(self):
        self.assert_done(self.connect("true"))
        result = self.home.mayfly(*self.connection("true"), env={"PATH": self.scratch})
        self.assertEqual(result.code, 1, result)
        self.assertIn("cannot run ssh: No such file or directory\nhint: install the OpenSSH client\n", result.err)


class ServiceToken(ConnectCase):
    def setUp(self):
        super().setUp()
        self.edge.application("ssh", policy="service", service_tokens=TOKENS, strict_service_token_auth=True)
        self.own_key = self.trust_own_key()

    def test_service_token_opens_the_tunnel_and_is_in_no_command_line(self):
        for env, flags in ((GIVEN, []), (None, ["--service-token-id", TOKENS[0]["id"], "--service-token-secret", SECRET])):
            with self.subTest(flags):
                result = self.connect("-i", self.own_key, "echo", "in", env=env, flags=flags)
                self.assertEqual(self.assert_done(result).out, b"in\n")
                self.assertIn("ssh tries your own keys", result.err)
                self.assertNotIn(SECRET, " ".join(self.printed(env=env, flags=flags)))

    def test_password_of_a_proxy(self):
        result = self.connect("true", env=GIVEN, flags=["--proxy", "http://jane:pa55@proxy.example.com:3128"])
        self.assertEqual(result.code, USAGE, result)
        self.assertNotIn("pa55", result.err)


class AtATerminal(ConnectCase):
    def start(self, *command, program=None):
        terminal = Terminal(program or [programs.mayfly(), *command], env={**self.home.environment(), "TERM": "xterm"})
        self.addCleanup(terminal.end)
        return terminal

    @unittest.skipIf(os.geteuid() != 0, "an sshd of an ordinary user may give nobody a terminal")
    def test_terminal_of_the_server_and_interrupt(self):
        remote = "trap 'echo interrupted; exit 7' INT; tty; echo ready; while :; do sleep 0.1; done"
        terminal = self.start(*self.connection("-t", remote))
        terminal.wait_for(r"/dev/pts/\d+\s+ready")
        terminal.type("\x03")
        terminal.wait_for("interrupted")
        self.assertEqual(terminal.finish(), 7)

    def test_interrupt_without_a_terminal_of_the_server(self):
        terminal = self.start(*self.connection("echo ready; cat"))
        terminal.wait_for("ready")
        terminal.type("\x03")
        self.assertNotEqual(terminal.finish(), 0)
        eventually("the tunnel has ended", lambda: self.edge.stats()["open_tunnels"] == 0)

    def test_stopped_and_continued_by_a_shell(self):
        terminal = self.start(program=[programs.system("bash"), "--norc", "--noprofile", "-i"])
        line = " ".join(shlex.quote(word) for word in self.connection("echo rea''dy; read word; echo got-$word"))
        terminal.type(f"{shlex.quote(programs.mayfly())} {line}\n")
        terminal.wait_for("ready")
        terminal.type("\x1a")
        terminal.wait_for(r"Stopped")
        terminal.type("fg\n")
        terminal.wait_for(r"fg\n.*connect")
        terminal.type("again\n")
        terminal.wait_for("got-again")
        terminal.type("exit\n")
        terminal.finish()


del SshCase  # Its subclasses are tests of other files.


if __name__ == "__main__":
    unittest.main()
