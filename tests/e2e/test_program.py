"""A program with the tunnel open: `mayfly tcp ... -- PROGRAM`. With psql, pg_dump, redis-cli, curl, git and npm."""
import json
import os
import re
import shutil
import signal
import socket
import threading
import unittest

from harness import programs
from harness.case import FAILED, LOGIN_NEEDED, NETWORK, NOWHERE, REFUSED, USAGE
from harness.listener import ListenerCase
from harness.origin import Origin
from harness.postgres import USER, Postgres
from harness.process import PIPE, Running
from harness.terminal import Terminal
from harness.waiting import GENEROUS, eventually
from harness.web import Web, git_backend
from test_listener import free_port

HOST = "echo.example.com"
KINDS = {"tcp": "tcp", "ssh": "tcp", "rdp": "tcp", "smb": "tcp", "socks": "socks5h", "http": "http"}
ID = "0123456789abcdef0123456789abcdef.access"
SECRET = "5" * 64
SH = programs.system("sh")


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=GENEROUS).close()
    except ConnectionRefusedError:
        return False
    return True


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


class ProgramCase(ListenerCase):
    def words(self, *program, kind="tcp", flags=(), host=HOST):
        return [kind, "--hostname", host, *flags, "--", *program]

    def start(self, *program, kind="tcp", flags=(), host=HOST, **more):
        return self.home.start(*self.words(*program, kind=kind, flags=flags, host=host), **more)

    def run_program(self, *program, **more):
        return self.start(*program, **more).finish()

    def shell(self, script, *arguments, **more):
        return self.start(SH, "-c", script, "sh", *arguments, **more)

    def python(self, text, *arguments, **more):
        return self.start(programs.PYTHON, "-c", text, *arguments, **more)

    def port_of(self, running):
        """Waits until the program has written the listener's port, in a line of its own."""
        eventually("the program runs", lambda: running.has_ended() or b"\n" in running.out)
        self.assertRegex(bytes(running.out), rb"^[0-9]+\n", running.err)
        return int(bytes(running.out).split(b"\n")[0])

    def assert_nothing_listens(self, port):
        eventually(f"nothing listens on port {port}", lambda: not can_connect(port))


class Addresses(ProgramCase):
    def test_in_arguments_and_environment(self):
        for kind, scheme in KINDS.items():
            with self.subTest(kind):
                result = self.assert_done(self.shell(
                    'printf "%s\\n" "$@" "$MAYFLY_HOST" "$MAYFLY_PORT" "$MAYFLY_ADDRESS" "$MAYFLY_URL"',
                    "{host}", "{port}", "{address}", "{url}", "a{port}b{port}", "{other}", kind=kind).finish())
                host, port, address, url, twice, other, *environment = result.out.decode().splitlines()
                self.assertEqual(host, "127.0.0.1")
                self.assertRegex(port, "^[1-9][0-9]*$")
                self.assertEqual(address, f"127.0.0.1:{port}")
                self.assertEqual(url, f"{scheme}://127.0.0.1:{port}")
                self.assertEqual(twice, f"a{port}b{port}")
                self.assertEqual(other, "{other}")
                self.assertEqual(environment, [host, port, address, url])
                self.assertEqual(result.err, "")

    def test_address_that_is_given(self):
        port = free_port()
        path = os.path.join(self.home.path, "socket")
        for url, wanted in ((f"localhost:{port}", f"localhost {port} localhost:{port} tcp://localhost:{port}"),
                            (f"[::1]:{port}", f"::1 {port} [::1]:{port} tcp://[::1]:{port}"),
                            (f"unix:{path}", f"{path}  unix:{path} unix:{path}")):
            with self.subTest(url):
                result = self.run_program(SH, "-c", 'echo "$MAYFLY_HOST $MAYFLY_PORT $MAYFLY_ADDRESS $MAYFLY_URL"',
                                          flags=("--url", url))
                self.assert_done(result)
                self.assertEqual(result.out.decode(), wanted + "\n")
        self.assertFalse(os.path.exists(path))

    def test_flags_of_the_program_stay_its_own(self):
        result = self.assert_done(self.run_program(SH, "-c", 'printf "%s|" "$@"', "sh", "--url", "-H", "--", "-v", "--help", "a b", ""))
        self.assertEqual(result.out, b"--url|-H|--|-v|--help|a b||")

    def test_program_that_is_missing(self):
        self.assert_error(self.home.mayfly("tcp", HOST, "--"), USAGE, "a program is missing")


