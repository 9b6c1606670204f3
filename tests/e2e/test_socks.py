"""mayfly socks: connections through a bastion, refusals, and the replies to programs."""
import json
import os
import re
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time

from harness import programs
from harness.authority import Authority
from harness.case import FAILED, USAGE
from harness.listener import ListenerCase, receive
from harness.origin import Origin, echo
from harness.process import run
from harness.sshd import Sshd, client_config
from harness.waiting import GENEROUS, eventually, stretched

BASTION = "bastion.example.com"
GREETING, CHOSEN = b"\x05\x01\x00", b"\x05\x00"
MANY = 20
# RFC 1928 section 6
DONE, FAILURE, NOT_ALLOWED, NETWORK, HOST, REFUSED, EXPIRED, COMMAND, ADDRESS = range(9)


def by_name(name, port):
    return b"\x05\x01\x00\x03" + bytes([len(name)]) + name.encode() + struct.pack(">H", port)


def by_address(address, port):
    family, kind = (socket.AF_INET6, 4) if ":" in address else (socket.AF_INET, 1)
    return bytes([5, 1, 0, kind]) + socket.inet_pton(family, address) + struct.pack(">H", port)


class SocksCase(ListenerCase):
    def setUp(self):
        super().setUp()
        self.edge.application("bastion", hostname=BASTION, origin="bastion",
                              hosts={"db.internal": "127.0.0.1"})
        self.token = self.know("bastion")

    def listen(self, *flags, host=BASTION, **more):
        return self.home.start("socks", "--hostname", host, *flags, **more)

    def echo_server(self):
        origin = Origin(echo)
        self.addCleanup(origin.stop)
        return origin.port

    def ask(self, port, request):
        """Returns the connection and the reply code, after a whole handshake."""
        connection = self.connect(port)
        connection.sendall(GREETING)
        self.assertEqual(receive(connection, 2), CHOSEN)
        connection.sendall(request)
        reply = receive(connection, 10)
        self.assertEqual((reply[0], reply[2:]), (5, b"\0\1" + bytes(6)), reply)
        return connection, reply[1]

    def assert_open(self, port, request):
        connection, code = self.ask(port, request)
        self.assertEqual(code, DONE)
        return connection

    def assert_refused(self, port, request, expected):
        connection, code = self.ask(port, request)
        self.assertEqual(code, expected)
        self.assertEqual(connection.recv(1), b"", "closed after the reply, not reset")

    def destinations(self):
        return [dict(entry["headers"])["Cf-Access-Jump-Destination"]
                for entry in self.edge.upgrades(BASTION)]


