"""mayfly access ssh (= tcp, rdp, smb) on stdin and stdout: bytes, ends, signals."""
import os
import random
import signal
import threading

from harness.case import FAILED, LOGIN_NEEDED, NETWORK, USAGE
from harness.edge import header
from harness.origin import Origin
from harness.process import PIPE
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import GENEROUS, eventually


class Bytes(TunnelCase):
    def test_all_bytes_come_back_and_no_others(self):
        data = bytes(range(256)) * 40
        running = self.open()
        running.write(data)
        running.wait_out(len(data))
        result = self.hang_up(running)
        self.assertEqual(result.out, data)
        self.assertEqual(result.err, "")

    def test_all_the_names_of_the_command(self):
        def part(connection):
            connection.sendall(b"served")
        self.origin(part)
        for name in ("ssh", "tcp", "rdp", "smb"):
            for before in ([], ["access"], ["forward"]):
                for flag in (["--hostname", "echo.example.com"], ["-hostname=echo.example.com"],
                             ["--tunnel-host", "https://echo.example.com"], ["-T", "echo.example.com"]):
                    with self.subTest(name=name, before=before, flag=flag):
                        result = self.home.mayfly(*before, name, *flag)
                        self.assertEqual((result.code, result.out), (0, b"served"), result)
        result = self.home.mayfly("tcp", env={"TUNNEL_SERVICE_HOSTNAME": "echo.example.com"})
        self.assertEqual(result.out, b"served")

    def test_without_a_host(self):
        self.assert_error(self.home.mayfly("access", "ssh"), USAGE, "hostname")

    def test_one_connection_to_a_known_application(self):
        before = self.edge.stats()["tls_connections"]
        running = self.ready()
        self.hang_up(running)
        self.assertEqual(self.edge.stats()["tls_connections"], before + 1)

    def test_the_request(self):
        running = self.ready("-H", "X-One: 1", "--header", "X-Two: a: b")
        request, = self.edge.upgrades("echo.example.com")
        for name, value in [("Cf-Access-Token", self.token), ("Sec-WebSocket-Version", "13"),
                            ("X-One", "1"), ("X-Two", "a: b"), ("Host", "echo.example.com")]:
            self.assertEqual(header(request, name), [value], name)
        self.assertEqual(request["method"], "GET")
        self.assertRegex(header(request, "Sec-WebSocket-Key")[0], r"^[A-Za-z0-9+/]{22}==$")
        self.assertRegex(header(request, "User-Agent")[0], r"^mayfly/")
        for absent in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Cookie"):
            self.assertEqual(header(request, absent), [], absent)
        self.hang_up(running)

    def test_header_injection_is_refused(self):
        for line in ("X-A: 1\r\nX-B: 2", "X-A: 1\nX-B: 2", "X\r\nY: 1", "no colon", ": empty", "X Y: 1"):
            with self.subTest(line):
                result = self.home.mayfly(*ECHO, "-H", line)
                self.assert_error(result, USAGE)
        self.assertEqual(self.edge.upgrades(), [])

    def test_path_of_the_application(self):
        self.home.plant_token("path")
        running = self.home.start("ssh", "--hostname", "tools.example.com/admin", stdin=PIPE)
        running.write(b"ready")
        running.wait_out(5)
        request, = self.edge.upgrades("tools.example.com")
        self.assertEqual(request["path"], "/admin")
        self.hang_up(running)

    def test_bastion(self):
        origin = Origin(lambda connection: connection.sendall(b"inside"))
        self.addCleanup(origin.stop)
        self.edge.application("echo", origin="bastion")
        destination = f"127.0.0.1:{origin.port}"
        for flags, env in [(["--destination", destination], {}),
                           ([], {"TUNNEL_SERVICE_DESTINATION": destination})]:
            result = self.home.mayfly(*ECHO, *flags, env=env)
            self.assertEqual((result.code, result.out), (0, b"inside"), result)
        self.assertEqual(header(self.edge.upgrades()[0], "Cf-Access-Jump-Destination"), [destination])

    def test_megabytes_both_ways(self):
        data = random.Random(1).randbytes(8 << 20)
        running = self.open()
        running.write(data)
        running.wait_out(len(data))
        result = self.hang_up(running)
        self.assertTrue(result.out == data, f"{len(result.out)} bytes came back")

    def test_text_frames_are_bytes_too(self):
        self.edge.application("echo", websocket={"text": True})
        running = self.ready()
        self.hang_up(running)

    def test_small_frames(self):
        self.edge.application("echo", websocket={"buffer": 7}, origin="source:100000")
        result = self.home.mayfly(*ECHO)
        self.assertEqual(result.out, bytes(i % 251 for i in range(100000)))
        self.assert_done(result)


