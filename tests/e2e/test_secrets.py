"""Secrets of a whole run: in no log, no message, no command line, no environment, and not in memory once they have done
their work."""
import base64
import os
import re
import resource
import signal
import subprocess
import unittest
import urllib.parse

from harness import memory, programs
from harness.authority import Authority
from harness.case import EdgeCase
from harness.process import PIPE, Running, run
from harness.waiting import eventually

ECHO, SSH, WEB = "echo.example.com", "ssh.example.com", "web.example.com"
ID, SECRET = "0123456789abcdef0123456789abcdef.access", "5ecre7-0f-7he-5ervice-70ken-in-this-run"
PASSWORD = "the password of the certificate's key"
TEAM_TOKEN = "acme.cloudflareaccess.com-org-token"
AGENT_SOCKET = "agent.socket"


def as_root(reason):
    return unittest.skipUnless(os.geteuid() == 0, reason)


class SecretsCase(EdgeCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        cls.ca.root("root")
        cls.ca.device("device", "root")
        cls.ca.openssl("pkcs8", "-topk8", "-in", "device.key", "-out", "locked.key", "-v2", "aes256",
                       "-passout", "pass:" + PASSWORD)
        cls.ca.write("password", PASSWORD + "\n")
        cls.locked = ("--cert", cls.ca.path("device.pem"), "--key", cls.ca.path("locked.key"),
                      "--cert-password-file", cls.ca.path("password"))

    def setUp(self):
        super().setUp()
        self.home.install_browser()
        self.secrets = {"service secret": SECRET.encode(), "key password": PASSWORD.encode()}
        self.service = ("--service-token-id", ID, "--service-token-secret-file", self.home.plant("../secret", SECRET + "\n"))
        for name in ("echo", "ssh", "web"):
            self.edge.application(name, service_tokens=[{"id": ID, "secret": SECRET}],
                                  certificate={"service_principals": ["deploy"]})

    def learn(self):
        """The secrets on disk by now. A token's signature alone would not do an attacker any good, but shows a leak."""
        for name in self.home.files():
            content = self.home.read(name).strip()
            if name.endswith("-token"):
                self.secrets[f"token {name} {len(self.secrets)}"] = content
                self.secrets[f"signature {name} {len(self.secrets)}"] = content.rpartition(b".")[2]
            if name.endswith("-cf_key"):
                lines = content.splitlines()[1:-1]
                self.secrets[f"private key {len(self.secrets)}"] = lines[0]
                self.secrets[f"private key as bytes {len(self.secrets)}"] = self.private_number(name)

    def private_number(self, name):
        if b"OPENSSH" in self.home.read(name):  # openssh's PROTOCOL.key: the seed stands before the public half
            blob = base64.b64decode(b"".join(self.home.read(name).splitlines()[1:-1]))
            public = base64.b64decode(self.home.text(name + ".pub").split()[1])[-32:]
            return blob[blob.rindex(public) - 32:blob.rindex(public)]
        shown = run([programs.system("openssl"), "pkey", "-in", self.home.file(name), "-noout", "-text"],
                    env={"PATH": "/usr/bin:/bin"}).out.decode()
        number = re.search(r"priv:\n((?:\s+[0-9a-f:]+\n)+)", shown).group(1)
        return bytes.fromhex(re.sub(r"[\s:]", "", number))[-32:]

    def assert_without_secrets(self, where, content):
        for name, secret in self.secrets.items():
            for form in (secret, base64.b64encode(secret), urllib.parse.quote(secret).encode()):
                self.assertNotIn(form, content, f"{name} in {where}")


@unittest.skipIf(programs.is_instrumented(), "a sanitizer maps terabytes, and has handlers of its own")
class Scenario(SecretsCase):
    """One person's day, with every log there is at its most talkative."""

    def start(self, *arguments, env=None, **more):
        """With every program that is started, its arguments and its environment, written down."""
        trace = os.path.join(self.home.path, f"strace.{len(self.traces)}")
        self.traces.append(trace)
        words = [programs.system("strace"), "-qq", "-f", "-v", "-s", "65536", "-e", "trace=execve,execveat", "-e", "signal=none",
                 "-o", trace, programs.mayfly(), *arguments]
        return Running(words, env=self.home.environment(env), **more)

    def mayfly(self, *arguments, **more):
        logs = ("--logfile", os.path.join(self.home.path, "one.log"), "--log-directory", self.logs,
                "--log-level", "debug", "-v")
        result = self.assert_done(self.start(*arguments, *logs, **more).finish())
        self.told.append(result.err)
        self.learn()
        return result

    def started_programs(self):
        """What others than the person started."""
        started = []
        for trace in self.traces:
            with open(trace, "rb") as file:
                calls = [line for line in file if b"execve" in line]
            self.assertIn(programs.mayfly().encode(), calls[0])
            started += calls[1:]
        return started

    def tunnel(self, *flags):
        running = self.start("ssh", "--hostname", ECHO, "-v", "--log-level", "debug",
                             "--logfile", os.path.join(self.home.path, "tunnel.log"), *flags, stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.told.append(self.assert_done(running.finish()).err)
        self.learn()

    def the_day(self):
        self.mayfly("login", "-q", WEB)
        self.mayfly("ssh-gen", "--hostname", SSH)
        self.mayfly("ssh-gen", "--hostname", SSH, "--force", "--key-type", "ecdsa")
        self.tunnel()
        os.unlink(self.home.file(self.home.token_name("echo")))
        self.tunnel(*self.service)
        self.tunnel(*self.service)
        self.curl()
        self.mayfly("ssh-gen", "--agent", "--hostname", SSH, env={"SSH_AUTH_SOCK": self.agent()})
        self.edge.application("web", policy="certificate", client_ca=self.ca.read("root.pem"))
        os.unlink(self.home.file(self.home.token_name("web")))
        self.mayfly("login", "-q", *self.locked, WEB)

    def curl(self):
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        variables = {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET}
        for more in ({}, variables):
            running = self.start("curl", "-sS", "--cacert", self.edge.ca, f"https://{WEB}/", env=more)
            self.told.append(self.assert_done(running.finish()).err)
            self.learn()

    def agent(self):
        path = os.path.join(self.home.path, AGENT_SOCKET)
        agent = self.home.start("-D", "-a", path, program=programs.system("ssh-agent"))
        eventually("the agent listens", lambda: os.path.exists(path))
        self.addCleanup(agent.kill)
        return path

    def test_nobody_sees_them(self):
        self.logs = os.path.join(self.home.path, "logs")
        os.mkdir(self.logs)
        self.told, self.traces = [], []
        self.the_day()
        self.assertGreater(len(self.secrets), 10)
        started = self.started_programs()
        # Only root may read the arguments in the memory of a process that cannot be dumped.
        for name in (b"xdg-open", b"curl") if os.geteuid() == 0 else ():
            self.assertTrue(any(name in call for call in started), started)
        for call in started:
            self.assert_without_secrets("arguments and environment of a program", call)
        for number, text in enumerate(self.told):
            self.assert_without_secrets(f"stderr {number}", text.encode())
        self.check_logs()

    def check_logs(self):
        logs = [os.path.join(folder, name) for folder, _, names in os.walk(self.home.path) for name in names
                if name.endswith(".log")]
        self.assertEqual(len(logs), 3)
        written = b""
        for path in logs:
            with open(path, "rb") as file:
                content = file.read()
            self.assert_without_secrets(path, content)
            written += content
        self.assertIn(b'"level":"debug"', written)


class Arguments(SecretsCase):
    """cloudflared takes the secret as an argument and from the environment. There it is gone once it has been read."""

    def running(self, *flags, **more):
        self.home.plant_token("echo")
        running = self.home.start("ssh", "--hostname", ECHO, *flags, stdin=PIPE, **more)
        running.write(b"through")
        running.wait_out(7)
        return running

    def test_argument_is_overwritten(self):
        for flags in (("--service-token-secret", SECRET), ("--secret=" + SECRET,), ("-secret", SECRET),
                      ("-service-token-secret=" + SECRET,)):
            running = self.running("--service-token-id", ID, *flags)
            with open(f"/proc/{running.pid}/cmdline", "rb") as file:
                line = file.read()
            self.assert_without_secrets("the command line", line)
            self.assertIn(ID.encode(), line)
            running.kill()

    @as_root("the environment of a process that cannot be dumped is root's to read")
    def test_variable_is_overwritten(self):
        running = self.running(env={"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET})
        with open(f"/proc/{running.pid}/environ", "rb") as file:
            environment = file.read()
        self.assertIn(ID.encode(), environment)
        self.assert_without_secrets("the environment", environment)


@unittest.skipIf(programs.is_instrumented(), "a sanitizer maps terabytes, and has handlers of its own")
@as_root("a process's memory is root's to read")
class Memory(SecretsCase):
    """What a core image would hold."""

    def assert_clean(self, pid, control):
        pieces = memory.image(pid)
        self.assertTrue(memory.holds(pieces, control.encode()), "the image holds nothing at all")
        found = {name: places for name, secret in self.secrets.items() if (places := memory.holds(pieces, secret))}
        self.assertEqual(found, {})
        return pieces

    def tunnel(self, *flags, **more):
        running = self.home.start("ssh", "--hostname", ECHO, *flags, stdin=PIPE, **more)
        running.write(b"through the tunnel, and back")
        running.wait_out(20)
        self.learn()
        return running

    def test_tunnel_after_a_browser_login(self):
        running = self.tunnel()
        self.assertEqual(len(self.home.browsed()), 1)
        pieces = self.assert_clean(running.pid, ECHO)
        public = self.edge.log("login.cloudflareaccess.org")[-1]["path"].rpartition("/")[2]
        self.assertEqual(memory.holds_private_key_of(pieces, base64.urlsafe_b64decode(public)), [])

    def test_tunnel_after_an_exchange(self):
        self.home.plant_org_token()
        self.assert_clean(self.tunnel("--batch").pid, ECHO)

    def test_tunnel_with_a_stored_token(self):
        self.home.plant_org_token()
        self.assert_done(self.home.mayfly("login", "-q", "--batch", ECHO))
        self.assert_clean(self.tunnel("--batch").pid, ECHO)

    def test_tunnel_with_a_service_token(self):
        for flags, variables in ((self.service, {}), ((), {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET})):
            for _ in ("earns a token", "has one"):
                self.assert_clean(self.tunnel(*flags, env=variables).pid, ECHO)

    def test_login_while_it_waits_and_when_it_is_over(self):
        """The key to the tokens is there while they are waited for; that also shows that it would be found."""
        self.home.install_idle_browser()
        running = self.stopped_at_its_end("login", "-q", WEB)
        url = eventually("the URL is shown", lambda: re.search(r"https://\S+/cdn-cgi/access/cli\?\S+", running.err)).group()
        public = base64.urlsafe_b64decode(urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["token"][0])
        pid = self.pid_of_traced()
        self.assertTrue(memory.holds_private_key_of(memory.image(pid), public))
        self.edge.sign_in(url)
        self.assertEqual(self.pid_at_its_end(), pid)
        self.learn()
        pieces = self.assert_clean(pid, WEB)
        self.assertEqual(memory.holds_private_key_of(pieces, public), [])

    def test_commands_at_their_end(self):
        self.home.plant_org_token()
        for command in (("ssh-gen", "--hostname", SSH), ("ssh-gen", "--hostname", SSH, "--force", "--key-type", "ed25519"),
                        ("ssh-gen", "--hostname", SSH), ("token", SSH), ("login", "-q", *self.service, ECHO)):
            with self.subTest(command):
                running = self.stopped_at_its_end(*command)
                pid = self.pid_at_its_end()
                if "ed25519" not in command:
                    self.learn()
                self.assert_clean(pid, SSH if SSH in command else ECHO)
                running.kill()

    def stopped_at_its_end(self, *arguments):
        """All that the program has in memory then is what it left there."""
        self.trace = os.path.join(self.home.path, "strace.log")
        if os.path.exists(self.trace):
            os.unlink(self.trace)
        words = [programs.system("strace"), "-qq", "-o", self.trace, "-e", "trace=exit_group",
                 "-e", "inject=exit_group:delay_enter=600000000", programs.mayfly(), *arguments]
        self.traced = Running(words, env=self.home.environment())
        return self.traced

    def pid_at_its_end(self):
        def look():
            with open(self.trace, encoding="utf-8") as file:
                return "exit_group(" in file.read()
        eventually("it has come to its end", lambda: os.path.exists(self.trace) and look())
        return self.pid_of_traced()

    def pid_of_traced(self):
        return eventually("it runs", lambda: [pid for pid in memory.children_of(self.traced.pid) if memory.name_of(pid) == "mayfly"])[0]

    def test_listener_keeps_the_token_it_opens_tunnels_with_and_nothing_else(self):
        """SECURITY.md says so."""
        running = self.home.start("tcp", "--hostname", ECHO, "--url", "127.0.0.1:0")
        port = int(running.wait_err(r"127\.0\.0\.1:(\d+)").group(1))
        import socket
        with socket.create_connection(("127.0.0.1", port), timeout=60) as peer:
            peer.sendall(b"through")
            self.assertTrue(peer.recv(7))
            self.learn()
            mine = self.home.read(self.home.token_name("echo"))
            self.secrets = {name: secret for name, secret in self.secrets.items() if secret not in mine}
            self.assertTrue(any("org-token" in name for name in self.secrets))
            self.assert_clean(running.pid, ECHO)


@unittest.skipIf(programs.is_instrumented(), "a sanitizer maps terabytes, and has handlers of its own")
class Dumps(SecretsCase):
    def tunnel(self):
        self.home.plant_token("echo")
        running = self.home.start("ssh", "--hostname", ECHO, stdin=PIPE, cwd=self.home.path)
        running.write(b"through")
        running.wait_out(7)
        return running

    def leaves_a_core(self, *words, number):
        """Whether the kernel wrote one, wherever to. Python's own wait hides that."""
        # A shell that runs the tests in the background ignores SIGQUIT, which is inherited.
        process = subprocess.Popen(words, env=self.home.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   cwd=self.home.path, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
        with process.stdin, process.stdout:
            process.stdin.write(b"through")
            process.stdin.flush()
            self.assertEqual(process.stdout.read(7), b"through")
            os.kill(process.pid, number)
            _, status = os.waitpid(process.pid, 0)
            process.returncode = -number
        self.assertEqual(os.WTERMSIG(status), number)
        return os.WCOREDUMP(status)

    def test_no_core_dump(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, (soft, hard))
        if not self.leaves_a_core(programs.system("cat"), number=signal.SIGABRT):
            self.skipTest("nothing leaves a core here")
        self.home.plant_token("echo")
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT):
            self.assertFalse(self.leaves_a_core(programs.mayfly(), "ssh", "--hostname", ECHO, number=number), number)

    @unittest.skipIf(os.geteuid() == 0, "root may trace everything")
    def test_no_other_process_of_the_same_user_can_look_inside(self):
        running = self.tunnel()
        self.assertFalse(memory.is_readable(running.pid))
        traced = subprocess.run([programs.system("strace"), "-p", str(running.pid)], capture_output=True, text=True,
                                check=False, timeout=60)
        self.assertIn("Operation not permitted", traced.stderr)
        for name in ("environ", "maps"):
            with self.assertRaises(PermissionError):
                with open(f"/proc/{running.pid}/{name}", "rb") as file:
                    file.read()
