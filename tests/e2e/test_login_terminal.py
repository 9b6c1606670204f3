"""The output for a person at a terminal: the wait for a login, the QR code, the identity and the expiry, and the wait
for a slow edge."""
import os
import re
import shutil
import signal
import socket
import unittest

from harness import programs
from harness.case import DONE, LOGIN_NEEDED, NETWORK, EdgeCase
from harness.edge import EMAIL
from harness.process import run
from harness.screen import Screen
from harness.terminal import Terminal
from harness.waiting import eventually

URL = r"https://\S+/cdn-cgi/access/cli\?\S+"
WAITING = r"waiting for login \(\d+:\d\d left\), Ctrl-C to stop"
LOGGED_IN = rf"logged in as {re.escape(EMAIL)} until (\d{{4}}-\d\d-\d\d )?\d\d:\d\d"


class TerminalCase(EdgeCase):
    size = (60, 100)

    def start(self, *arguments, streams=(0, 1, 2), env=None, size=None):
        size = size or self.size
        terminal = Terminal([programs.mayfly(), *arguments], streams=streams, size=size,
                            env=self.home.environment({"TERM": "xterm-256color", **(env or {})}))
        terminal.columns = size[1]
        self.addCleanup(terminal.end)
        return terminal

    def login(self, *flags, **more):
        return self.start("login", *flags, "web.example.com", **more)

    def screen(self, terminal, **more):
        return Screen(bytes(terminal.seen).replace(b"\r\n", b"\n"), terminal.columns, **more)

    def url(self, terminal):
        """Returns the URL. The terminal wraps it over its lines, but the output contains it in one piece."""
        return terminal.wait_for(URL).group()

    def signed_in(self, terminal):
        self.edge.sign_in(self.url(terminal))
        self.assertEqual(terminal.finish(), DONE, terminal.text)
        return self.screen(terminal)


class Dialing(TerminalCase):
    """The output that ssh shows of its ProxyCommand, whose stderr is the terminal."""

    def setUp(self):
        super().setUp()
        self.home.plant_token("echo")
        self.assert_done(self.home.mayfly("login", "--batch", "-q", "echo.example.com"))

    def test_slow_edge(self):
        self.edge.fault("upgrade.slow", {"seconds": 4})
        terminal = self.start("ssh", "--hostname", "echo.example.com", streams=(2,))
        terminal.wait_for(r"waiting for echo\.example\.com \([2-9] s\)")
        eventually("the tunnel is open", lambda: self.edge.ask("GET", "/tunnels"))
        eventually("it is gone", lambda: not "".join(self.screen(terminal).lines).strip())
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assertEqual(terminal.finish(), DONE, terminal.text)

    def test_slow_edge_that_refuses(self):
        self.edge.fault("origin.slow", {"seconds": 4})
        self.edge.fault("upgrade.502")
        terminal = self.start("ssh", "--hostname", "echo.example.com", streams=(2,))
        self.assertEqual(terminal.finish(), NETWORK, terminal.text)
        self.assertRegex(terminal.text, r"waiting for echo\.example\.com \([2-9] s\)")
        lines = self.screen(terminal).lines
        self.assertTrue(lines[0].startswith("mayfly: error: cannot open a tunnel"), lines)
        self.assertNotIn("waiting for", "\n".join(lines))

    def test_quick_edge(self):
        terminal = self.start("ssh", "--hostname", "echo.example.com", streams=(2,))
        eventually("the tunnel is open", lambda: self.edge.ask("GET", "/tunnels"))
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assertEqual(terminal.finish(), DONE, terminal.text)
        self.assertEqual(terminal.text, "")


