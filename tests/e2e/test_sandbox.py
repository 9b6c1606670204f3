"""A running tunnel can move its bytes and do nothing else."""
import ctypes
import json
import os
import signal
import unittest

from harness import memory, programs
from harness.edge import USER
from harness.http_case import HttpCase
from harness.listener import ListenerCase
from harness.process import PIPE, Running
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import eventually
from test_socks import SocksCase, by_address
from test_ssh import HOST, SshCase

CONFINED = {"Seccomp": "2", "NoNewPrivs": "1"}
FREE = {"Seccomp": "0", "NoNewPrivs": "0"}
LANDLOCK_CREATE_RULESET, LANDLOCK_CREATE_RULESET_VERSION = 444, 1  # linux/landlock.h


def kernel_has_landlock():
    return ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0


HELD_BACK = "system calls held back, files " + ("held back" if kernel_has_landlock() else "not held back")


def confinement(pid):
    status = memory.status_of(pid)
    return {name: status[name] for name in CONFINED}


@unittest.skipIf(programs.is_instrumented(), "sanitizers and valgrind open files and map code when it suits them")
class Sandbox(TunnelCase):
    def test_kernel_says_so(self):
        running = self.ready("-v")
        self.assertEqual(confinement(running.pid), CONFINED)
        self.assertIn(HELD_BACK, running.err)
        self.hang_up(running)

    def test_before_there_is_a_tunnel_nothing_is_held_back(self):
        self.edge.fault("upgrade.slow", {"seconds": 30})
        running = self.open()
        eventually("it waits for the answer", lambda: self.edge.upgrades())
        self.assertEqual(confinement(running.pid), FREE)

    def test_pings_of_either_side(self):
        for count, edges, flags in (("pings_in", 0, ("--ping-interval", "1")), ("pongs_in", 1, ())):
            self.edge.application("echo", websocket={"ping_interval": edges})
            running = self.ready(*flags)
            eventually(count, lambda: self.edge.upgrades()[-1]["tunnel"][count] >= 2)
            self.assertFalse(running.has_ended())
            self.hang_up(running)

    def test_large_transfer(self):
        data = os.urandom(8 << 20)
        running = self.open(stdin=data)
        self.assertEqual(running.wait_out(len(data)), data)
        self.hang_up(running)

    def test_every_end(self):
        for name, end, code in (
                ("SIGTERM", lambda running: running.send(signal.SIGTERM), 0),
                ("SIGHUP", lambda running: running.send(signal.SIGHUP), 0),
                ("the peer's Close", lambda _: self.edge.ask("POST", "/close-tunnels", {"code": 1000}), 0),
                ("an error's Close", lambda _: self.edge.ask("POST", "/close-tunnels", {"code": 1011}), 5),
                ("a reset", lambda _: self.edge.ask("POST", "/close-tunnels", {"how": "reset"}), 5)):
            with self.subTest(name):
                running = self.ready()
                end(running)
                result = running.finish()
                self.assertEqual(result.code, code, result)
                self.assertEqual(bool(code), "mayfly: error: " in result.err, result)

    def test_log_that_is_moved_away_meanwhile(self):
        log, moved = (os.path.join(self.home.path, name) for name in ("m.log", "m.log.1"))
        running = self.ready("--logfile", log, "--log-level", "debug")
        os.rename(log, moved)
        before = os.path.getsize(moved)
        self.edge.ask("POST", "/close-tunnels", {"code": 1011})
        self.assertEqual(running.finish().code, 5)
        self.assertGreaterEqual(os.path.getsize(moved), before)
        self.assertFalse(os.path.exists(log))

    def test_full_log_is_left_to_the_next_run(self):
        """Rotation opens and renames files. A tunnel in the sandbox goes on writing, the next run rotates, and no line
        is lost."""
        log, older = (os.path.join(self.home.path, name) for name in ("cloudflared.log", "cloudflared.1.log"))
        line = json.dumps({"message": "x" * 100}) + "\n"
        with open(log, "w", encoding="ascii") as file:
            file.write(line * ((1 << 20) // len(line) - 10))
        runs = 0
        while not os.path.exists(older):
            self.hang_up(self.ready("--log-directory", self.home.path, "--log-level", "debug"))
            runs += 1
            self.assertLess(runs, 100, "it is never rotated")
        messages = []
        for path in (older, log):
            with open(path, encoding="utf-8") as file:
                messages += [json.loads(line)["message"] for line in file]
        self.assertEqual(messages.count("confined"), runs)

    def test_switched_off(self):
        running = self.ready("-v", env={"MAYFLY_SANDBOX": "off"})
        self.assertEqual(confinement(running.pid), FREE)
        self.assertRegex(running.err, "not confined.*MAYFLY_SANDBOX")
        self.hang_up(running)

    def test_kernel_that_cannot(self):
        """On a kernel without it, the tunnel runs and logs that."""
        files = HELD_BACK.partition(", ")[2]
        for missing, told in (("seccomp", f"system calls not held back (Invalid argument), {files}"),
                              ("landlock_create_ruleset", "system calls held back, files not held back (Operation not supported)")):
            with self.subTest(missing):
                error = "EINVAL" if missing == "seccomp" else "EOPNOTSUPP"
                words = [programs.system("strace"), "-qq", "-o", "/dev/null", "-e", f"trace={missing}",
                         "-e", f"inject={missing}:error={error}", programs.mayfly(), *ECHO, "-v"]
                running = Running(words, env=self.home.environment(), stdin=PIPE)
                running.write(b"ready")
                running.wait_out(5)
                self.assertIn(told, running.err)
                self.hang_up(running)

    def test_no_call_is_refused(self):
        """No call of a tunnel in the sandbox is refused until its end."""
        path = os.path.join(self.home.path, "strace.log")
        running = Running([programs.system("strace"), "-qq", "-o", path, programs.mayfly(), *ECHO],
                          env=self.home.environment(), stdin=PIPE)
        running.write(b"ready")
        running.wait_out(5)
        self.hang_up(running)
        with open(path, encoding="utf-8", errors="replace") as file:
            _, _, after = file.read().partition("seccomp(SECCOMP_SET_MODE_FILTER")
        self.assertIn("exit_group", after)
        refused = [line for line in after.splitlines() if "EPERM" in line or "EACCES" in line]
        self.assertEqual(refused, [])


@unittest.skipIf(programs.is_instrumented(), "see above")
class Listener(ListenerCase):
    def test_kernel_says_so_once_it_listens(self):
        running, port = self.at_free_port("-v")
        self.assert_echo(self.connect(port))
        self.assertEqual(confinement(running.pid), CONFINED)
        self.assertIn(HELD_BACK, running.err)

    def test_switched_off(self):
        running, port = self.at_free_port("-v", env={"MAYFLY_SANDBOX": "off"})
        self.assert_echo(self.connect(port))
        self.assertEqual(confinement(running.pid), FREE)
        self.assertRegex(running.err, "not confined.*MAYFLY_SANDBOX")

    def test_login_process_may_start_a_browser(self):
        running, port = self.at_free_port()
        login_process, = memory.children_of(running.pid)
        self.assertEqual(confinement(login_process), FREE)
        self.home.install_browser()
        self.edge.ask("POST", "/revoke", {})
        self.assert_echo(self.connect(port))
        self.assertEqual(len(self.home.browsed()), 1)
        running.send(signal.SIGTERM)
        self.assert_done(running.finish())
        eventually("the login process has ended, too", lambda: memory.has_ended(login_process))

    def test_login_process_ends_with_a_killed_listener(self):
        running, _ = self.at_free_port()
        login_process, = memory.children_of(running.pid)
        os.kill(running.pid, signal.SIGKILL)
        running.finish()
        eventually("the login process has ended, too", lambda: memory.has_ended(login_process))

    def test_names_are_looked_up(self):
        connect_to = f":443:localhost:{self.edge.port}"
        _, port = self.at_free_port(env={"MAYFLY_CONNECT_TO": connect_to})
        for _ in range(3):
            self.assert_echo(self.connect(port))

    def test_expired_token_is_taken_away(self):
        _, port = self.at_free_port("--batch")
        self.home.plant_org_token()
        self.home.plant_token("echo", expires_in=-60)
        self.assert_echo(self.connect(port))

    def test_log_is_rotated(self):
        log = os.path.join(self.home.path, "cloudflared.log")
        with open(log, "w", encoding="ascii") as file:
            file.write((json.dumps({"message": "x" * 86}) + "\n") * 10480)
        _, port = self.at_free_port("--log-directory", self.home.path, "--log-level", "debug")
        for _ in range(20):
            self.assert_echo(self.connect(port))
            self.edge.ask("POST", "/close-tunnels", {"code": 1011, "reason": "x" * 100})
        eventually("there is an older log", lambda: os.path.exists(os.path.join(self.home.path, "cloudflared.1.log")))

    def test_socket_file_is_removed_at_the_end(self):
        path = os.path.join(self.home.path, "socket")
        running = self.listen("--url", "unix:" + path)
        self.places(running)
        self.assert_echo(self.connect_unix(path))
        self.assertEqual(confinement(running.pid), CONFINED)
        running.send(signal.SIGTERM)
        self.assert_done(running.finish())
        self.assertFalse(os.path.exists(path))


@unittest.skipIf(programs.is_instrumented(), "see above")
class Http(HttpCase):
    def test_kernel_says_so_once_it_listens(self):
        running, port = self.at_free_port("-v")
        self.assertEqual(self.get(port)[0], 200)
        self.assertEqual(confinement(running.pid), CONFINED)
        self.assertIn(HELD_BACK, running.err)

    def test_bodies_both_ways_and_names_that_are_looked_up(self):
        data = os.urandom(8 << 20)
        self.web(lambda handler: handler.say(200, handler.body or data))
        _, port = self.at_free_port(env={"MAYFLY_CONNECT_TO": f":443:localhost:{self.edge.port}"})
        self.assertEqual(self.get(port, method="POST", body=data[:1 << 20])[::2], (200, data[:1 << 20]))
        self.assertEqual(self.get(port)[::2], (200, data))

    def test_login_in_the_login_process(self):
        running, port = self.at_free_port()
        login_process, = memory.children_of(running.pid)
        self.assertEqual(confinement(login_process), FREE)
        if memory.shows_descriptors():
            self.assertEqual(memory.sockets_of(login_process) & memory.sockets_of(running.pid), set())
        self.home.install_browser()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.assertEqual(self.get(port)[0], 200)
        self.assertEqual(len(self.home.browsed()), 1)
        self.assertEqual(confinement(running.pid), CONFINED)


@unittest.skipIf(programs.is_instrumented(), "see above")
class Socks(SocksCase):
    def test_kernel_says_so_once_it_listens(self):
        running, port = self.at_free_port("-v")
        self.assert_echo(self.assert_open(port, by_address("127.0.0.1", self.echo_server())))
        self.assertEqual(confinement(running.pid), CONFINED)
        self.assertIn(HELD_BACK, running.err)


@unittest.skipIf(programs.is_instrumented(), "see above")
class RealSsh(SshCase):
    def test_session_over_a_confined_tunnel(self):
        self.home.install_browser()
        self.configure("--short-lived-cert")
        running = self.start(HOST, "--", "cat", stdin=PIPE)
        running.write(b"hello")
        self.assertEqual(running.wait_out(5), b"hello")
        tunnels = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.is_tunnel(pid)]
        self.assertEqual(len(tunnels), 1)
        self.assertEqual(confinement(tunnels[0]), CONFINED)
        data = os.urandom(1 << 20)
        running.write(data)
        running.wait_out(5 + len(data))
        running.close_stdin()
        self.assertEqual(self.assert_done(running.finish()).out, b"hello" + data)
        self.sshd.wait_log(f"Accepted publickey for {USER} ")

    def is_tunnel(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            return words[0] == programs.mayfly().encode() and b"ssh" in words and HOST.encode() in words
        except OSError:
            return False