class Refused(ProgramCase):
    """The program never starts if the application cannot be opened."""

    def assert_never_starts(self, code, *words, env=None, host=HOST):
        mark = os.path.join(self.home.path, "started")
        for kind in KINDS:
            with self.subTest(kind):
                result = self.run_program(SH, "-c", f": > {mark}", kind=kind, env=env, host=host, flags=("--batch",))
                self.assert_error(result, code, *words)
                self.assertFalse(os.path.exists(mark), "the program was started")

    def test_login_that_is_needed(self):
        os.remove(self.home.file(self.home.token_name("echo")))
        self.assert_never_starts(LOGIN_NEEDED, "a login to echo.example.com is needed")

    def test_service_token_that_is_refused(self):
        self.edge.application("echo", service_tokens=[{"id": ID, "secret": SECRET}])
        self.assert_never_starts(REFUSED, "service token", env={
            "TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": "6" * 64})

    def test_network_that_fails(self):
        self.assert_never_starts(NETWORK, "cannot reach", env=NOWHERE)

    def test_host_without_an_application(self):
        self.assert_never_starts(NETWORK, "nowhere.example.com", host="nowhere.example.com")

    def test_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            mark = os.path.join(self.home.path, "started")
            result = self.run_program(SH, "-c", f": > {mark}", flags=("--url", f"127.0.0.1:{port}"))
        self.assert_error(result, FAILED, "it is in use")
        self.assertFalse(os.path.exists(mark))

    def test_login_happens_before_the_program_starts(self):
        self.home.install_browser()
        os.remove(self.home.file(self.home.token_name("echo")))
        result = self.assert_done(self.run_program(SH, "-c", "echo started"))
        self.assertEqual(result.out, b"started\n")
        self.assertEqual(len(self.home.browsed()), 1)

    def test_signal_while_a_person_logs_in(self):
        self.home.install_idle_browser()
        os.remove(self.home.file(self.home.token_name("echo")))
        running = self.shell("echo started")
        running.wait_err("opened at the following URL")
        running.send(signal.SIGTERM)
        result = running.finish()
        self.assertEqual(result.code, LOGIN_NEEDED, result)
        self.assertEqual(result.out, b"")