class Waiting(TerminalCase):
    def test_runs_down_and_is_gone_afterwards(self):
        terminal = self.login()
        terminal.wait_for(WAITING)
        self.assertRegex(self.screen(terminal).lines[-1], rf"^{WAITING}$")
        eventually("it has been written three times", lambda: len(self.written(terminal)) >= 3)
        written = self.written(terminal)
        seconds = [int(minutes) * 60 + int(rest) for minutes, rest in written]
        self.assertEqual(seconds, sorted(set(seconds), reverse=True), "a line that said the same again")
        self.assertTrue(850 < seconds[0] <= 900, seconds)
        screen = self.signed_in(terminal)
        self.assertNotIn("waiting for login", "\n".join(screen.lines))
        self.assertRegex("\n".join(screen.lines), LOGGED_IN)

    def written(self, terminal):
        return re.findall(r"waiting for login \((\d+):(\d\d) left\)", terminal.text)

    def test_ctrl_c(self):
        terminal = self.login()
        terminal.wait_for(WAITING)
        terminal.type("\x03")
        self.assertEqual(terminal.finish(), LOGIN_NEEDED)
        lines = self.screen(terminal).lines
        self.assertNotIn("waiting for login", "\n".join(lines))
        self.assertTrue([line for line in lines if line.startswith("mayfly: error: ")], lines)
        self.assertTrue([line for line in lines if line.startswith("hint: ")], lines)

    def test_messages_stand_above_the_waiting_time(self):
        self.edge.fault("transfer.drop_polls", 2)
        terminal = self.login("-v")
        terminal.wait_for("login poll dropped")
        eventually("it waits again", lambda: re.match(WAITING, self.screen(terminal).lines[-1]))
        lines = self.screen(terminal).lines
        self.assertEqual([n for n, line in enumerate(lines) if "waiting for login" in line],
                         [len(lines) - 1], lines)
        self.assertTrue([line for line in lines if re.match(r"\d{4}-\S+ DBG login poll dropped", line)],
                        lines)
        self.signed_in(terminal)

    def test_narrow_terminal(self):
        terminal = self.login(size=(60, 20))
        terminal.wait_for(r"waiting for login\b")
        self.assertEqual(self.screen(terminal).lines[-1], "waiting for login (14:58 left)"[:19])
        self.assertNotIn("waiting for login", "\n".join(self.signed_in(terminal).lines))

    def test_waiting_time_is_shown_at_a_terminal_only(self):
        log = os.path.join(self.home.path, "log")
        running = self.home.start("login", "-v", "--logfile", log, "web.example.com",
                                  env={"TERM": "xterm"})
        url = running.wait_err(URL).group()
        eventually("it polls", lambda: self.edge.stats()["polls"] > 0)
        self.edge.sign_in(url)
        result = self.assert_done(running.finish())
        with open(log, encoding="utf-8") as file:
            self.assertNotIn("waiting for login (", result.err + file.read())
        self.assertNotIn("\x1b", result.err)

    def test_dumb_terminal(self):
        terminal = self.login(env={"TERM": "dumb"})
        url = self.url(terminal)
        eventually("it polls", lambda: self.edge.stats()["polls"] > 0)
        self.edge.sign_in(url)
        self.assertEqual(terminal.finish(), DONE)
        self.assertNotIn("waiting for login", terminal.text)
        self.assertNotIn("\x1b", terminal.text)

    def test_while_another_process_logs_in(self):
        first = self.home.start("login", "web.example.com")
        url = first.wait_err(URL).group()
        second = self.login()
        second.wait_for(WAITING)
        self.edge.sign_in(url)
        self.assert_done(first.finish())
        self.assertEqual(second.finish(), DONE)
        lines = self.screen(second).lines
        self.assertNotIn("waiting for login", "\n".join(lines))
        self.assertIn(f"(pid {first.pid})", "\n".join(lines))

    def test_tunnel_and_ssh_gen_name_the_person_too(self):
        for arguments in (["ssh-gen", "--hostname", "ssh.example.com"],
                          ["ssh", "--hostname", "echo.example.com"]):
            with self.subTest(arguments):
                self.fresh()
                terminal = self.start(*arguments, streams=(2,))
                terminal.wait_for(WAITING)
                self.edge.sign_in(self.url(terminal))
                terminal.wait_for(LOGGED_IN)
                if arguments[0] == "ssh":
                    eventually("the tunnel is open", lambda: self.edge.stats()["open_tunnels"])
                    self.edge.ask("POST", "/close-tunnels", {"code": 1000})
                self.assertEqual(terminal.finish(), DONE, terminal.text)
                self.assertNotIn("waiting for login", "\n".join(self.screen(terminal).lines))

    def test_listener_keeps_its_messages_apart(self):
        terminal = self.start("tcp", "--hostname", "echo.example.com", "--url", "127.0.0.1:0")
        port = int(terminal.wait_for(r"host=127.0.0.1:(\d+)").group(1))
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.addCleanup(client.close)
        url = self.url(terminal)
        eventually("it polls", lambda: self.edge.stats()["polls"] > 0)
        self.assertNotIn("waiting for login (", terminal.text)
        self.edge.sign_in(url)
        terminal.wait_for(LOGGED_IN)
        client.sendall(b"through")
        self.assertEqual(client.recv(7), b"through")
        terminal.type("\x03")
        self.assertEqual(terminal.finish(), DONE)


class Quiet(TerminalCase):
    def test_no_token_at_a_terminal(self):
        for flag in ("--json", "-q"):
            with self.subTest(flag):
                self.fresh()
                screen = "\n".join(self.signed_in(self.login(flag)).lines)
                token = self.home.text(self.home.token_name("web"))
                self.assertNotIn(token[:40], screen)
                self.assertNotIn(token[-40:], screen)
                self.assertNotIn("logged in as", screen)


