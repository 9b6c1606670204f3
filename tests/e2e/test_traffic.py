"""The state of a tunnel: SIGUSR1 while it runs, --stats when it has ended."""
import json
import os
import re
import signal
import stat
import time

from harness.case import DONE, FAILED, NETWORK, REFUSED
from harness.http_case import HOST, HttpCase
from harness.listener import ListenerCase
from harness.tunnel import TunnelCase
from harness.waiting import eventually

LINE = (r"mayfly: (?P<name>\S.*): open for (?P<age>\d+ (s|min)), sent (?P<sent>[\d.]+ \w+) "
        r"\((?P<sent_rate>[\d.]+ \w+)/s\), received (?P<received>[\d.]+ \w+) "
        r"\((?P<received_rate>[\d.]+ \w+)/s\), (?P<round_trip>round trip [\d.]+ ms|no ping answered yet)\n")
URL = r"https://\S+/cdn-cgi/access/cli\?\S+"


class Report(TunnelCase):
    def ask(self, running):
        seen = len(running.err)
        running.send(signal.SIGUSR1)
        eventually("it is answered", lambda: running.err[seen:].endswith("\n"))
        found = re.fullmatch(LINE, running.err[seen:])
        self.assertTrue(found, running.err)
        return found

    def test_one_line_on_stderr(self):
        running = self.ready()
        found = self.ask(running)
        self.assertEqual((found["name"], found["sent"], found["received"]),
                         ("echo.example.com", "5 B", "5 B"))
        self.assertTrue(found["round_trip"].startswith("round trip "), found.group())
        running.write(b"again")
        running.wait_out(10)
        found = self.ask(running)
        self.assertEqual((found["sent"], found["received"]), ("10 B", "10 B"))
        self.assertEqual(self.hang_up(running).out, b"readyagain")
        self.assertEqual(self.edge.ended_tunnel()["pings_in"], 2)

    def test_rates_are_those_of_now(self):
        def part(connection):
            connection.sendall(connection.recv(5))
            while True:
                connection.sendall(bytes(20_000))
                time.sleep(0.02)
        self.origin(part)
        running = self.ready()
        found = self.ask(running)
        self.assertRegex(found["received_rate"], "[KM]iB", found.group())
        self.assertEqual(found["sent_rate"], "0 B")
        running.kill()

    def test_peer_that_answers_no_ping(self):
        self.edge.fault("tunnel.no_pong")
        running = self.open()
        eventually("the tunnel is open", lambda: self.edge.stats()["open_tunnels"])
        self.assertEqual(self.ask(running)["round_trip"], "no ping answered yet")
        running.kill()

    def test_while_it_connects(self):
        self.edge.fault("upgrade.slow", {"seconds": 6})
        running = self.open()
        eventually("it has asked", self.edge.upgrades)
        running.send(signal.SIGUSR1)
        running.wait_err("mayfly: no tunnel is open\n")
        running.write(b"ready")
        self.assertEqual(running.wait_out(5), b"ready")
        self.assertEqual(self.ask(running)["sent"], "5 B")
        self.hang_up(running)

    def test_while_it_waits_for_a_login(self):
        self.fresh()
        running = self.open()
        url = running.wait_err(URL).group()
        running.send(signal.SIGUSR1)
        self.edge.sign_in(url)
        running.write(b"ready")
        self.assertEqual(running.wait_out(5), b"ready")
        running.wait_err("mayfly: (no tunnel is open|echo.example.com: open for)")
        self.hang_up(running)


class NoTunnel(HttpCase):
    """The signal may reach every process that is called mayfly."""

    def test_http(self):
        running, port = self.at_free_port()
        running.send(signal.SIGUSR1)
        self.assertEqual(self.get(port)[0], 200)
        self.assertFalse(running.has_ended())

    def test_login(self):
        self.fresh()
        self.edge.application("wiki", hostname=HOST, origin="page")
        running = self.home.start("login", HOST)
        url = running.wait_err(URL).group()
        running.send(signal.SIGUSR1)
        self.edge.sign_in(url)
        self.assert_done(running.finish())


