"""A listener under a supervisor: events, the process number, the end with its parent, and sockets of a service manager.
With systemd-socket-activate and systemd-analyze."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

from harness import programs
from harness.case import FAILED, LOGIN_NEEDED, NOWHERE, USAGE
from harness.listener import ListenerCase
from harness.process import run
from harness.waiting import GENEROUS, eventually
from test_listener import free_port

HOST = "echo.example.com"
ID = "0123456789abcdef0123456789abcdef.access"
KINDS = ("tcp", "ssh", "rdp", "smb", "socks", "http")
RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"

# A supervisor as small as one can be: it starts a listener, shows the login page, waits for the address, counts the
# tunnels, and ends the listener with itself.
SUPERVISOR = r"""
import json, os, subprocess, sys

reading, writing = os.pipe()
mayfly, command, *more = sys.argv[1:]
listener = subprocess.Popen([mayfly, command, "--events", f"/dev/fd/{writing}", "--exit-with-parent", *more], pass_fds=[writing],
                            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
os.close(writing)
print("pid", listener.pid, flush=True)
open_tunnels = 0
with open(reading, encoding="utf-8") as events:
    for line in events:
        event = json.loads(line)
        kind = event["event"]
        if kind == "listening":
            print("ready at", event["address"], flush=True)
        elif kind == "login_needed":
            print("please open", event["url"], flush=True)
        elif kind == "refused":
            print("trouble:", event["message"], "-", event["hint"], flush=True)
        elif kind in ("opened", "closed"):
            open_tunnels += 1 if kind == "opened" else -1
            print("tunnels", open_tunnels, flush=True)
        elif kind == "ended":
            print("ended with", event["exit_code"], flush=True)
sys.exit(listener.wait())
"""

SOCKET_UNIT = """\
[Socket]
ListenStream=127.0.0.1:5432

[Install]
WantedBy=sockets.target
"""
SERVICE_UNIT = """\
[Service]
Type=notify
ExecStart={mayfly} tcp --batch --hostname db.example.com
"""


class SupervisionCase(ListenerCase):
    def events_in(self, path):
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().splitlines()]

    def event(self, path, kind):
        """Waits for the first event of the kind."""
        return eventually(f"the event {kind}", lambda: next((e for e in self.events_in(path) if e["event"] == kind), None))

    def start(self, kind, *flags, host=HOST, **more):
        return self.home.start(kind, "--hostname", host, *flags, **more)


class EventsOfListeners(SupervisionCase):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.home.path, "events")

    def at_port(self, kind="tcp", *flags, **more):
        running = self.start(kind, "--url", "127.0.0.1:0", "--events", self.file, *flags, **more)
        return running, int(self.event(self.file, "listening")["address"].rsplit(":", 1)[1])

    def assert_ends(self, running, code=0):
        running.send(signal.SIGTERM)
        self.assertEqual(running.finish().code, code)
        self.assertEqual(self.events_in(self.file)[-1]["exit_code"], code)
        for event in self.events_in(self.file):
            self.assertRegex(event["time"], RFC3339)
            self.assertEqual(list(event)[:2], ["time", "event"])

    def test_each_listener_tells_its_address_and_its_end(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.file = os.path.join(self.home.path, f"events-{kind}")
                running, port = self.at_port(kind)
                self.connect(port).close()
                self.assertEqual(self.event(self.file, "listening")["name"], HOST)
                self.assert_ends(running)

    def test_tunnel(self):
        running, port = self.at_port()
        connection = self.connect(port)
        self.assert_echo(connection, b"seven!!")
        opened = self.event(self.file, "opened")
        connection.close()
        closed = self.event(self.file, "closed")
        self.assertEqual((opened["id"], closed["id"]), (1, 1))
        self.assertEqual((closed["bytes_sent"], closed["bytes_received"]), (7, 7))
        self.assertGreaterEqual(closed["seconds"], 0)
        self.assertIn("close_code", closed)
        self.assertIn("reason", closed)
        self.connect(port).close()
        eventually("a second tunnel", lambda: [e["id"] for e in self.events_in(self.file) if e["event"] == "opened"] == [1, 2])
        self.assert_ends(running)

    def test_login(self):
        self.home.install_browser()
        os.remove(self.home.file(self.home.token_name("echo")))
        running, port = self.at_port()
        self.assertEqual(self.event(self.file, "refused")["kind"], "login_needed")
        self.assert_echo(self.connect(port))
        self.assertEqual(self.event(self.file, "login_needed")["url"], self.home.browsed()[0]["url"])
        logged_in = self.event(self.file, "logged_in")
        self.assertRegex(logged_in["identity"], "@")
        self.assertRegex(logged_in["until"], RFC3339)
        self.assert_ends(running)

    def test_refusal(self):
        self.forget_metadata()
        self.edge.application("echo", service_tokens=[{"id": ID, "secret": "5" * 64}])
        running, _ = self.at_port(env={"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": "6" * 64})
        refused = self.event(self.file, "refused")
        self.assertEqual(refused["kind"], "refused")
        self.assertIn("service token", refused["message"])
        self.assertIn("Service Auth", refused["hint"])
        self.assertRegex(refused["cf_ray"], "^[0-9a-f]{16}-[A-Z]{3}$")
        self.assertIn(refused["cf_ray"], refused["message"])
        self.assertNotIn("6" * 64, open(self.file, encoding="utf-8").read())
        self.assert_ends(running)

    def test_failure_of_a_connection(self):
        self.forget_metadata()
        running, port = self.at_port(env=NOWHERE)
        self.connect(port)
        eventually("two failures", lambda: [e["kind"] for e in self.events_in(self.file) if e["event"] == "refused"][:2] == ["network"] * 2)
        self.assert_ends(running)

    def test_failure_at_the_start(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            result = self.start("tcp", "--url", f"127.0.0.1:{taken.getsockname()[1]}", "--events", self.file).finish()
        self.assertEqual(result.code, FAILED)
        refused, ended = self.events_in(self.file)
        self.assertEqual((refused["event"], refused["kind"]), ("refused", "failed"))
        self.assertEqual((ended["event"], ended["exit_code"]), ("ended", FAILED))

    def test_program(self):
        result = self.start("tcp", "--events", self.file, "--", programs.system("sh"), "-c", "exit 9").finish()
        self.assertEqual(result.code, 9)
        self.assertEqual([e["event"] for e in self.events_in(self.file)], ["listening", "ended"])
        self.assertEqual(self.events_in(self.file)[-1]["exit_code"], 9)
        os.remove(self.file)
        os.remove(self.home.file(self.home.token_name("echo")))
        result = self.start("tcp", "--batch", "--events", self.file, "--", programs.system("sh"), "-c", "exit 9").finish()
        self.assertEqual(result.code, LOGIN_NEEDED)
        self.assertEqual([e.get("kind", e.get("exit_code")) for e in self.events_in(self.file)], ["login_needed", LOGIN_NEEDED])

    def test_program_gets_no_descriptor_of_the_events(self):
        listing = "import os\nprint([f for f in map(int, os.listdir('/proc/self/fd')) if f > 2 and os.path.exists(f'/proc/self/fd/{f}')])"
        result = self.home.start("-c", f'exec 9>{self.file}; exec "$@"', "sh", programs.mayfly(), "tcp", "--hostname", HOST, "--events",
                                 "/dev/fd/9", "--", programs.PYTHON, "-c", listing, program=programs.system("sh")).finish()
        self.assertEqual(self.assert_done(result).out, b"[]\n")
        self.assertEqual(self.events_in(self.file)[-1]["event"], "ended")

    def test_standard_error(self):
        running = self.start("tcp", "--url", "127.0.0.1:0", "--events", "-")
        running.wait_err(r'(?m)^{"time":"[^"]+","event":"listening","address":"127.0.0.1:\d+","name":"echo.example.com"}$')
        running.send(signal.SIGTERM)
        self.assertIn('"event":"ended"', running.finish().err)

    def test_reader_that_is_slow_or_gone(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(writing, True)
        process = subprocess.Popen([programs.mayfly(), "tcp", "--hostname", HOST, "--url", "127.0.0.1:0", "--events", f"/dev/fd/{writing}"],
                                   env=self.home.environment(), pass_fds=[writing], stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(writing)
        line = process.stderr.readline().decode()
        self.addCleanup(process.stderr.close)
        self.assert_echo(self.connect(int(re.search(r"127\.0\.0\.1:(\d+)", line)[1])))

    def test_events_that_cannot_be_written(self):
        self.assert_error(self.home.mayfly("tcp", HOST, "localhost:0", "--events", "/nowhere/events"), FAILED, "cannot open /nowhere/events")
        self.assert_error(self.home.mayfly("tcp", HOST, "localhost:0", "--events", "/dev/fd/77"), USAGE, "/dev/fd/77 is not open")

    def test_flags_are_for_listeners(self):
        for flag in (("--events", "-"), ("--pid-file", os.path.join(self.home.path, "pid")), ("--exit-with-parent",)):
            self.assert_error(self.home.mayfly("tcp", HOST, *flag), USAGE, f"{flag[0]} is for a listener")


class SmallSupervisor(SupervisionCase):
    def supervise(self, *flags):
        return self.home.start("-c", SUPERVISOR, programs.mayfly(), "tcp", "--hostname", HOST, "--url", "127.0.0.1:0", *flags,
                               program=programs.PYTHON)

    def shown(self, running, pattern):
        return eventually(f"it shows {pattern}", lambda: re.search(pattern, running.out.decode()))

    def test_knows_all(self):
        running = self.supervise()
        port = int(self.shown(running, r"ready at 127.0.0.1:(\d+)")[1])
        connection = self.connect(port)
        self.assert_echo(connection)
        self.shown(running, "tunnels 1")
        connection.close()
        self.shown(running, "tunnels 0")
        os.kill(int(self.shown(running, r"pid (\d+)")[1]), signal.SIGTERM)
        self.assertIn(b"ended with 0", self.assert_done(running.finish()).out)

    def test_killed_supervisor_takes_the_listener_along(self):
        running = self.supervise()
        port = int(self.shown(running, r"ready at 127.0.0.1:(\d+)")[1])
        self.assert_echo(self.connect(port))
        running.send(signal.SIGKILL)

        def is_refused():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=GENEROUS).close()
            except ConnectionRefusedError:
                return True
            return False
        eventually("nothing listens", is_refused)

    def test_killed_supervisor_takes_the_program_along(self):
        told = os.path.join(self.home.path, "told")
        running = self.supervise("--", programs.PYTHON, "-c",
                                 "import signal, sys, time\n"
                                 "signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[1], 'w').close(), sys.exit()))\n"
                                 "print('runs', flush=True)\ntime.sleep(1000)", told)
        self.shown(running, "runs")
        running.send(signal.SIGKILL)
        eventually("the program is told", lambda: os.path.exists(told))


class PidFiles(SupervisionCase):
    def test_listeners(self):
        for kind in KINDS:
            with self.subTest(kind):
                file = os.path.join(self.home.path, f"{kind}.pid")
                running = self.start(kind, "--url", "127.0.0.1:0", "--pid-file", file)
                self.places(running)
                with open(file, encoding="ascii") as content:
                    self.assertEqual(content.read(), f"{running.pid}\n")
                running.send(signal.SIGTERM)
                self.assert_done(running.finish())
                self.assertFalse(os.path.exists(file))

    def test_file_of_another_process_stays(self):
        file = os.path.join(self.home.path, "pid")
        running = self.start("tcp", "--url", "127.0.0.1:0", "--pid-file", file)
        self.places(running)
        with open(file, "w", encoding="ascii") as content:
            content.write("1\n")
        running.send(signal.SIGTERM)
        self.assert_done(running.finish())
        self.assertTrue(os.path.exists(file))

    def test_program(self):
        file = os.path.join(self.home.path, "pid")
        running = self.start("tcp", "--pid-file", file, "--", programs.system("cat"), file)
        self.assertEqual(running.finish().out, f"{running.pid}\n".encode())
        self.assertFalse(os.path.exists(file))

    def test_file_that_cannot_be_written(self):
        result = self.start("tcp", "--url", "127.0.0.1:0", "--pid-file", "/nowhere/pid").finish()
        self.assert_error(result, FAILED, "cannot write /nowhere/pid")


class SocketActivation(SupervisionCase):
    def activate(self, *flags, listen, kind="tcp", sockets="--"):
        words = [f"--listen={one}" for one in listen]
        variables = [f"--setenv={name}" for name in self.home.environment()]
        return self.home.start(*words, *variables, sockets, programs.mayfly(), kind, "--hostname", HOST, *flags,
                               program=programs.system("systemd-socket-activate"))

    def test_systemd_socket_activate(self):
        for kind in ("tcp", "http"):
            with self.subTest(kind):
                port, other = free_port(), free_port()
                running = self.activate(listen=[f"127.0.0.1:{port}", f"[::1]:{other}"], kind=kind)
                running.wait_err("Listening on .*" + str(other))
                first = self.connect(port)
                self.assertEqual(self.places(running, 2), [f"127.0.0.1:{port}", f"[::1]:{other}"])
                if kind == "tcp":
                    self.assert_echo(first)
                second = socket.create_connection(("::1", other), timeout=GENEROUS)
                self.addCleanup(second.close)
                if kind == "tcp":
                    self.assert_echo(second)
                running.send(signal.SIGTERM)
                self.assert_done(running.finish())

    def test_unix_socket_stays_the_managers(self):
        path = os.path.join(self.home.path, "socket")
        running = self.activate(listen=[path])
        eventually("it listens", lambda: os.path.exists(path))
        self.assert_echo(self.connect_unix(path))
        running.send(signal.SIGTERM)
        running.finish()
        self.assertTrue(os.path.exists(path))

    def test_program_gets_no_socket_of_the_manager(self):
        port = free_port()
        running = self.activate("--", programs.PYTHON, "-c",
                                "import os\nprint(os.environ['MAYFLY_ADDRESS'], sorted(n for n in os.environ if n.startswith('LISTEN')),"
                                " [f for f in map(int, os.listdir('/proc/self/fd')) if f > 2 and os.path.exists(f'/proc/self/fd/{f}')])",
                                listen=[f"127.0.0.1:{port}"])
        running.wait_err("Listening on")
        self.connect(port)
        self.assertEqual(self.assert_done(running.finish()).out.decode(), f"127.0.0.1:{port} [] []\n")

    def inherited(self, make, *flags, pid=None, count=1):
        """Starts mayfly as a service manager does: make() returns the socket that becomes descriptor 3."""
        def prepare():
            os.dup2(inherited.fileno(), 3)
            os.set_inheritable(3, True)
        inherited = make()
        self.addCleanup(inherited.close)
        start = f"LISTEN_PID={pid or '$$'} LISTEN_FDS={count} exec \"$@\""
        return subprocess.run([programs.system("sh"), "-c", start, "sh", programs.mayfly(), "tcp", "--hostname", HOST, *flags],
                              env=self.home.environment(), preexec_fn=prepare, pass_fds=[3] if inherited.fileno() == 3 else [],
                              close_fds=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=GENEROUS, check=False)

    def test_descriptor_that_does_not_listen(self):
        for make in (lambda: socket.socketpair()[0], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), lambda: open("/dev/null", "rb")):
            result = self.inherited(make)
            self.assertEqual(result.returncode, USAGE, result)
            self.assertIn(b"descriptor 3, which the service manager passed, does not listen", result.stderr)

    def test_sockets_of_another_process_are_left_alone(self):
        result = self.inherited(lambda: socket.create_server(("127.0.0.1", 0)), pid=1)
        self.assertEqual(result.returncode, 0, result)  # A tunnel on its empty standard input.
        self.assertNotIn(b"Start Websocket listener", result.stderr)

    def test_unit(self):
        analyze = shutil.which("systemd-analyze")
        if not analyze:
            raise unittest.SkipTest("systemd-analyze is not installed")
        for name, text in (("db.socket", SOCKET_UNIT), ("db.service", SERVICE_UNIT.format(mayfly=programs.mayfly()))):
            with open(os.path.join(self.home.path, name), "w", encoding="utf-8") as file:
                file.write(text)
        result = run([analyze, "verify", "--man=no", os.path.join(self.home.path, "db.socket")], env={"PATH": os.environ["PATH"]})
        if "Failed to" in result.err and "manager" in result.err.lower():
            raise unittest.SkipTest("systemd-analyze verifies nothing here")
        self.assertEqual((result.code, result.err), (0, ""), result)
