"""A listener tries its application once when it starts, says what will not work, and is ready after that."""
import os
import signal
import socket

from harness.case import NOWHERE
from harness.listener import ListenerCase
from harness.waiting import GENEROUS
from test_logout_running import Gate

HOST = "echo.example.com"
ID = "0123456789abcdef0123456789abcdef.access"
SECRET, WRONG = "5" * 64, "6" * 64
URL = ("--url", "127.0.0.1:0")
KINDS = ("tcp", "ssh", "rdp", "smb", "socks", "http")


class Start(ListenerCase):
    def setUp(self):
        super().setUp()
        self.home.install_idle_browser()

    def manager(self):
        path = os.path.join(self.home.path, "notify")
        if os.path.exists(path):
            os.remove(path)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.settimeout(GENEROUS)
        manager.bind(path)
        return manager, {"NOTIFY_SOCKET": path}

    def started(self, kind, *flags, host=HOST, env=None):
        """Returns a listener that has said that it is ready."""
        manager, variables = self.manager()
        running = self.home.start(kind, "--hostname", host, *URL, *flags, env={**variables, **(env or {})})
        self.assertIn(b"READY=1", manager.recv(1000).split(b"\n"))
        return running

    def assert_said(self, kind, pattern, *flags, **more):
        running = self.started(kind, *flags, **more)
        running.wait_err(rf"WRN {pattern}.* hint=\S")  # written before the manager was told
        self.places(running)
        self.assertFalse(running.has_ended(), running.err)
        self.assertEqual(self.home.browsed(), [])
        running.send(signal.SIGTERM)
        self.assert_done(running.finish())

    def test_nothing_is_said_of_an_application_that_works(self):
        for kind in KINDS:
            with self.subTest(kind):
                running = self.started(kind)
                self.assertNotIn("WRN", running.err)

    def test_wrong_secret(self):
        self.edge.application("echo", service_tokens=[{"id": ID, "secret": SECRET}])
        for kind in KINDS:
            for strict in (False, True):
                with self.subTest(kind, strict=strict):
                    self.edge.strict(strict)
                    self.forget_metadata()
                    self.assert_said(kind, "access to echo.example.com refused: the service token was not accepted",
                                     env={"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": WRONG})

    def test_right_secret(self):
        self.edge.application("echo", service_tokens=[{"id": ID, "secret": SECRET}])
        for strict in (False, True):
            self.edge.strict(strict)
            self.forget_metadata()
            running = self.started("tcp", env={"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET})
            self.assertNotIn("WRN", running.err)

    def test_host_without_an_application(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.assert_said(kind, "cannot open a tunnel to nowhere.example.com: Cloudflare cannot find the way", host="nowhere.example.com")

    def test_host_that_does_not_exist(self):
        self.assert_said("tcp", ".*nowhere.invalid", host="nowhere.invalid", env={"MAYFLY_CONNECT_TO": None})

    def test_login_that_is_needed(self):
        self.home.plant(self.home.token_name("echo"), "")
        os.remove(self.home.file(self.home.token_name("echo")))
        for kind in KINDS:
            with self.subTest(kind):
                self.assert_said(kind, "a login to echo.example.com is needed: no valid token is stored, and the "
                                       "first connection will ask for a login")
        self.assertEqual(self.edge.stats()["polls"], 0)

    def test_first_connection_logs_in_after_the_warning(self):
        self.home.install_browser()
        os.remove(self.home.file(self.home.token_name("echo")))
        running = self.started("tcp")
        running.wait_err("is needed")
        self.assertEqual(self.home.browsed(), [])
        self.assert_echo(self.connect(int(self.places(running)[0].rsplit(":", 1)[1])))
        self.assertEqual(len(self.home.browsed()), 1)

    def test_cost_of_the_trial(self):
        """The origin would get a question about a known application; that of an unknown one is asked at the start
        instead of at the first connection."""
        before = self.edge.stats()
        running = self.started("tcp")
        self.assertEqual(self.edge.stats()["requests"], before["requests"])
        running.send(signal.SIGTERM)
        running.finish()
        self.forget_metadata()
        running = self.started("tcp")
        asked = self.edge.stats()
        self.assertEqual(asked["metadata"], before["metadata"] + 1)
        self.assertEqual(asked["token_checks"], before["token_checks"])
        self.assert_echo(self.connect(int(self.places(running)[0].rsplit(":", 1)[1])))
        self.assertEqual(self.edge.stats()["metadata"], asked["metadata"])

    def test_manager_waits_for_the_trial(self):
        self.forget_metadata()
        gate = Gate(int(self.home.variables["MAYFLY_CONNECT_TO"].rsplit(":", 1)[1]))
        self.addCleanup(gate.stop)
        manager, variables = self.manager()
        running = self.home.start("tcp", "--hostname", HOST, *URL,
                                  env={**variables, "MAYFLY_CONNECT_TO": f":443:127.0.0.1:{gate.port}"})
        self.places(running)
        self.assertTrue(gate.waiting.wait(GENEROUS))
        manager.setblocking(False)
        self.assertRaises(BlockingIOError, manager.recv, 1000)
        gate.opened.set()
        manager.settimeout(GENEROUS)
        self.assertIn(b"READY=1", manager.recv(1000).split(b"\n"))
        self.assertFalse(running.has_ended())

    def test_network_that_fails(self):
        for kind in KINDS:
            with self.subTest(kind):
                if os.path.exists(self.home.file("echo.example.com-app")):
                    self.forget_metadata()
                self.assert_said(kind, "cannot reach echo.example.com: connection refused", env=NOWHERE)