class ReportOfAListener(ListenerCase):
    def ask(self, running, last):
        seen = len(running.err)
        running.send(signal.SIGUSR1)
        eventually("it is answered", lambda: re.search(last, running.err[seen:]))
        text = running.err[seen:]
        return [found.groupdict() for found in re.finditer(LINE, text)], text

    def test_a_line_for_each_and_their_sum(self):
        path = os.path.join(self.home.path, "socket")
        running = self.listen("--url", "127.0.0.1:0", "--url", f"unix:{path}")
        port = int(self.places(running, 2)[0].rsplit(":", 1)[1])
        _, text = self.ask(running, "mayfly: no tunnel is open\n")
        first = self.assert_echo(self.connect(port), b"x" * 1500)
        second = self.assert_echo(self.connect(port))
        third = self.assert_echo(self.connect_unix(path))
        lines, text = self.ask(running, r"mayfly: 3 tunnels: .*\n")
        self.assertEqual([line["sent"] for line in lines], ["1.5 KiB", "7 B", "7 B"])
        names = {f"127.0.0.1:{one.getsockname()[1]}" for one in (first, second)}
        self.assertEqual({line["name"] for line in lines}, names | {f"process {os.getpid()}"})
        self.assertEqual(lines[0]["name"], f"127.0.0.1:{first.getsockname()[1]}")
        self.assertTrue(all(line["round_trip"].startswith("round trip") for line in lines), lines)
        self.assertIn("mayfly: 3 tunnels: sent 1.5 KiB (0 B/s), received 1.5 KiB (0 B/s)\n", text)
        third.close()
        eventually("it is gone", lambda: self.edge.stats()["open_tunnels"] == 2)
        lines, _ = self.ask(running, r"mayfly: 2 tunnels: .*\n")
        self.assertEqual(len(lines), 2)

    def test_many_are_not_all_shown(self):
        running, port = self.at_free_port()
        for _ in range(25):
            self.assert_echo(self.connect(port))
        lines, text = self.ask(running, r"mayfly: 25 tunnels: .*\n")
        self.assertEqual(len(lines), 20)
        self.assertIn("mayfly: and 5 more\n", text)


class Stats(TunnelCase):
    def last_line(self, result):
        return json.loads([line for line in result.err.splitlines() if line.startswith("{")][-1])

    def test_of_a_tunnel(self):
        running = self.ready("--stats")
        running.send(signal.SIGUSR1)
        running.wait_err("round trip")
        result = self.hang_up(running)
        self.assertEqual(result.out, b"ready")
        line = self.last_line(result)
        self.assertEqual({name: line[name] for name in ("hostname", "tunnels", "failures", "sent",
                                                        "received", "ended", "close_code", "reason")},
                         {"hostname": "echo.example.com", "tunnels": 1, "failures": 0, "sent": 5,
                          "received": 5, "ended": "closed", "close_code": 1000, "reason": ""})
        self.assertGreater(line["seconds"], 1)
        self.assertGreater(line["round_trip_ms"], 0)
        self.assertRegex(line["cf_ray"], r"^[0-9a-f]{16}(-[A-Z]+)?$")
        self.assertRegex(line["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(result.err.count("{"), 1)

    def test_summary_of_a_tunnel_that_did_not_open(self):
        self.edge.fault("upgrade.403")
        result = self.home.mayfly("ssh", "--hostname", "echo.example.com", "--stats")
        self.assertEqual(result.code, REFUSED)
        line = self.last_line(result)
        self.assertEqual((line["tunnels"], line["failures"], line["ended"], line["close_code"]),
                         (0, 1, "failed", None))
        self.assertIn("403", line["reason"])

    def test_summary_of_a_cut_tunnel(self):
        running = self.ready("--stats")
        self.edge.ask("POST", "/close-tunnels", {"code": 1011, "reason": "full"})
        result = running.finish()
        self.assertEqual(result.code, NETWORK)
        line = self.last_line(result)
        self.assertEqual((line["ended"], line["close_code"], line["reason"], line["failures"]),
                         ("cut", 1011, "full", 0))

    def test_no_summary_without_the_flag(self):
        self.assertNotIn("{", self.hang_up(self.ready()).err)

    def test_appended_to_a_file(self):
        path = os.path.join(self.home.path, "stats")
        for count in (1, 2):
            running = self.open("--stats-file", path, umask=0)
            running.write(b"x" * count)
            running.wait_out(count)
            self.assertNotIn("{", self.hang_up(running).err)
            with open(path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
            self.assertEqual([line["sent"] for line in lines], list(range(1, count + 1)))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_file_that_cannot_be_opened(self):
        result = self.home.mayfly("ssh", "--hostname", "echo.example.com", "--stats-file", self.home.path)
        self.assert_error(result, FAILED, self.home.path)
        self.assertEqual(self.edge.upgrades(), [])


class StatsOfAListener(ListenerCase):
    def test_all_together(self):
        running, port = self.at_free_port("--stats")
        for size in (3, 4):
            connection = self.assert_echo(self.connect(port), b"x" * size)
            connection.close()
        eventually("they have ended", lambda: self.edge.stats()["open_tunnels"] == 0)
        self.edge.fault("upgrade.403")
        self.connect(port)
        running.wait_err("ERR .*403")  # not a port with these digits
        running.send(signal.SIGTERM)
        result = running.finish()
        self.assertEqual(result.code, DONE)
        line = json.loads(result.err.splitlines()[-1])
        self.assertEqual({name: line[name] for name in ("tunnels", "failures", "sent", "received", "ended")},
                         {"tunnels": 2, "failures": 1, "sent": 7, "received": 7, "ended": "interrupted"})

    def test_address_that_is_taken(self):
        _, port = self.at_free_port()
        result = self.listen("--url", f"127.0.0.1:{port}", "--stats").finish()
        self.assertNotEqual(result.code, DONE)
        line = json.loads([one for one in result.err.splitlines() if one.startswith("{")][0])
        self.assertEqual(line["ended"], "failed")
