"""The secrets of a whole run: no log, no message, no command line and no environment contains one."""
import contextlib
import os
import resource
import signal
import subprocess
import unittest

from harness import memory, programs
from harness.case import REFUSED, USAGE
from harness.children import RecordingBrowser
from harness.injection import terminate
from harness.origin import Proxy
from harness.process import PIPE, Running
from harness.secrets_case import ID, SECRET, SecretsCase, as_root
from harness.visit import VISITS, add_bastion, visit
from harness.waiting import eventually

ECHO, SSH, WEB = "echo.example.com", "ssh.example.com", "web.example.com"
AGENT_SOCKET = "agent.socket"


@unittest.skipIf(programs.is_instrumented(), "a sanitizer maps terabytes, and has handlers of its own")
class Scenario(SecretsCase):
    """A person's day, with every log at its most detailed level."""

    def start(self, *arguments, env=None, **more):
        """Starts a command and records every program that starts, with its arguments and its environment."""
        trace = os.path.join(self.home.path, f"strace.{len(self.traces)}")
        self.traces.append(trace)
        words = [programs.system("strace"), "-qq", "-f", "-v", "-s", "65536", "-e", "trace=execve,execveat", "-e", "signal=none",
                 "-o", trace, programs.mayfly(), *arguments]
        return Running(words, env=self.home.environment(env), **more)

    def talkative(self):
        return ("--logfile", os.path.join(self.home.path, "one.log"), "--log-directory", self.logs, "--log-level", "debug", "-v")

    def mayfly(self, *arguments, **more):
        result = self.assert_done(self.start(*arguments, *self.talkative(), **more).finish())
        self.told.append(result.err)
        self.learn()
        return result

    def shown(self, *arguments):
        """Runs a command and searches its output. The result of the command does not matter."""
        result = self.start(*arguments).finish()
        self.assertTrue(result.out + result.err.encode(), result)
        self.told += [result.out.decode(), result.err]

    def refused(self):
        """A wrong secret is a secret too: it may differ from the right one in a letter."""
        self.secrets["wrong secret"] = b"wr0ng-" + SECRET.encode()
        wrong = self.home.plant("../wrong", self.secrets["wrong secret"])
        result = self.start("login", "--service-token-id", ID, "--service-token-secret-file", wrong, *self.talkative(), SSH,
                            "--batch").finish()
        self.told.append(self.assert_error(result, REFUSED).err)

    def listener(self, kind, *flags, **more):
        one = VISITS[kind]
        running = self.start(kind, "--hostname", one.host, "--url", "127.0.0.1:0", *self.talkative(), *flags, **more)
        port = int(running.wait_err(r"host=127\.0\.0\.1:(\d+)").group(1))
        with visit(self.edge, kind, port):
            self.learn()
            self.look_at(memory.children_of(running.pid))
        terminate(running)
        self.told.append(self.assert_done(running.finish()).err)

    def look_at(self, pids):
        """Collects what /proc shows of processes, and of the programs that they have started."""
        for pid in pids:
            for name in ("cmdline", "environ"):
                # A child may have ended meanwhile, and /proc does not show the environment of a process without core
                # dumps.
                with contextlib.suppress(PermissionError, FileNotFoundError, ProcessLookupError), \
                        open(f"/proc/{pid}/{name}", "rb") as file:
                    self.assert_without_secrets(f"{name} of {memory.name_of(pid)}", file.read())
            self.looked.add(memory.name_of(pid))
            self.look_at(memory.children_of(pid))

    def started_programs(self):
        """Returns the programs that mayfly started, and not the person."""
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
        self.listeners()
        self.curl()
        self.refused()
        self.mayfly("ssh-gen", "--agent", "--hostname", SSH, env={"SSH_AUTH_SOCK": self.agent()})
        self.edge.application("web", policy="certificate", client_ca=self.ca.read("root.pem"))
        os.unlink(self.home.file(self.home.token_name("web")))
        self.mayfly("login", "-q", *self.locked, WEB)
        self.shown("status")
        self.shown("status", "--json")
        self.shown("doctor", "--hostname", SSH, *self.talkative())
        self.shown("doctor", "--json", "--hostname", WEB, *self.locked)
        self.shown("logout", "--all")

    def listeners(self):
        variables = {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET}
        for kind, one in VISITS.items():
            for flags, more in (((), {}), (self.service, {}), ((), {"env": variables}), (("--service-token-secret", SECRET,
                                "--service-token-id", ID), {})):
                if self.home.token_name(one.of) in self.home.files():
                    os.unlink(self.home.file(self.home.token_name(one.of)))
                self.listener(kind, *flags, **more)

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

    def test_secrets_appear_nowhere(self):
        self.logs = os.path.join(self.home.path, "logs")
        os.mkdir(self.logs)
        self.told, self.traces, self.looked = [], [], set()
        self.the_day()
        self.assertIn("mayfly", self.looked)
        self.assertGreater(len(self.secrets), 10)
        started = self.started_programs()
        # Only root can read the arguments in the memory of a process that cannot be dumped.
        for name in (b"xdg-open", b"curl") if os.geteuid() == 0 else ():
            self.assertTrue(any(name in call for call in started), started)
        for call in started:
            self.assert_without_secrets("arguments and environment of a program", call)
        for number, text in enumerate(self.told):
            self.assert_without_secrets(f"what was printed {number}", text.encode())
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
    """cloudflared takes the secret as an argument and from the environment. mayfly overwrites both once it has read
    them."""

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


