"""mayfly access tcp --url: listeners, who may connect, many at once, ends."""
import os
import random
import signal
import socket
import stat
import threading
import time

from harness import memory, namespace, programs, tcp
from harness.case import FAILED, USAGE
from harness.listener import ListenerCase, receive
from harness.process import Running
from harness.waiting import GENEROUS, eventually, stretched

MANY = 100
STOP_SECONDS = 2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening_addresses(port):
    """Returns the addresses of all sockets that listen on that port."""
    return {row.address for row in tcp.rows() if (row.state, row.port) == (tcp.LISTENING, port)}


class Addresses(ListenerCase):
    def assert_serves(self, *flags, place, port, **more):
        running = self.listen(*flags, **more)
        self.assertEqual(self.places(running), [place])
        self.assertIn("INF Start Websocket listener host=", running.err)  # the words of cloudflared
        self.assert_echo(self.connect(port))
        self.assertEqual(bytes(running.out), b"")
        return running

    def test_ways_to_say_where(self):
        forms = [["--url", "{}"], ["--url={}"], ["-url", "{}"], ["-url={}"], ["--listener", "{}"],
                 ["-listener={}"], ["-L", "{}"], ["{}"], ["-L", "{}/"]]
        for form in forms:
            with self.subTest(form):
                port = free_port()
                place = f"127.0.0.1:{port}"
                self.assert_serves(*[word.format(place) for word in form], place=place, port=port)

    def test_scheme_before_the_address(self):
        for scheme in ("ssh", "tcp", "rdp", "http"):
            port = free_port()
            running = self.assert_serves("--url", f"{scheme}://localhost:{port}",
                                         place=f"localhost:{port}", port=port)
            self.assertNotIn("identity", running.err, "localhost is nobody else's")

    def test_loopback_names_on_a_bare_computer(self):
        """No entry in /etc/hosts and no name server is needed (RFC 6761 section 6.3)."""
        if namespace.refusal():
            self.skipTest("this computer gives no namespace")
        hosts = os.path.join(self.home.path, "hosts")
        with open(hosts, "w", encoding="ascii") as file:
            file.write("192.0.2.1 localhost wiki.localhost\n")  # even a wrong entry does not count
        for name in ("localhost", "wiki.localhost"):
            with self.subTest(name):
                port = free_port()
                running = Running([*namespace.with_files_at(hosts, "/etc/hosts"), programs.mayfly(), "access", "tcp",
                                   "--hostname", "echo.example.com", "--url", f"{name}:{port}"],
                                  env=self.home.environment({"MAYFLY_CONNECT_TO": f":443:{name}:{self.edge.port}"}))
                self.assertEqual(self.places(running), [f"{name}:{port}"])
                self.assert_echo(self.connect(port))

    def test_variables(self):
        port = free_port()
        running = self.home.start("access", "tcp", env={
            "TUNNEL_SERVICE_HOSTNAME": "echo.example.com",
            "TUNNEL_SERVICE_URL": f"127.0.0.1:{port}"})
        self.assertEqual(self.places(running), [f"127.0.0.1:{port}"])
        self.assert_echo(self.connect(port))

    def test_flag_before_variable(self):
        port = free_port()
        self.assert_serves("--url", f"127.0.0.1:{port}", place=f"127.0.0.1:{port}", port=port,
                           env={"TUNNEL_SERVICE_URL": "127.0.0.1:1"})

    def test_several_at_once(self):
        path = os.path.join(self.home.path, "socket")
        running = self.listen("--url", "127.0.0.1:0", "--url", f"unix:{path}", "-L", "127.0.0.1:0")
        places = self.places(running, 3)
        ports = [int(place.rsplit(":", 1)[1]) for place in places if not place.startswith("unix:")]
        self.assertEqual(len(set(ports)), 2, places)
        self.assertIn(f"unix:{path}", places)
        for port in ports:
            self.assert_echo(self.connect(port))
        self.assert_echo(self.connect_unix(path))

    def test_free_port_is_told(self):
        running, port = self.at_free_port()
        self.assertGreater(port, 0)
        self.assertEqual(bytes(running.out), b"")

    def test_port_alone_is_for_this_machine_only(self):
        for text in (":0", "0"):
            with self.subTest(text):
                running = self.listen("--url", text)
                place, = self.places(running)
                self.assertRegex(place, r"^127\.0\.0\.1:[1-9][0-9]*$")
                port = int(place.rsplit(":", 1)[1])
                self.assertEqual(listening_addresses(port) - {"0" * 24 + "01000000"}, {"0100007F"})
                self.assert_echo(self.connect(port))
                self.assertNotIn("WRN", running.err)

    def test_ipv6(self):
        running = self.listen("--url", "[::1]:0")
        place, = self.places(running)
        self.assertRegex(place, r"^\[::1\]:[1-9][0-9]*$")
        with socket.create_connection(("::1", int(place.rsplit(":", 1)[1])), GENEROUS) as connection:
            self.assert_echo(connection)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            result = self.listen("--url", f"127.0.0.1:{port}").finish()
        self.assert_error(result, FAILED, f"127.0.0.1:{port}", "in use")

    def test_privileged_port(self):
        if os.geteuid() == 0:
            self.skipTest("root may listen on any port")
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            if int(file.read()) <= 1:
                self.skipTest("this system has no privileged ports")
        result = self.listen("--url", "127.0.0.1:1").finish()
        self.assert_error(result, FAILED, "127.0.0.1:1", "1024")

    def test_one_address_that_fails_fails_all(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            path = os.path.join(self.home.path, "socket")
            result = self.listen("--url", f"unix:{path}", "--url",
                                 f"127.0.0.1:{taken.getsockname()[1]}").finish()
        self.assertEqual(result.code, FAILED, result)
        self.assertFalse(os.path.lexists(path))

    def test_invalid_addresses(self):
        for text in ("localhost", "127.0.0.1:65536", "127.0.0.1:http", "unix:", "a b:1"):
            with self.subTest(text):
                self.assert_error(self.listen("--url", text).finish(), USAGE)

    def test_warning_when_others_can_connect(self):
        running = self.listen("--url", "0.0.0.0:0")
        place, = self.places(running)
        running.wait_err("WRN .*identity.*" + place.replace(".", r"\."))
        running, port = self.at_free_port()
        self.assert_echo(self.connect(port))
        self.assertNotIn("identity", running.err)


class UnixSocket(ListenerCase):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.home.path, "socket")

    def at_path(self, **more):
        running = self.listen("--url", f"unix:{self.path}", **more)
        self.assertEqual(self.places(running), [f"unix:{self.path}"])
        return running

    def test_only_its_owner_may_connect(self):
        self.at_path(umask=0)
        status = os.lstat(self.path)
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        self.assert_echo(self.connect_unix(self.path))

    def test_removed_at_the_end(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                running = self.at_path()
                running.send(number)
                self.assert_done(running.finish())
                self.assertFalse(os.path.lexists(self.path))

    def test_socket_left_by_a_killed_listener(self):
        running = self.at_path()
        running.send(signal.SIGKILL)
        running.finish()
        self.assertTrue(os.path.lexists(self.path))
        self.at_path()
        self.assert_echo(self.connect_unix(self.path))

    def test_socket_of_a_running_listener_is_not_replaced(self):
        self.at_path()
        self.assert_error(self.listen("--url", f"unix:{self.path}").finish(), FAILED, "in use")
        self.assert_echo(self.connect_unix(self.path))

    def test_other_files_are_left_alone(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        self.assert_error(self.listen("--url", f"unix:{self.path}").finish(), FAILED, self.path)
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")


class Connections(ListenerCase):
    def test_the_request(self):
        _, port = self.at_free_port("-H", "X-One: 1")
        self.assert_echo(self.connect(port))
        request, = self.edge.upgrades("echo.example.com")
        names = dict(request["headers"])
        self.assertEqual((names["Cf-Access-Token"], names["X-One"]), (self.token, "1"))

    def test_second_is_not_stalled_by_the_first(self):
        _, port = self.at_free_port()
        first = self.connect(port)
        for _ in range(3):
            self.assert_echo(self.connect(port))
        self.assert_echo(first)

    def test_connection_that_does_not_read_stalls_no_other(self):
        self.edge.application("web", origin="source:200000000")
        self.know("web")
        _, port = self.at_free_port(host="web.example.com")
        idle = self.connect(port)
        idle.recv(1)
        other = self.connect(port)
        self.assertGreaterEqual(len(receive(other, 1 << 20)), 1 << 20)

    def test_urgent_bytes_of_a_program(self):
        """A read of the kernel stops before an urgent byte, which goes no further, although more bytes follow it."""
        _, port = self.at_free_port()
        connection = self.assert_echo(self.connect(port))
        for _ in range(20):
            connection.sendall(b"before")
            connection.send(b"!", socket.MSG_OOB)
            connection.sendall(b"after")
            self.assertEqual(receive(connection, 11), b"beforeafter")

    def test_many_at_once(self):
        running, port = self.at_free_port()
        failures = []

        def converse(number):
            data = random.Random(number).randbytes(200_000)
            with socket.create_connection(("127.0.0.1", port), timeout=GENEROUS) as connection:
                sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
                sender.start()
                if receive(connection, len(data)) != data:
                    failures.append(f"connection {number}")
                sender.join(GENEROUS)

        threads = [threading.Thread(target=converse, args=(n,), daemon=True) for n in range(MANY)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(GENEROUS)
        self.assertFalse(any(thread.is_alive() for thread in threads))
        self.assertEqual(failures, [])
        self.assertEqual(len(self.edge.upgrades("echo.example.com")), MANY)
        self.assertEqual(len(os.listdir(f"/proc/{running.pid}/task")), 1, "one thread serves all")

    def test_crowd_resumes_the_session_of_the_first(self):
        _, port = self.at_free_port()
        self.assert_echo(self.connect(port))
        before = self.edge.stats()
        for connection in [self.connect(port) for _ in range(40)]:
            self.assert_echo(connection)
        after = self.edge.stats()
        self.assertEqual(after["tls_handshakes"] - before["tls_handshakes"], 40)
        self.assertEqual(after["tls_resumed"] - before["tls_resumed"], 40)

    def test_end_of_one_side_reaches_the_other(self):
        _, port = self.at_free_port()
        connection = self.assert_echo(self.connect(port))
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assertEqual(connection.recv(1), b"")
        connection = self.assert_echo(self.connect(port))
        connection.close()
        self.assertEqual(self.edge.ended_tunnel()["close_received"], 1000)

    def test_cut_connection_leaves_the_others_and_the_listener(self):
        running, port = self.at_free_port()
        for how in ("reset", "eof"):
            with self.subTest(how):
                connection = self.assert_echo(self.connect(port))
                self.edge.ask("POST", "/close-tunnels", {"how": how})
                try:
                    self.assertEqual(connection.recv(1), b"")
                except ConnectionResetError:
                    pass
                running.wait_err("WRN a tunnel ended")
                self.assert_echo(self.connect(port))
        self.assertFalse(running.has_ended())

    def test_refusals_leave_the_listener(self):
        running, port = self.at_free_port()
        for fault in ("403", "502", "close"):
            with self.subTest(fault):
                before = running.err.count(" ERR ")
                self.edge.fault("upgrade." + fault, 1)
                try:
                    self.assertEqual(self.connect(port).recv(1), b"")
                except ConnectionResetError:
                    pass
                eventually("it says so", lambda: running.err.count(" ERR ") > before)
                self.assert_echo(self.connect(port))

    def test_next_connection_after_the_edge_was_away(self):
        running, port = self.at_free_port()
        connection = self.assert_echo(self.connect(port))
        self.edge.restart()
        try:
            self.assertEqual(connection.recv(1), b"")
        except ConnectionResetError:
            pass
        self.assert_echo(self.connect(port))
        self.assertFalse(running.has_ended())


class Logins(ListenerCase):
    def test_slow_login_of_a_connection_does_not_stop_the_others(self):
        running, port = self.at_free_port()
        before = self.assert_echo(self.connect(port))
        # The edge redirects the next connection to the login page, and no later ones.
        self.edge.fault("upgrade.login_redirect", 1, application="echo")
        waiting = self.connect(port)
        url = running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+").group()
        self.assert_echo(before)
        # Another program has stored a token meanwhile.
        self.home.plant_token("echo")
        self.assert_echo(self.connect(port))
        self.edge.sign_in(url)
        self.assert_echo(waiting)

    def test_signature_that_does_not_verify_cuts_no_tunnel(self):
        running, port = self.at_free_port()
        before = self.assert_echo(self.connect(port))
        record = "echo.example.com-app"
        head, claims, signature = self.home.text(record).strip().split(".")
        spoiled = ("B" if signature[0] == "A" else "A") + signature[1:]
        self.home.plant(record, ".".join((head, claims, spoiled)))
        os.remove(self.home.file(self.home.token_name("echo")))
        # A connection that was redirected to the login page reads the stored files again.
        self.edge.fault("upgrade.login_redirect", 1, application="echo")
        waiting = self.connect(port)
        url = running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+").group()
        for _ in range(3):
            self.assert_echo(before)
        self.edge.sign_in(url)
        self.assert_echo(waiting)
        self.assert_echo(before)

    def test_revoked_token_is_renewed_once_for_all(self):
        self.home.install_browser()
        _, port = self.at_free_port()
        self.assert_echo(self.connect(port))
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        for connection in [self.connect(port) for _ in range(5)]:
            self.assert_echo(connection)
        self.assertEqual(len(self.home.browsed()), 1)

    def test_no_token_at_the_start(self):
        self.fresh()
        self.home.install_browser()
        _, port = self.at_free_port()
        for connection in [self.connect(port) for _ in range(3)]:
            self.assert_echo(connection)
        self.assertEqual(len(self.home.browsed()), 1)

    def test_batch(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.home.install_browser()
        running, port = self.at_free_port("--batch")
        try:
            self.assertEqual(self.connect(port).recv(1), b"")
        except ConnectionResetError:
            pass
        running.wait_err("ERR .*login")
        self.assertEqual(self.home.browsed(), [])
        self.assertFalse(running.has_ended())


class Ends(ListenerCase):
    def assert_stops(self, running, number=signal.SIGTERM):
        began = time.monotonic()
        running.send(number)
        result = self.assert_done(running.finish())
        self.assertLess(time.monotonic() - began, stretched(STOP_SECONDS))
        return result

    def test_signals_close_every_tunnel(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.edge.ask("DELETE", "/log")
                running, port = self.at_free_port()
                connections = [self.assert_echo(self.connect(port)) for _ in range(5)]
                self.assert_stops(running, number)
                eventually("all have ended", lambda: not self.edge.ask("GET", "/tunnels"))
                ends = [(e["tunnel"]["end"], e["tunnel"]["close_received"])
                        for e in self.edge.upgrades("echo.example.com")]
                self.assertEqual(ends, [("close", 1001)] * 5)
                for connection in connections:
                    connection.close()

    def test_silent_peer_does_not_delay_the_end(self):
        running, port = self.at_free_port()
        self.assert_echo(self.connect(port))
        self.edge.ask("POST", "/close-tunnels", {"how": "stall"})
        self.assert_stops(running)

    def test_while_a_login_is_waited_for(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        running, port = self.at_free_port()
        self.connect(port)
        running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+")
        self.assert_stops(running)
        self.assertEqual([n for n in self.home.files() if n.endswith((".lock", ".url"))], [])

    def test_port_is_free_again_at_once(self):
        running, port = self.at_free_port()
        self.assert_echo(self.connect(port))
        self.assert_stops(running)
        running = self.listen("--url", f"127.0.0.1:{port}")
        self.places(running)
        self.assert_echo(self.connect(port))


class ServiceManager(ListenerCase):
    def manager(self, address):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.settimeout(GENEROUS)
        manager.bind(address)
        return manager

    def test_manager_is_told_when_the_listener_is_ready(self):
        path = os.path.join(self.home.path, "notify")
        for name, given in [(path, path), (f"\0mayfly-e2e-{os.getpid()}", f"@mayfly-e2e-{os.getpid()}")]:
            with self.subTest(given):
                manager = self.manager(name)
                running, port = self.at_free_port("-L", "127.0.0.1:0", env={"NOTIFY_SOCKET": given})
                self.assertIn(b"READY=1", manager.recv(1000).split(b"\n"))
                if memory.shows_descriptors():
                    listening = [row for row in tcp.rows_of(running.pid) if row.state == tcp.LISTENING]
                    self.assertEqual(len(listening), 2)
                self.assertEqual(len(self.places(running, 2)), 2)
                self.assert_echo(self.connect(port))
                running.send(signal.SIGTERM)
                self.assertIn(b"STOPPING=1", manager.recv(1000).split(b"\n"))
                self.assert_done(running.finish())

    def test_manager_that_is_gone(self):
        _, port = self.at_free_port(env={"NOTIFY_SOCKET": "/nonexistent/notify"})
        self.assert_echo(self.connect(port))