class Ends(TunnelCase):
    def test_end_of_stdin_is_drained(self):
        asked = threading.Event()

        def part(connection):
            while connection.recv(1000) != b"":
                asked.set()
                break
            for _ in range(64):
                connection.sendall(b"x" * 16384)
        self.origin(part)
        result = self.home.start(*ECHO, stdin=b"request").finish()
        self.assertTrue(asked.is_set())
        self.assertEqual((result.code, len(result.out)), (0, 1 << 20), result.err)

    def test_answer_that_comes_long_after_the_end_of_stdin(self):
        got, go_on = threading.Event(), threading.Event()

        def part(connection):
            connection.recv(1000)
            got.set()
            go_on.wait(60)
            connection.sendall(b"late answer")
        self.origin(part)
        running = self.home.start(*ECHO, stdin=b"request")
        self.assertTrue(got.wait(60))
        # mayfly has nothing to do now but to wait, and it must not use the processor.
        eventually("its stdin has been read to the end", lambda: running.process.stdin.closed)
        self.assertFalse(running.has_ended())
        go_on.set()
        result = running.finish()
        self.assertEqual((result.code, result.out), (0, b"late answer"), result)

    def test_peer_closes_while_stdin_is_open(self):
        for code in (1000, 1001):
            with self.subTest(code):
                running = self.ready()
                self.edge.ask("POST", "/close-tunnels", {"code": code, "reason": "bye"})
                self.assertEqual(running.finish(10).code, 0)
                self.assertIn(self.edge.ended_tunnel()["close_received"], (code, 1000))

    def test_end_of_the_origin(self):
        self.origin(lambda connection: connection.sendall(b"all there is"))
        running = self.open()
        result = running.finish(30)
        self.assertEqual((result.code, result.out), (0, b"all there is"), result)

    def test_abnormal_close_codes(self):
        for code in (1002, 1008, 1011, 1012, 3000, 4999):
            with self.subTest(code):
                running = self.ready()
                self.edge.ask("POST", "/close-tunnels", {"code": code, "reason": "trouble \x1b[31m"})
                result = running.finish(10)
                self.assertEqual(result.code, NETWORK, result)
                self.assertIn(str(code), result.err)
                self.assertIn("5 bytes", result.err)
                self.assert_printable(result.err)

    def test_connection_that_breaks(self):
        for how in ("reset", "eof"):
            with self.subTest(how):
                running = self.ready()
                self.edge.ask("POST", "/close-tunnels", {"how": how})
                result = running.finish(10)
                self.assertEqual(result.code, NETWORK, result)
                self.assertIn("mayfly: error: ", result.err)
                self.assertEqual(result.out, b"ready")

    def test_end_of_stream_on_both_sides_is_an_end(self):
        # The origin ends after stdin has ended: this is a complete exchange.
        def part(connection):
            connection.recv(100)
            connection.sendall(b"bye")
        self.origin(part)
        result = self.home.start(*ECHO, stdin=b"hello").finish()
        self.assertEqual((result.code, result.out), (0, b"bye"), result)

    def test_close_frame_on_the_way_out(self):
        self.origin(lambda connection: connection.sendall(b"bye"))
        self.assert_done(self.open().finish())
        self.assertEqual(self.edge.ended_tunnel()["close_received"], 1000)

    def test_signals(self):
        for number, code in [(signal.SIGTERM, 1001), (signal.SIGINT, 1001)]:
            with self.subTest(number):
                running = self.ready()
                running.send(number)
                running.finish(5)
                tunnel = self.edge.ended_tunnel()
                self.assertEqual((tunnel["end"], tunnel["close_received"]), ("close", code))

    def test_hangup_ends_the_tunnel_at_once(self):
        running = self.ready()
        running.send(signal.SIGHUP)
        running.finish(5)
        self.edge.ended_tunnel()

    def test_signals_while_a_system_call_blocks(self):
        """The log is a pipe without a reader, which blocks when it is opened."""
        pipe = os.path.join(self.home.path, "pipe")
        os.mkfifo(pipe)
        running = self.home.start("ssh", "--hostname", "echo.example.com", "--logfile", pipe)

        def ended():
            if not running.has_ended():
                running.process.send_signal(signal.SIGINT)
            return running.has_ended()
        eventually("repeated signals end it", ended, 20)
        self.assertIn(running.finish().code, (FAILED, -signal.SIGINT))

    def test_signal_while_draining(self):
        self.origin(lambda connection: connection.recv(1) and connection.recv(1))
        running = self.home.start(*ECHO, stdin=b"x")
        eventually("the tunnel is open", lambda: self.edge.ask("GET", "/tunnels"))
        running.send(signal.SIGTERM)
        running.finish(5)

    def test_stdout_without_a_reader(self):
        for stdin in (PIPE, b"x"):
            with self.subTest(stdin):
                reader, writer = os.pipe()
                running = self.open(stdout=writer, stdin=stdin)
                os.close(writer)
                if stdin is PIPE:
                    running.write(b"x")
                self.assertEqual(os.read(reader, 1), b"x")
                os.close(reader)
                running.finish(10)
                eventually("the edge sees it go", lambda: self.edge.stats()["open_tunnels"] == 0)

    def test_stdout_on_a_full_disk(self):
        """The network is not the cause, and another attempt does not help."""
        with open("/dev/full", "wb") as full:
            running = self.open(stdout=full)
            running.write(b"x" * 1000)
            result = running.finish()
        self.assert_error(result, FAILED, "cannot write the local side: no space left on device", "stdout")
        self.assertNotIn("close code", result.err)

    def test_stdout_closed_under_load(self):
        self.edge.application("echo", origin="source:100000000")
        reader, writer = os.pipe()
        running = self.open(stdout=writer)
        os.close(writer)
        self.assertTrue(os.read(reader, 1000))
        os.close(reader)
        running.finish(10)

    def test_reader_that_pauses_loses_nothing(self):
        self.edge.application("echo", origin="source:4000000")
        reader, writer = os.pipe()
        running = self.open(stdout=writer)
        os.close(writer)
        # The pipe is full when the edge has sent more than the pipe holds.
        eventually("bytes flow", lambda: self.edge.ask("GET", "/tunnels"))
        received = bytearray()
        with os.fdopen(reader, "rb") as file:
            received = file.read()
        self.assertTrue(received == bytes(i % 251 for i in range(4000000)), len(received))
        self.assertEqual(running.finish().code, 0)

    def test_descriptors_are_blocking_again_afterwards(self):
        reader, writer = os.pipe()
        running = self.open(stdout=writer)
        running.write(b"x")
        self.assertEqual(os.read(reader, 1), b"x")
        self.hang_up(running)
        self.assertTrue(os.get_blocking(writer))
        os.close(reader)
        os.close(writer)


