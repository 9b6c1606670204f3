"""mayfly logout while other commands run: none of them stores a token, sends a token that it holds in memory, or begins
a login, until a person logs in."""
import os
import signal
import socket
import struct
import threading

from harness.agent_case import KEYS, TEAM_TOKEN, AgentCase
from harness.case import LOGIN_NEEDED
from harness.listener import ListenerCase, receive
from harness.process import end_all
from harness.shared_case import SharedCase
from harness.waiting import GENEROUS, eventually

ECHO, WIKI, BASTION = "echo.example.com", "wiki.example.com", "bastion.example.com"
SAID = "ERR .*you logged out after this command began.*mayfly access login https://{}"


class Gate:
    """A port in front of the edge that lets connections wait until it is opened."""

    def __init__(self, port):
        self.upstream = port
        self.waiting = threading.Event()
        self.opened = threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client):
        self.waiting.set()
        self.opened.wait(GENEROUS)
        server = socket.create_connection(("127.0.0.1", self.upstream))
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    @staticmethod
    def _forward(source, sink):
        try:
            while piece := source.recv(1 << 16):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.opened.set()
        self.listening.close()


class LogoutCase(ListenerCase, AgentCase, SharedCase):
    def assert_nothing_stored(self):
        self.assertEqual([name for name in self.home.files() if name.endswith(("-token", "cf_key", ".pub"))], [])

    def tokens_sent(self):
        return [entry for entry in self.edge.log()
                if any(name.lower() == "cf-access-token" for name, _ in entry["headers"])]