class Children(SecretsCase):
    """A browser finds no secret in its environment or in its parent, and no descriptor of mayfly."""

    PROXY, HEADER = "pr0xy:pa55w0rd", "5ecre7-0f-a-header"

    def commands(self):
        header = ("-H", "X-Key: " + self.HEADER)
        return {"login": (WEB,), "ssh": ("--hostname", ECHO, *header), "ssh-gen": ("--hostname", SSH), "curl": ("-s", *header, f"https://{WEB}/"),
                **{kind: ("--hostname", one.host, "--url", "127.0.0.1:0", *(header if kind != "http" else ()))
                   for kind, one in VISITS.items()}}

    def start(self, command, *flags, env):
        """Starts a command with a descriptor that a shell has left open."""
        line = 'exec 7</dev/null; exec "$0" "$@"'
        return self.home.start("-c", line, programs.mayfly(), command, *flags, program=programs.system("sh"), env=env, stdin=PIPE)

    def logged_in(self, command, *flags, env):
        running = self.start(command, *flags, env=env)
        if command in VISITS:
            port = int(running.wait_err(r"127\.0\.0\.1:(\d+)").group(1))
            visit(self.edge, command, port).close()
        elif command == "ssh":
            running.write(b"through")
            running.wait_out(7)
        else:
            self.assert_done(running.finish())
        return running

    def test_browser_gets_no_secret_and_no_descriptor(self):
        for by_variable in (False, True):
            for command, flags in self.commands().items():
                with self.subTest((command, by_variable)):
                    self.look(command, flags, by_variable)

    def look(self, command, flags, by_variable):
        self.fresh()
        add_bastion(self.edge)
        self.edge.application("ssh", certificate={"service_principals": ["deploy"]})
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        browser = RecordingBrowser(self.home)
        proxy = Proxy(credentials=self.PROXY)
        self.addCleanup(proxy.stop)
        url = f"http://{self.PROXY}@127.0.0.1:{proxy.port}"
        log = () if command == "curl" else ("--logfile", os.path.join(self.home.path, "log"), "--log-directory", self.home.path)
        by_flag = () if by_variable else (("-x", url) if command == "curl" else ("--proxy=" + url,))
        running = self.logged_in(command, *log, *flags, *by_flag, env={"HTTPS_PROXY": url} if by_variable else {})
        self.assertTrue(proxy.requests, "nothing went by the proxy")
        self.assertEqual(len(self.home.browsed()), 1)
        for secret in ("pa55w0rd", self.HEADER):
            self.assertNotIn(secret, browser.everything())
        self.assertIn("mayfly", browser.read("parent"))
        self.assertEqual(browser.read("descriptors"), {n: "/dev/null" for n in "012"})
        if not running.has_ended():
            self.look_at_running(running)

    def look_at_running(self, running):
        for pid in (running.pid, *memory.children_of(running.pid)):
            for name in ("cmdline", "environ"):
                # A child may have ended meanwhile, and /proc does not show the environment of a process without core
                # dumps.
                with contextlib.suppress(PermissionError, FileNotFoundError, ProcessLookupError), \
                        open(f"/proc/{pid}/{name}", "rb") as file:
                    content = file.read()
                    for secret in ("pa55w0rd", self.HEADER):
                        self.assertNotIn(secret.encode(), content)
        running.kill()


class Hostnames(SecretsCase):
    """An invalid host name is refused before anything is opened, made or requested."""

    NAMES = ("a;touch marker;b.example.com", "a'b.example.com", "$(touch marker).example.com", "a b.example.com", "a|b.example.com",
             "-oProxyCommand=touch.example.com", "a`b`.example.com", "a\nb.example.com", 'a"b.example.com', "a&b.example.com")

    def test_refused_before_anything_else(self):
        log = os.path.join(self.home.path, "log")
        for command in ("ssh", "tcp", "socks", "http", "ssh-gen", "ssh-config"):
            for name in self.NAMES:
                with self.subTest((command, name)):
                    before = self.home.snapshot()
                    url = ("--url", "127.0.0.1:0") if command in VISITS else ()
                    result = self.home.mayfly(command, "--hostname=" + name, "--logfile", log, *url)
                    self.assert_error(result, USAGE)
                    self.assert_unchanged(before)
                    self.assertEqual(self.edge.stats()["tls_connections"], 0)


@unittest.skipIf(programs.is_instrumented(), "a sanitizer maps terabytes, and has handlers of its own")
class Dumps(SecretsCase):
    def tunnel(self):
        self.home.plant_token("echo")
        running = self.home.start("ssh", "--hostname", ECHO, stdin=PIPE, cwd=self.home.path)
        running.write(b"through")
        running.wait_out(7)
        return running

    def leaves_a_core(self, *words, number):
        """Returns whether the kernel wrote a core dump, wherever it writes it. Python's own wait does not tell."""
        # A shell that runs the tests in the background ignores SIGQUIT, which is inherited. Landlock keeps a tunnel in
        # the sandbox from writing a core dump, but this test is about every process.
        environment = self.home.environment({"MAYFLY_SANDBOX": "off"})
        process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
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