class Liveness(TunnelCase):
    def test_pings(self):
        running = self.ready("--ping-interval", "1")
        eventually("pings", lambda: any((e["tunnel"] or {}).get("pings_in", 0) >= 2
                                        for e in self.edge.upgrades()))
        self.assertFalse(running.has_ended())

    def test_pings_of_the_edge_are_answered(self):
        self.edge.application("echo", websocket={"ping_interval": 1})
        running = self.ready()
        eventually("pongs", lambda: any((e["tunnel"] or {}).get("pongs_in", 0) >= 2
                                        for e in self.edge.upgrades()))
        self.hang_up(running)

    def test_peer_that_is_gone(self):
        for fault in ("stall", "no_pong"):
            with self.subTest(fault):
                self.edge.reset()
                self.edge.fault("tunnel." + fault)
                running = self.open("--ping-interval", "1")
                result = running.finish(30)
                self.assertEqual(result.code, NETWORK, result)
                self.assertIn("mayfly: error: ", result.err)

    def test_peer_that_takes_no_bytes_for_a_while(self):
        """As a tape that winds back: its host answers, and the window of its connection is closed."""
        data = random.Random(2).randbytes(32 << 20)
        go_on, received = threading.Event(), bytearray()
        self.addCleanup(go_on.set)

        def part(connection):
            connection.recv_into(bytearray(1))
            go_on.wait(GENEROUS)
            while piece := connection.recv(1 << 16):
                received.extend(piece)
        self.origin(part)
        running = self.open("--ping-interval", "1", stdin=data)
        eventually("a tunnel", lambda: self.edge.ask("GET", "/tunnels"))
        self.assertFalse(running.ends_within(8), "two pings and their time are 2.25 s")
        go_on.set()
        eventually("all bytes", lambda: len(received) == len(data) - 1)
        self.assertTrue(received == data[1:])
        self.assert_done(running.finish())


