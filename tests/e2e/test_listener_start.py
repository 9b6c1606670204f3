"""A listener tries its application once when it starts, says what will not work, and is ready after that."""
import os
import signal
import socket
import time

from harness.case import NOWHERE
from harness.listener import ListenerCase
from harness.waiting import GENEROUS

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
                    self.assert_said(kind, "access to echo.example.com refused: the service token was not accepted",
                                     env={"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": WRONG})

    def test_right_secret(self):
        self.edge.application("echo", service_tokens=[{"id": ID, "secret": SECRET}])
        for strict in (False, True):
            self.edge.strict(strict)
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

    def test_token_that_is_refused(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.assert_said("tcp", "a login to echo.example.com is needed")

    def test_first_connection_logs_in_after_the_warning(self):
        self.home.install_browser()
        os.remove(self.home.file(self.home.token_name("echo")))
        running = self.started("tcp")
        self.assertIn("is needed", running.err)
        self.assertEqual(self.home.browsed(), [])
        self.assert_echo(self.connect(int(self.places(running)[0].rsplit(":", 1)[1])))
        self.assertEqual(len(self.home.browsed()), 1)

    def test_trial_costs_one_request(self):
        before = self.edge.stats()
        running = self.started("tcp")
        after = self.edge.stats()
        self.assertEqual(after["requests"], before["requests"] + 1)
        self.assertEqual(after["token_checks"], before["token_checks"] + 1)
        # Without a record, the question of the first connection is asked at the start instead.
        running.send(signal.SIGTERM)
        running.finish()
        os.remove(self.home.file("echo.example.com-app"))
        running = self.started("tcp")
        asked = self.edge.stats()
        self.assertEqual(asked["metadata"], after["metadata"] + 1)
        self.assertEqual(asked["token_checks"], after["token_checks"])
        self.assert_echo(self.connect(int(self.places(running)[0].rsplit(":", 1)[1])))
        self.assertEqual(self.edge.stats()["metadata"], asked["metadata"])