class Ends(ProgramCase):
    def test_exit_codes(self):
        for code in (0, 1, 42, 255):
            with self.subTest(code):
                self.assertEqual(self.run_program(SH, "-c", f"exit {code}").code, code)

    def test_program_that_a_signal_ends(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1, signal.SIGPIPE):
            with self.subTest(number):
                self.assertEqual(self.run_program(SH, "-c", f"kill -{number.value} $$").code, 128 + number)

    def test_program_that_cannot_run(self):
        plain = os.path.join(self.home.path, "plain")
        with open(plain, "w", encoding="utf-8") as file:
            file.write("no program")
        for name, code in (("no-such-program", 127), ("/no/such/program", 127), (plain, 126), (self.home.path, 126)):
            with self.subTest(name):
                result = self.run_program(name)
                self.assertEqual(result.code, code, result)
                self.assertIn("mayfly: error: cannot run ", result.err)
                self.assertIn("\nhint: ", result.err)
                # env(1) is the standard's own program that starts another.
                self.assertEqual(Running([programs.system("env"), name], env={}).finish().code, code)

    def test_signals_are_passed_on(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                running = self.python(
                    "import os, signal, sys, time\n"
                    f"signal.signal({number.value}, lambda *_: (print('got', flush=True), sys.exit(7)))\n"
                    "print(os.environ['MAYFLY_PORT'], flush=True)\n"
                    "time.sleep(1000)")
                port = self.port_of(running)
                running.send(number)
                result = running.finish()
                self.assertEqual(result.code, 7, result)
                self.assertEqual(result.out.split()[1:], [b"got"])
                self.assert_nothing_listens(port)

    def test_standard_streams_are_the_programs(self):
        result = self.run_program(SH, "-c", f"{programs.system('cat')}; echo error >&2", stdin=b"through")
        self.assert_done(result)
        self.assertEqual(result.out, b"through")
        self.assertEqual(result.err, "error\n")

    def test_nothing_listens_after_the_end(self):
        running = self.shell("echo $MAYFLY_PORT; read line", stdin=PIPE)
        port = self.port_of(running)
        self.assert_echo(self.connect(port))
        running.close_stdin()
        running.finish()
        self.assertFalse(can_connect(port))
        eventually("no tunnel is left", lambda: self.edge.stats()["open_tunnels"] == 0)

    def test_nothing_listens_after_a_kill(self):
        told = os.path.join(self.home.path, "told")
        running = self.python(
            "import os, signal, sys, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[1], 'w').close(), os._exit(0)))\n"
            "print(os.environ['MAYFLY_PORT'], flush=True)\n"
            "time.sleep(1000)", told)
        port = self.port_of(running)
        self.assert_echo(self.connect(port))
        os.kill(running.pid, signal.SIGKILL)
        self.assert_nothing_listens(port)
        eventually("the program is told", lambda: os.path.exists(told))

    def test_nothing_listens_while_a_program_outlives_a_kill(self):
        """The program ignores that it is told, and has no descriptor of the listener."""
        running = self.shell("trap '' TERM; echo $MAYFLY_PORT; exec 1>&- 2>&-; read line", stdin=PIPE)
        port = self.port_of(running)
        os.kill(running.pid, signal.SIGKILL)
        self.assert_nothing_listens(port)
        running.close_stdin()

    def test_last_bytes_of_a_program_are_delivered(self):
        """The program fills every buffer on the way, and ends before the origin reads."""
        received, ended, may_read = bytearray(), threading.Event(), threading.Event()

        def slow(connection):
            may_read.wait(GENEROUS)
            while piece := connection.recv(65536):
                received.extend(piece)
            ended.set()
        origin = Origin(slow)
        self.addCleanup(origin.stop)
        self.edge.application("echo", origin=origin.address)
        running = self.python(
            "import os, socket\n"
            "connection = socket.create_connection(('127.0.0.1', int(os.environ['MAYFLY_PORT'])))\n"
            "connection.settimeout(1)\n"
            "size = 0\n"
            "try:\n"
            "    while True: size += connection.send(b'x' * 10000)\n"
            "except TimeoutError:\n"
            "    print(size, flush=True)\n")
        running.wait_out(2)
        may_read.set()
        size = int(self.assert_done(running.finish()).out)
        self.assertTrue(ended.wait(GENEROUS))
        self.assertEqual(len(received), size, running.err)

    def test_listener_that_is_killed_ends_the_program(self):
        running = self.shell(f"echo $MAYFLY_PORT; exec {programs.system('sleep')} 1000")
        self.port_of(running)
        listener, = (pid for pid in children_of(running.pid) if os.readlink(f"/proc/{pid}/exe") == os.readlink(f"/proc/{running.pid}/exe"))
        os.kill(listener, signal.SIGKILL)
        result = running.finish()
        self.assertEqual(result.code, 128 + signal.SIGTERM, result)
        self.assertIn("the process of the listener has ended", result.err)

    def test_stats_are_of_the_tunnels(self):
        file = os.path.join(self.home.path, "stats")
        self.assert_done(self.python(
            "import os, socket\n"
            "c = socket.create_connection(('127.0.0.1', int(os.environ['MAYFLY_PORT'])))\n"
            "c.sendall(b'seven!!'); c.recv(7)", flags=("--stats-file", file)).finish())
        with open(file, encoding="utf-8") as lines:
            stats = json.loads(lines.read())
        self.assertEqual((stats["tunnels"], stats["sent"], stats["received"]), (1, 7, 7))

    def test_service_manager_is_told_by_the_process_that_it_started(self):
        path = os.path.join(self.home.path, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            manager.settimeout(GENEROUS)
            manager.bind(path)
            running = self.shell('echo "${NOTIFY_SOCKET:-none}"', env={"NOTIFY_SOCKET": path})
            for word in (b"READY=1", b"STOPPING=1"):
                message, extra, _, _ = manager.recvmsg(100, 100)
                self.assertEqual(message, word)
                self.assertEqual(int.from_bytes(extra[0][2][:4], "little"), running.pid)
        self.assertEqual(running.finish().out, b"none\n")


class Secrets(ProgramCase):
    def test_no_secret_of_ours_in_the_environment(self):
        self.edge.application("echo", service_tokens=[{"id": ID, "secret": SECRET}])
        result = self.assert_done(self.run_program(programs.system("env"), env={
            "TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET,
            "SSLKEYLOGFILE": "/tmp/keys", "OF_THE_PERSON": "stays"}))
        text = result.out.decode()
        for secret in (ID, SECRET, "SSLKEYLOGFILE", self.token):
            self.assertNotIn(secret, text)
        self.assertIn("OF_THE_PERSON=stays", text)
        self.assertRegex(text, "MAYFLY_PORT=[0-9]+")

    def test_no_descriptor_of_ours_in_the_program(self):
        """A descriptor that mayfly was started with is the program's; the others are not."""
        listing = ("import os\n"
                   "for fd in os.listdir('/proc/self/fd'):\n"
                   "  print(fd) if os.path.exists(f'/proc/self/fd/{fd}') else 0")
        result = self.home.start("-c", 'exec 9>&1; exec "$@"', "sh", programs.mayfly(), *self.words(programs.PYTHON, "-c", listing),
                                 program=SH).finish()
        self.assert_done(result)
        self.assertEqual(sorted(map(int, result.out.split())), [0, 1, 2, 9], result)


class AtATerminal(ProgramCase):
    """Ctrl-C and Ctrl-Z are the program's."""

    def at_terminal(self, *words):
        terminal = Terminal(words, env=self.home.environment())
        self.addCleanup(terminal.end)
        return terminal

    def mayfly(self, text):
        return [programs.mayfly(), *self.words(programs.PYTHON, "-c", text)]

    def test_interrupt_reaches_the_program_once(self):
        terminal = self.at_terminal(*self.mayfly(
            "import signal, sys, time\n"
            "count = 0\n"
            "def on(*_):\n"
            "  global count; count += 1; print('interrupts', count, flush=True)\n"
            "signal.signal(signal.SIGINT, on)\n"
            "print('waits', flush=True)\n"
            "sys.stdin.readline()\n"
            "print('then', count, flush=True)\n"
            "sys.exit(3)"))
        terminal.wait_for("waits")
        terminal.type("\x03")
        terminal.wait_for("interrupts 1")
        terminal.type("\n")
        terminal.wait_for("then 1\n")
        self.assertEqual(terminal.finish(), 3)

    def test_tunnel_outlives_an_interrupt(self):
        terminal = self.at_terminal(*self.mayfly(
            "import os, signal, socket, sys\n"
            "c = socket.create_connection(('127.0.0.1', int(os.environ['MAYFLY_PORT'])))\n"
            "signal.signal(signal.SIGINT, lambda *_: print('interrupted', flush=True))\n"
            "print('waits', flush=True)\n"
            "sys.stdin.readline()\n"
            "c.sendall(b'through'); print(c.recv(7), flush=True)"))
        terminal.wait_for("waits")
        terminal.type("\x03")
        terminal.wait_for("interrupted")
        terminal.type("\n")
        terminal.wait_for("b'through'")
        self.assertEqual(terminal.finish(), 0)

    def test_stop_and_continue(self):
        """For a program that the terminal stops, and for one that stops only itself, as less does."""
        for name, text in (("terminal", ""), ("itself", "signal.signal(signal.SIGTSTP, lambda *_: os.kill(os.getpid(), signal.SIGSTOP))\n")):
            with self.subTest(name):
                terminal = self.at_terminal(programs.system("bash"), "--norc", "--noprofile", "-i")
                terminal.type("PS1='prompt> '\n")
                terminal.wait_for("\nprompt> $")
                file = os.path.join(self.home.path, f"{name}.py")
                with open(file, "w", encoding="utf-8") as out:
                    out.write("import os, signal, sys\n" + text + "print('it waits', flush=True)\nprint('read', sys.stdin.readline())\n")
                terminal.type(" ".join([programs.mayfly(), *self.words(programs.PYTHON, file)]) + "\n")
                terminal.wait_for("\nit waits\n")
                terminal.type("\x1a")
                terminal.wait_for("Stopped")
                terminal.type("echo still $((1 + 1))\n")
                terminal.wait_for("still 2")
                terminal.type("fg\n")
                terminal.type("again\n")
                terminal.wait_for("read again")
                terminal.type("exit 5\n")
                self.assertEqual(terminal.finish(), 5)


class Clients(ProgramCase):
    """The programs that people start so."""

    def test_psql_and_pg_dump(self):
        database = Postgres(free_port())
        self.addCleanup(database.stop)
        self.edge.application("echo", origin=f"tcp:127.0.0.1:{database.port}")
        psql = database.psql_words("-c", "CREATE TABLE account (amount int); INSERT INTO account VALUES (17), (4)", port="{port}")
        self.assert_done(self.run_program(*psql))
        dump = self.assert_done(self.run_program(
            programs.system("pg_dump"), "-h", "{host}", "-p", "{port}", "-U", USER, "-d", "postgres", "--data-only", "--inserts"))
        self.assertEqual(re.findall(rb"VALUES \((\d+)\)", dump.out), [b"17", b"4"])
        uri = self.assert_done(self.run_program(
            programs.system("psql"), "-X", "-A", "-t", f"postgresql://{USER}@{{address}}/postgres", "-c", "SELECT sum(amount) FROM account"))
        self.assertEqual(uri.out, b"21\n")
        failed = self.run_program(*database.psql_words("-c", "SELECT * FROM nowhere", port="{port}"))
        self.assertEqual(failed.code, 1, failed)  # psql(1), EXIT STATUS, with ON_ERROR_STOP in -c

    def test_redis_cli(self):
        port = free_port()
        server = Running([programs.system("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "",
                          "--appendonly", "no"], env={}, cwd=self.home.path)
        eventually("redis listens", lambda: b"Ready to accept connections" in bytes(server.out))
        self.edge.application("echo", origin=f"tcp:127.0.0.1:{port}")
        cli = [programs.system("redis-cli"), "-h", "{host}", "-p", "{port}"]
        self.assert_done(self.run_program(*cli, "SET", "key", "value"))
        self.assertEqual(self.assert_done(self.run_program(*cli, "GET", "key")).out, b"value\n")

    def web(self, answer):
        web = Web(answer)
        self.addCleanup(web.stop)
        self.edge.application("echo", origin=web.address)
        return web

    def test_curl(self):
        self.web(lambda handler: handler.say(404 if handler.path == "/missing" else 200, handler.path.encode()))
        curl = [programs.system("curl"), "-sS", "--fail"]
        self.assertEqual(self.assert_done(self.run_program(*curl, "{url}/page", kind="http")).out, b"/page")
        self.assertEqual(self.run_program(*curl, "{url}/missing", kind="http").code, 22)  # curl(1), EXIT CODES

    def test_curl_through_socks(self):
        web = Web(lambda handler: handler.say(200, b"behind the bastion"))
        self.addCleanup(web.stop)
        self.edge.application("bastion", hostname="bastion.example.com", origin="bastion")
        self.know("bastion")
        place = re.search(r"127\.0\.0\.1:\d+", web.address)[0]
        result = self.run_program(programs.system("curl"), "-sS", "--proxy", "{url}", f"http://{place}/", kind="socks",
                                  host="bastion.example.com")
        self.assertEqual(self.assert_done(result).out, b"behind the bastion")

    def test_git(self):
        folder = os.path.join(self.home.path, "repositories")
        environment = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        git = programs.system("git")
        self.assert_done(Running([git, "init", "-q", "--bare", "-b", "main", os.path.join(folder, "project.git")],
                                 env=environment).finish())
        self.web(git_backend(folder))
        result = self.run_program(git, "clone", "-q", "{url}/project.git", os.path.join(self.home.path, "work"), kind="http", env=environment)
        self.assert_done(result)
        self.assertTrue(os.path.isdir(os.path.join(self.home.path, "work", ".git")))

    def test_npm(self):
        npm = shutil.which("npm")
        if not npm:
            raise unittest.SkipTest("npm is not installed")
        self.web(lambda handler: handler.say(200, b"{}", Content_Type="application/json"))
        result = self.run_program(npm, "ping", "--json", "--registry", "{url}/", "--cache", os.path.join(self.home.path, "npm"), kind="http",
                                  env={"PATH": os.environ["PATH"]})
        self.assert_done(result)
        self.assertRegex(json.loads(result.out)["registry"], "^http://127.0.0.1:[0-9]+/$")