class Listeners(LogoutCase):
    """Each listener gets a connection right after the logout, while it still holds the token in memory."""

    def tcp(self):
        running = self.home.start("access", "tcp", "--hostname", ECHO, "--url", "127.0.0.1:0")
        return running, ECHO, lambda port: self.echoes(self.connect(port))

    def socks(self):
        self.edge.application("bastion", hostname=BASTION, origin="bastion", hosts={"db.internal": "127.0.0.1"})
        self.know("bastion")
        self.edge.application("bastion", origin="echo")  # The destination does not matter.
        running = self.home.start("socks", "--hostname", BASTION, "--url", "127.0.0.1:0")
        return running, BASTION, lambda port: self.proxied(port)

    def http(self):
        self.edge.application("wiki", hostname=WIKI, origin="page")
        self.know("wiki")
        running = self.home.start("http", "--hostname", WIKI, "--url", "127.0.0.1:0")
        return running, WIKI, lambda port: self.got(port)

    @staticmethod
    def echoes(connection):
        try:
            connection.sendall(b"through")
            return receive(connection, 7) == b"through"
        except OSError:
            return False

    def proxied(self, port):
        connection = self.connect(port)
        connection.sendall(b"\x05\x01\x00\x05\x01\x00\x03\x0bdb.internal" + struct.pack(">H", 22))
        return receive(connection, 12)[2:4] == b"\x05\x00" and self.echoes(connection)

    def got(self, port):
        connection = self.connect(port)
        connection.sendall(b"GET / HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
        answer = receive(connection, 1 << 20)
        if b"you logged out" in answer:
            self.assertIn(b"mayfly access login", answer)
        return answer.startswith(b"HTTP/1.1 200 ")

    def check(self, start, *logout):
        self.home.plant_org_token()
        self.home.install_browser()
        running, host, works = start()
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        self.assertTrue(works(port))
        self.assert_done(self.logout(*(logout or (host,))))
        seen = len(self.tokens_sent())
        for _ in range(2):
            self.assertFalse(works(port))
        running.wait_err(SAID.format(host))
        self.assertEqual(len(self.tokens_sent()), seen)
        self.assertEqual([name for name in self.home.files() if name.startswith(host)], [])
        self.assertEqual(self.home.browsed(), [])
        self.assert_done(self.home.mayfly("login", "-q", host))
        self.assertTrue(works(port))

    def test_after_a_logout_from_all(self):
        for start in (self.tcp, self.socks, self.http):
            with self.subTest(start.__name__):
                self.fresh()
                self.know("echo")
                self.check(start, "--all")

    def test_after_a_logout_from_the_application(self):
        """The org token stays, and the listener does not exchange it by itself."""
        for start in (self.tcp, self.socks, self.http):
            with self.subTest(start.__name__):
                self.fresh()
                self.know("echo")
                self.check(start)
                self.assertIn(TEAM_TOKEN, self.home.files())

    def test_a_later_login_lets_the_listener_log_in_again(self):
        self.home.install_browser()
        running, _, works = self.tcp()
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        self.assert_done(self.logout("--all"))
        self.assertFalse(works(port))
        self.assert_done(self.home.mayfly("login", "-q", ECHO))
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.assertTrue(works(port))
        self.assertEqual(len(self.home.browsed()), 2)

    def test_open_tunnel_goes_on(self):
        running, _, _ = self.tcp()
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        connection = self.connect(port)
        self.assertTrue(self.echoes(connection))
        self.assert_done(self.logout("--all"))
        self.assertTrue(self.echoes(connection))

    def test_login_of_a_listener_is_given_up(self):
        self.home.install_idle_browser()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        running, _, _ = self.tcp()
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        connection = self.connect(port)
        url = running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+").group()
        self.assert_done(self.logout("--all"))
        self.assertEqual(receive(connection, 1), b"")
        running.wait_err(SAID.format(ECHO))
        self.edge.sign_in(url)
        self.assertEqual(self.home.files(), [])

    def test_service_token_goes_on(self):
        """No login has brought the service token."""
        self.edge.application("echo", service_tokens=[{"id": "machine.access", "secret": "hush"}])
        self.home.variables.update({"TUNNEL_SERVICE_TOKEN_ID": "machine.access",
                                    "TUNNEL_SERVICE_TOKEN_SECRET": "hush"})
        running, _, works = self.tcp()
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        self.assertTrue(works(port))
        self.assert_done(self.logout("--all"))
        self.assertTrue(works(port))


class Others(LogoutCase):
    def setUp(self):
        super().setUp()
        self.edge.application("echo")

    def begin_login(self):
        self.fresh()
        self.home.install_idle_browser()
        running = self.home.start("login", ECHO)
        return running, running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+").group()

    def test_login_that_waits(self):
        running, _ = self.begin_login()
        self.assert_done(self.logout("--all"))
        self.assert_error(running.finish(), LOGIN_NEEDED, "you logged out", f"mayfly access login https://{ECHO}")
        self.assertEqual(self.home.files(), [])

    def test_login_that_a_person_finishes_afterwards(self):
        """A login that was begun before the logout stores nothing, because its page may have stayed open anywhere."""
        for arguments in (["--all"], [ECHO]):
            with self.subTest(arguments):
                running, url = self.begin_login()
                running.send(signal.SIGSTOP)
                self.assert_done(self.logout(*arguments))
                self.edge.sign_in(url)
                running.send(signal.SIGCONT)
                self.assert_error(running.finish(), LOGIN_NEEDED, "you logged out")
                self.assert_nothing_stored()

    def test_command_that_waits_for_another_login(self):
        for command in (["login", "-q", ECHO], ["ssh", "--hostname", ECHO]):
            with self.subTest(command):
                self.fresh()
                base = self.home.token_name("echo")
                self.plant_lock(base, self.holder().pid)
                self.home.plant(base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
                running = self.home.start(*command, stdin=b"")
                running.wait_err("already waiting for this login")
                self.assert_done(self.logout("--all"))
                self.assert_error(running.finish(), LOGIN_NEEDED, "you logged out")

    def test_tunnel_on_standard_input_that_is_being_dialed(self):
        gate = Gate(int(self.home.variables["MAYFLY_CONNECT_TO"].rsplit(":", 1)[1]))
        self.addCleanup(gate.stop)
        running = self.home.start("ssh", "--hostname", ECHO, stdin=b"hello",
                                  env={"MAYFLY_CONNECT_TO": f":443:127.0.0.1:{gate.port}"})
        eventually("it connects", gate.waiting.is_set)
        self.assert_done(self.logout("--all"))
        gate.opened.set()
        self.assert_error(running.finish(), LOGIN_NEEDED, "you logged out", f"mayfly access login https://{ECHO}")
        self.assertEqual(self.tokens_sent(), [])

    def test_ssh_gen_that_waits_for_another(self):
        for flags in ([], ["--agent"]):
            with self.subTest(flags):
                self.fresh()
                self.start_agent()
                self.know("ssh")
                self.plant_lock(KEYS[0], self.holder().pid)
                running = self.home.start("ssh-gen", "--hostname", "ssh.example.com", *flags)
                eventually("it has been answered which application that is", lambda: self.edge.log("ssh.example.com"))
                self.assert_done(self.logout("--all"))
                self.assert_error(running.finish(), LOGIN_NEEDED, "you logged out")
                self.assert_nothing_stored()

    def test_ssh_gen_whose_certificate_is_being_signed(self):
        for flags in ([], ["--agent"]):
            with self.subTest(flags):
                self.fresh()
                self.start_agent()
                self.know("ssh")
                self.edge.fault("cert_sign.slow", {"seconds": 2})
                running = self.home.start("ssh-gen", "--hostname", "ssh.example.com", *flags)
                eventually("it has the lock", lambda: KEYS[0] + ".lock" in self.home.files())
                self.assert_done(self.logout("--all"))
                self.assert_error(running.finish(), LOGIN_NEEDED, "you logged out")
                self.assertEqual(self.home.files(), [])
                self.assertNotIn("mayfly:", self.agent_lists())

    def test_logout_that_is_killed(self):
        """The mark exists before anything is removed, so the remaining files are no login."""
        os.mkdir(self.home.file(KEYS[0]), 0o700)  # This directory cannot be removed as a file.
        self.assertEqual(self.logout("--all").code, 1)
        self.assertEqual(self.home.logout_marks(), [".mayfly-logout"])
        mode = os.stat(self.home.file(".mayfly-logout")).st_mode & 0o777
        self.assertEqual(mode, 0o600)

    def tearDown(self):
        end_all()
