"""nginx judges our client certificates: as TLS terminator in front of a WebSocket echo."""
from harness.authority import Authority
from harness.case import REFUSED, EdgeCase
from harness.nginx import Nginx

HOST = "echo.example.com"
TEXT = b"through nginx"


class BehindNginx(EdgeCase):
    verify = "on"

    @classmethod
    def setUpClass(cls):
        cls.ca = ca = Authority()
        cls.addClassCleanup(ca.remove)
        for name in ("root", "other"):
            ca.root(name)
        ca.device("device", "root")
        ca.device("stranger", "other")
        ca.intermediate("inter", "root")
        ca.device("leaf", "inter")
        ca.write("chain.pem", ca.read("leaf.pem") + ca.read("inter.pem"))

    def setUp(self):
        super().setUp()
        # Access is not asked for anything here: nginx alone decides.
        self.edge.application("echo", policy="none")
        self.nginx = Nginx(
            self.edge, HOST, f"https://127.0.0.1:{self.edge.port}",
            server=f"ssl_client_certificate {self.ca.path('root.pem')}; ssl_verify_client {self.verify}; "
                   "ssl_verify_depth 3;",
            location="if ($ssl_client_verify != SUCCESS) { return 403; }",
            log_format="$ssl_client_verify|$ssl_client_s_dn|$status|$ssl_session_reused")
        self.addCleanup(self.nginx.stop)
        self.home.variables["MAYFLY_CONNECT_TO"] = self.nginx.connect_to

    def seen(self):
        """(verdict, subject, status, whether the session was resumed) of each request."""
        return [tuple(line.split("|")) for line in self.nginx.seen()]

    def tunnel(self, *flags):
        return self.home.start("ssh", "--batch", "--hostname", HOST, *flags, stdin=-1)

    def assert_passes(self, *flags):
        running = self.tunnel(*flags)
        running.write(TEXT)
        self.assertEqual(running.wait_out(len(TEXT)), TEXT)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())

    def assert_refused(self, *flags, words):
        running = self.tunnel(*flags)
        running.close_stdin()
        self.assert_error(running.finish(), REFUSED, HOST, "CN=root", *words)

    def test_valid_certificate(self):
        self.assert_passes(*self.ca.flags("device"))
        verdict, subject, status, resumed = self.seen()[-1]
        self.assertEqual((verdict, status, resumed), ("SUCCESS", "101", "."))
        self.assertIn("CN=device", subject)

    def test_each_connection_presents_it(self):
        for _ in range(2):
            self.assert_passes(*self.ca.flags("device"))
        upgrades = [line for line in self.seen() if line[2] == "101"]
        self.assertEqual([(verdict, resumed) for verdict, _, _, resumed in upgrades],
                         [("SUCCESS", ".")] * 2)

    def test_chain(self):
        key = ("--key", self.ca.path("leaf.key"))
        self.assert_passes("--cert", self.ca.path("chain.pem"), *key)
        self.assertIn("CN=leaf", self.seen()[-1][1])
        self.assert_refused("--cert", self.ca.path("leaf.pem"), *key, words=["CN=leaf", "CN=inter"])

    def test_none(self):
        self.assert_refused(words=["asked for a client certificate", "none was sent", "--cert"])

    def test_of_another_authority(self):
        self.assert_refused(*self.ca.flags("stranger"), words=["CN=stranger", "CN=other", "valid from"])


class BehindNginxThatForbids(BehindNginx):
    """It takes every handshake and answers 403 itself."""
    verify = "optional_no_ca"