class Destinations(SocksCase):
    def test_each_connection_has_its_own(self):
        running, port = self.at_free_port()
        for request, destination in [
                (by_address("127.0.0.1", self.echo_server()), "127.0.0.1"),
                (by_name("db.internal", self.echo_server()), "db.internal"),
                (by_name("localhost", self.echo_server()), "localhost")]:
            with self.subTest(destination):
                self.assert_echo(self.assert_open(port, request))
                wanted = struct.unpack(">H", request[-2:])[0]
                self.assertEqual(self.destinations()[-1], f"{destination}:{wanted}")
        self.assertEqual(bytes(running.out), b"")

    def test_ipv6(self):
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
            threading.Thread(target=lambda: echo(server.accept()[0]), daemon=True).start()
            _, port = self.at_free_port()
            wanted = server.getsockname()[1]
            connection = self.assert_open(port, by_address("::1", wanted))
            self.assert_echo(connection)
            self.assertEqual(self.destinations(), [f"[::1]:{wanted}"])
            connection.close()

    def test_early_bytes_arrive(self):
        """A program may send before it has read the reply."""
        _, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(GREETING + by_address("127.0.0.1", self.echo_server()) + b"early")
        self.assertEqual(receive(connection, 17)[-5:], b"early")

    def test_byte_by_byte(self):
        _, port = self.at_free_port()
        connection = self.connect(port)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in GREETING + by_name("db.internal", self.echo_server()):
            connection.sendall(bytes([byte]))
        self.assertEqual(receive(connection, 12), CHOSEN + b"\x05\0\0\1" + bytes(6))
        self.assert_echo(connection)

    def test_token_and_headers_of_the_request(self):
        _, port = self.at_free_port("-H", "X-One: 1")
        self.assert_open(port, by_address("127.0.0.1", self.echo_server()))
        request, = self.edge.upgrades(BASTION)
        names = dict(request["headers"])
        self.assertEqual((names["Cf-Access-Token"], names["X-One"]), (self.token, "1"))

    def test_many_at_once(self):
        running, port = self.at_free_port()
        target = self.echo_server()
        failures = []

        def converse(number):
            data = bytes([number]) * 100_000
            with socket.create_connection(("127.0.0.1", port), timeout=GENEROUS) as connection:
                connection.sendall(GREETING + by_address("127.0.0.1", target))
                receive(connection, 12)
                sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
                sender.start()
                if receive(connection, len(data)) != data:
                    failures.append(number)
                sender.join(GENEROUS)

        threads = [threading.Thread(target=converse, args=(n,), daemon=True) for n in range(MANY)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(GENEROUS)
        self.assertFalse(any(thread.is_alive() for thread in threads))
        self.assertEqual(failures, [])
        self.assertEqual(len(os.listdir(f"/proc/{running.pid}/task")), 1, "one thread serves all")


class Addresses(SocksCase):
    def test_usual_port(self):
        running = self.listen()
        eventually("it listens or says why not",
                   lambda: running.has_ended() or "listener" in running.err)
        if running.has_ended():
            self.assert_error(running.finish(), FAILED, "127.0.0.1:1080", "in use")
        else:
            self.assertEqual(self.places(running), ["127.0.0.1:1080"])

    def test_several_and_a_unix_socket(self):
        path = os.path.join(self.home.path, "socket")
        running = self.listen("--url", "127.0.0.1:0", "-L", f"unix:{path}")
        self.assertEqual(self.places(running, 2)[1], f"unix:{path}")
        self.assertEqual(os.lstat(path).st_mode & 0o777, 0o600)
        connection = self.connect_unix(path)
        connection.sendall(GREETING + by_address("127.0.0.1", self.echo_server()))
        self.assertEqual(receive(connection, 12)[3], DONE)
        self.assert_echo(connection)

    def test_warning_when_others_can_connect(self):
        self.listen("--url", "0.0.0.0:0").wait_err("WRN .*identity")

    def test_usage(self):
        self.assert_error(self.home.mayfly("socks"), USAGE, "--hostname")
        self.assert_error(self.home.mayfly("socks", "--hostname", "a b"), USAGE)
        self.assert_error(self.listen("--url", "nowhere").finish(), USAGE)
        self.assert_error(self.listen("-H", "Host: x").finish(), USAGE)

    def test_told_to_the_service_manager(self):
        path = os.path.join(self.home.path, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(GENEROUS)
            manager.bind(path)
            running, _ = self.at_free_port(env={"NOTIFY_SOCKET": path})
            self.assertIn(b"READY=1", manager.recv(1000).split(b"\n"))
            running.send(signal.SIGTERM)
            self.assertIn(b"STOPPING=1", manager.recv(1000).split(b"\n"))
            self.assert_done(running.finish())


class Refusals(SocksCase):
    def test_replies(self):
        """The log names each of them (403, 502 and others) with its destination."""
        running, port = self.at_free_port()
        nobody = socket.socket()  # a port that does not answer
        self.addCleanup(nobody.close)
        nobody.bind(("127.0.0.1", 0))
        self.assert_refused(port, by_name("elsewhere.internal", 22), NOT_ALLOWED)
        running.wait_err(r"ERR elsewhere\.internal:22: .*403")
        self.assert_refused(port, by_address("127.0.0.1", nobody.getsockname()[1]), REFUSED)
        running.wait_err(r"ERR 127\.0\.0\.1:\d+: .*502")
        target = by_address("127.0.0.1", self.echo_server())
        for fault, code in [("530_1033", HOST), ("500", FAILURE), ("close", NETWORK)]:
            with self.subTest(fault):
                self.edge.fault("upgrade." + fault, 1)
                self.assert_refused(port, target, code)
        self.assert_echo(self.assert_open(port, target))

    def test_edge_away(self):
        running, port = self.at_free_port(env={"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"})
        self.assert_refused(port, by_name("db.internal", 22), NETWORK)
        running.wait_err("ERR db.internal:22: .*connection refused")

    def test_tunnel_that_is_cut(self):
        running, port = self.at_free_port()
        connection = self.assert_open(port, by_name("db.internal", self.echo_server()))
        self.edge.ask("POST", "/close-tunnels", {"code": 1011})
        self.assertEqual(connection.recv(1), b"")
        running.wait_err(r"WRN a tunnel to db\.internal:\d+ ended: .*1011")
        self.assertNotIn("hint=\n", running.err)

    def test_unsupported_commands_and_addresses(self):
        running, port = self.at_free_port()
        self.assert_refused(port, b"\x05\x02\x00\x01\x7f\0\0\1\0\x16", COMMAND)
        running.wait_err("ERR .*BIND.*CONNECT")
        self.assert_refused(port, b"\x05\x03\x00\x01\x7f\0\0\1\0\x16", COMMAND)
        self.assert_refused(port, b"\x05\x01\x00\x09\x7f\0\0\1\0\x16", ADDRESS)
        self.assert_refused(port, by_name("a b", 22), FAILURE)
        self.assert_refused(port, by_name("x\r\nX-Evil: 1", 22), FAILURE)
        self.assertEqual(self.edge.upgrades(BASTION), [])

    def test_batch_without_a_token(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        running, port = self.at_free_port("--batch")
        self.assert_refused(port, by_address("127.0.0.1", self.echo_server()), NOT_ALLOWED)
        running.wait_err("ERR .*login")

    def test_other_protocols_are_explained(self):
        running, port = self.at_free_port()
        for sent, answer, word in [
                (b"\x04\x01\x00\x16\x7f\0\0\1user\0", b"\0\x5b" + bytes(6), "SOCKS4"),
                (b"CONNECT db:22 HTTP/1.1\r\nHost: db:22\r\n\r\n", b"HTTP/1.1 501 ", "HTTP"),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"", "TLS"),
                (b"\x05\x01\x02", b"\x05\xff", "login")]:
            with self.subTest(word):
                connection = self.connect(port)
                connection.sendall(sent)
                try:
                    received = receive(connection, 1 << 16)
                except ConnectionResetError:
                    received = b""  # There is no answer.
                self.assertEqual(received[:len(answer)], answer)
                running.wait_err(f"ERR .*{word}")

    def test_visitors_without_a_word(self):
        running, port = self.at_free_port()
        for sent in (b"", b"\x05", GREETING):
            connection = self.connect(port)
            connection.sendall(sent)
            connection.close()
        self.assert_echo(self.assert_open(port, by_address("127.0.0.1", self.echo_server())))
        self.assertNotIn(" ERR ", running.err)


class Silence(SocksCase):
    def test_handshake_takes_no_more_than_its_time(self):
        running, port = self.at_free_port()
        connection = self.connect(port)
        connection.sendall(b"\x05")
        began = time.monotonic()
        self.assertEqual(connection.recv(1), b"")
        self.assertGreater(time.monotonic() - began, 5)
        running.wait_err("ERR .*in time")


class Logins(SocksCase):
    def test_token_that_has_ended_is_renewed(self):
        self.home.install_browser()
        _, port = self.at_free_port()
        target = by_address("127.0.0.1", self.echo_server())
        first = self.assert_echo(self.assert_open(port, target))
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.assert_echo(self.assert_open(port, target))
        self.assertEqual(len(self.home.browsed()), 1)
        self.assert_echo(first)
        self.assertEqual([d for d in self.destinations() if not d.startswith("127.0.0.1:")], [])

    def test_service_token(self):
        self.edge.application("bastion", policy="service",
                              service_tokens=[{"id": "ci.access", "secret": "s3cret"}])
        _, port = self.at_free_port(
            env={"TUNNEL_SERVICE_TOKEN_ID": "ci.access", "TUNNEL_SERVICE_TOKEN_SECRET": "s3cret"})
        self.assert_echo(self.assert_open(port, by_address("127.0.0.1", self.echo_server())))

    def test_service_token_that_is_refused(self):
        self.home.install_idle_browser()
        for policy, refusal in (("service", "403"), ("identity", "login")):
            with self.subTest(policy):
                self.edge.application("bastion", policy=policy, service_refusal=refusal)
                running, port = self.at_free_port(
                    env={"TUNNEL_SERVICE_TOKEN_ID": "ci.access", "TUNNEL_SERVICE_TOKEN_SECRET": "wr0ng"})
                _, code = self.ask(port, by_address("127.0.0.1", self.echo_server()))
                self.assertEqual(code, NOT_ALLOWED)
                running.wait_err("the service token was not accepted")
                self.assertNotIn("wr0ng", running.err)
                self.assertEqual(self.home.browsed(), [])

    def test_certificate_alone(self):
        """With No Duration, each connection presents the certificate, and there is no token."""
        authority = Authority()
        self.addCleanup(authority.remove)
        authority.root("root")
        authority.device("sensor-17", "root")
        self.fresh()
        self.edge.application("bastion", hostname=BASTION, origin="bastion", policy="certificate",
                              client_ca=authority.read("root.pem"), session_duration="no_duration")
        _, port = self.at_free_port(*authority.flags("sensor-17"))
        target = by_address("127.0.0.1", self.echo_server())
        for _ in range(2):
            self.assert_echo(self.assert_open(port, target))
        for request in self.edge.upgrades(BASTION):
            self.assertIn("sensor-17", request["tls"]["certificate"])
            self.assertNotIn("Cf-Access-Token", dict(request["headers"]))


class Ends(SocksCase):
    def test_sigterm(self):
        running, port = self.at_free_port()
        target = by_address("127.0.0.1", self.echo_server())
        connections = [self.assert_echo(self.assert_open(port, target)) for _ in range(5)]
        half = self.connect(port)
        half.sendall(GREETING)
        receive(half, 2)
        running.send(signal.SIGTERM)
        began = time.monotonic()
        self.assert_done(running.finish())
        self.assertLess(time.monotonic() - began, stretched(2))
        eventually("all have ended", lambda: not self.edge.ask("GET", "/tunnels"))
        self.assertEqual([entry["tunnel"]["close_received"]
                          for entry in self.edge.upgrades(BASTION)], [1001] * 5)
        for connection in connections:
            self.assertEqual(connection.recv(1), b"")


class Traffic(SocksCase):
    def test_signal_and_stats(self):
        running, port = self.at_free_port("--stats")
        target = self.echo_server()
        self.assert_echo(self.assert_open(port, by_address("127.0.0.1", target)), b"x" * 1500)
        running.send(signal.SIGUSR1)
        found = running.wait_err(r"mayfly: (\S+) for \S+: open for .*, sent 1.5 KiB .*round trip")
        self.assertEqual(found[1], f"127.0.0.1:{target}")
        running.send(signal.SIGTERM)
        line = json.loads(self.assert_done(running.finish()).err.splitlines()[-1])
        self.assertEqual({name: line[name] for name in ("hostname", "tunnels", "sent", "ended")},
                         {"hostname": BASTION, "tunnels": 1, "sent": 1500, "ended": "interrupted"})


class Programs(SocksCase):
    """Programs that people use with mayfly socks."""

    def test_curl(self):
        def page(connection):
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        origin = Origin(page)
        self.addCleanup(origin.stop)
        _, port = self.at_free_port()
        url = f"http://db.internal:{origin.port}/"
        curl = [programs.system("curl"), "-sS", "--max-time", str(GENEROUS)]
        for flags in (["--socks5-hostname", f"127.0.0.1:{port}"],
                      ["--proxy", f"socks5h://127.0.0.1:{port}"]):
            result = self.assert_done(run([*curl, *flags, url]))
            self.assertEqual(result.out, b"hello", result)
        self.assertEqual(self.destinations(), [f"db.internal:{origin.port}"] * 2)
        result = run([*curl, "--proxy", f"http://127.0.0.1:{port}", url])
        self.assertIn(b"SOCKS5", result.out, result)
        result = run([*curl, "--socks5-hostname", f"127.0.0.1:{port}", "http://elsewhere.internal/"])
        self.assertEqual(result.code, 97, result)  # CURLE_PROXY

    def test_ssh_through_netcat(self):
        server = Sshd(self.edge.ssh_ca_pub)
        self.addCleanup(server.stop)
        _, port = self.at_free_port()
        folder = tempfile.mkdtemp(prefix="mayfly-ssh-")
        self.addCleanup(shutil.rmtree, folder)
        key = os.path.join(folder, "key")
        self.home.keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
        with open(key + ".pub", encoding="ascii") as file:
            public = file.read()
        with open(server.authorized_keys, "w", encoding="ascii") as file:
            file.write(public)
        netcat = programs.system("nc.openbsd")
        block = (f"Host db.internal\n  Port {server.port}\n  HostKeyAlias db.internal\n"
                 f"  IdentityFile {key}\n"
                 f"  ProxyCommand {netcat} -X 5 -x 127.0.0.1:{port} %h %p\n")
        config = client_config(block, "db.internal", server, folder)
        result = self.assert_done(run([programs.system("ssh"), "-F", config, "db.internal",
                                       "echo over $((40 + 2))"], env=self.home.environment()))
        self.assertEqual(result.out, b"over 42\n", result)
        self.assertEqual(self.destinations(), [f"db.internal:{server.port}"])


class Story(SocksCase):
    def test_nothing_secret_in_the_log(self):
        running, port = self.at_free_port("-v")
        self.assert_echo(self.assert_open(port, by_address("127.0.0.1", self.echo_server())))
        running.wait_err(r"DBG .*destination=127\.0\.0\.1:\d+")
        self.assertNotIn(self.token, running.err)
        self.assertEqual(re.findall(r"eyJ\w+", running.err), [])