class MidDial(TunnelCase):
    """A redirect to the login page during the dial leads to a login and a second dial."""

    def statuses(self):
        return [entry["status"] for entry in self.edge.upgrades("echo.example.com")]

    def exchange_bytes(self, running):
        running.write(b"through")
        self.assertEqual(running.wait_out(7), b"through")
        return self.hang_up(running)

    def test_revoked_token(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.home.install_browser()
        self.exchange_bytes(self.open())
        self.assertEqual(self.statuses(), [302, 101])
        self.assertEqual(len(self.home.browsed()), 1)
        self.assertNotEqual(self.home.text(self.home.token_name("echo")), self.token)

    def test_login_without_a_browser(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        running = self.open()
        url = running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+").group()
        self.assertEqual(bytes(running.out), b"", "stdout is the wire")
        self.edge.sign_in(url)
        self.exchange_bytes(running)

    def test_no_token_at_all(self):
        self.fresh()
        self.home.install_browser()
        self.exchange_bytes(self.open())
        self.assertEqual(self.statuses()[-1], 101)

    def test_bytes_on_stdin_wait_for_the_second_dial(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.home.install_browser()
        self.origin(lambda connection: connection.sendall(b"got " + connection.recv(100)))
        result = self.assert_done(self.home.start(*ECHO, stdin=b"early").finish())
        self.assertEqual(result.out, b"got early")

    def test_batch(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.home.install_browser()
        self.assert_error(self.home.mayfly(*ECHO, "--batch"), LOGIN_NEEDED)
        self.assertEqual(self.home.browsed(), [])

    def test_login_page_for_ever_is_no_loop(self):
        self.edge.fault("upgrade.login_redirect", application="echo")
        self.home.install_browser()
        result = self.home.mayfly(*ECHO)
        self.assertNotEqual(result.code, 0, result)
        self.assert_error(result, result.code)
        self.assertLessEqual(len(self.statuses()), 3)
        self.assertLessEqual(len(self.home.browsed()), 2)

    def test_host_without_an_application(self):
        self.edge.application("open", hostname="open.example.com", policy="none", origin="echo")
        running = self.home.start("ssh", "--hostname", "open.example.com", stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.hang_up(running)
        request = self.edge.upgrades("open.example.com")[-1]
        self.assertEqual(header(request, "Cf-Access-Token"), [])