class QrCode(TerminalCase):
    def scan(self, screen):
        """Returns the text that a real scanner reads in a picture of the screen."""
        scanner = shutil.which("zbarimg")
        if not scanner:
            raise unittest.SkipTest("zbarimg is not installed (Debian package: zbar-tools)")
        picture = os.path.join(self.home.path, "screen.pgm")
        screen.save(picture)
        result = run([scanner, "--quiet", "--raw", picture], env={"PATH": "/usr/bin:/bin", "HOME": self.home.path})
        return result.out.decode().strip()

    def test_scanned_on_dark_and_on_light(self):
        self.home.install_browser()
        terminal = self.login("--qr")
        url = self.url(terminal)
        terminal.wait_for(WAITING)
        for colours in ({"ink": 255, "ground": 0}, {"ink": 0, "ground": 255}, {"ink": 131, "ground": 0}):
            with self.subTest(colours):
                self.assertEqual(self.scan(self.screen(terminal, **colours)), url)
        self.assertEqual(self.home.browsed(), [], "who scans has the browser elsewhere")
        lines = self.screen(terminal).lines
        self.assertLessEqual(max(map(len, lines)), self.size[1])
        self.signed_in(terminal)

    def test_scanned_while_another_process_logs_in(self):
        first = self.home.start("login", "web.example.com")
        url = first.wait_err(URL).group()
        second = self.login("--qr")
        second.wait_for(WAITING)
        self.assertEqual(self.scan(self.screen(second)), url)
        first.send(signal.SIGINT)

    def test_scanned_in_a_pipe(self):
        running = self.home.start("login", "--qr", "web.example.com")
        url = running.wait_err(URL).group()
        eventually("it polls", lambda: self.edge.stats()["polls"] > 0)
        self.assertNotIn("\x1b", running.err)
        self.assertEqual(self.scan(Screen(bytes(running.err_bytes), 500)), url)
        self.edge.sign_in(url)
        self.assert_done(running.finish())

    def test_terminal_without_colours(self):
        terminal = self.login("--qr", env={"TERM": "dumb"})
        url = self.url(terminal)
        eventually("it polls", lambda: self.edge.stats()["polls"] > 0)
        self.assertNotIn("\x1b", terminal.text)
        self.assertEqual(self.scan(self.screen(terminal)), url)
        self.signed_in(terminal)

    def test_terminal_that_is_too_small(self):
        for size in ((24, 100), (60, 60)):
            with self.subTest(size):
                self.fresh()
                terminal = self.login("--qr", size=size)
                found = terminal.wait_for(r"too small for the QR code: it has (\d+) columns and (\d+) lines, "
                                          r"and (\d+) and (\d+) are needed")
                columns, lines, wanted_columns, wanted_lines = map(int, found.groups())
                self.assertEqual((lines, columns), size)
                self.assertTrue(wanted_columns > columns or wanted_lines > lines)
                self.assertNotRegex(terminal.text, "[█▀▄]")
                self.signed_in(terminal)

    def test_without_the_library(self):
        folder = os.path.join(self.home.path, "lib")
        os.mkdir(folder)
        with open(os.path.join(folder, "libqrencode.so.4"), "wb") as file:
            file.write(b"no library")
        terminal = self.login("--qr", env={"LD_LIBRARY_PATH": folder})
        terminal.wait_for("mayfly: warning: no QR code: .*libqrencode")
        self.signed_in(terminal)

    def test_library_is_not_loaded_before(self):
        trace = os.path.join(self.home.path, "loaded")
        for flags, loaded in (([], False), (["--qr"], True)):
            running = self.home.start("login", *flags, "web.example.com",
                                      env={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": trace})
            running.wait_err(URL)
            eventually("it polls", lambda: self.edge.stats()["polls"] > 0)
            with open(f"{trace}.{running.pid}", encoding="utf-8") as file:
                text = file.read()
            self.assertIn("libcurl", text)
            self.assertEqual("libqrencode" in text, loaded)
            running.kill()

    def test_kept_in_the_block_for_ssh(self):
        result = self.assert_done(self.home.mayfly("ssh-config", "--hostname", "ssh.example.com",
                                                   "--short-lived-cert", "--qr"))
        self.assertEqual(result.out.count(b"--qr"), 2)


class Progress(TerminalCase):
    def test_slow_answer_is_told_of(self):
        self.edge.fault("metadata.slow", {"seconds": 4})
        terminal = self.login("--batch")
        terminal.wait_for(r"waiting for web.example.com \([23] s\)")
        self.assertEqual(terminal.finish(), LOGIN_NEEDED)
        lines = self.screen(terminal).lines
        self.assertNotIn("waiting for", "\n".join(lines))
        self.assertTrue(lines[0].startswith("mayfly: error: "), lines)

    def test_quick_answer_is_not(self):
        terminal = self.login("--batch")
        self.assertEqual(terminal.finish(), LOGIN_NEEDED)
        self.assertNotIn("waiting for", terminal.text)
