"""nginx judges our client certificates, as TLS terminator in front of a WebSocket echo."""
import os

from harness import programs
from harness.authority import Authority
from harness.case import REFUSED, EdgeCase
from harness.certificate_case import Listener
from harness.nginx import Nginx
from harness.process import run
from harness.waiting import eventually

HOST = "echo.example.com"
TEXT = b"through nginx"


class BehindNginx(EdgeCase):
    """TLS 1.3, in which the server refuses a client certificate after the client has finished its handshake."""
    verify, protocol = "on", "TLSv1.3"

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
        # Access decides nothing here; nginx alone decides.
        self.edge.application("echo", policy="none")
        self.nginx = Nginx(
            self.edge, HOST, f"https://127.0.0.1:{self.edge.port}",
            server=f"ssl_client_certificate {self.ca.path('root.pem')}; ssl_verify_client {self.verify}; "
                   f"ssl_verify_depth 3; ssl_protocols {self.protocol};",
            location="if ($ssl_client_verify != SUCCESS) { return 403; }",
            log_format="$ssl_client_verify|$ssl_client_s_dn|$status|$ssl_session_reused|$ssl_protocol")
        self.addCleanup(self.nginx.stop)
        self.home.variables["MAYFLY_CONNECT_TO"] = self.nginx.connect_to

    def seen(self):
        """Returns (verdict, subject, status, whether the session was resumed, TLS version) for each request."""
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
        verdict, subject, status, resumed, version = self.seen()[-1]
        self.assertEqual((verdict, status, resumed, version), ("SUCCESS", "101", ".", self.protocol))
        self.assertIn("CN=device", subject)

    def test_each_connection_presents_the_certificate(self):
        for _ in range(2):
            self.assert_passes(*self.ca.flags("device"))
        upgrades = [line for line in self.seen() if line[2] == "101"]
        self.assertEqual([(verdict, resumed) for verdict, _, _, resumed, _ in upgrades],
                         [("SUCCESS", ".")] * 2)

    def test_chain(self):
        key = ("--key", self.ca.path("leaf.key"))
        self.assert_passes("--cert", self.ca.path("chain.pem"), *key)
        self.assertIn("CN=leaf", self.seen()[-1][1])
        self.assert_refused("--cert", self.ca.path("leaf.pem"), *key, words=["CN=leaf", "CN=inter"])

    def test_without_a_certificate(self):
        self.assert_refused(words=["asked for a client certificate", "none was sent", "--cert"])

    def test_of_another_authority(self):
        self.assert_refused(*self.ca.flags("stranger"), words=["CN=stranger", "CN=other", "valid from"])


    def test_renewed_on_disk_while_a_listener_runs(self):
        """Leaf, key and chain are renewed, and the next connection presents the new ones."""
        for name in ("before", "after"):
            self.ca.device(name, "inter")

        def issue(name):
            return self.ca.write("renewed.pem", self.ca.read(name + ".key") +
                                 self.ca.read(name + ".pem") + self.ca.read("inter.pem"))
        listener = Listener(self, "--batch", "--cert", issue("before"))
        listener.exchange()
        issue("after")
        listener.exchange()
        # nginx logs a tunnel when it has ended.
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})

        def passed():
            return [subject for verdict, subject, status, *_ in self.seen()
                    if (verdict, status) == ("SUCCESS", "101")]
        eventually("both tunnels have ended", lambda: len(passed()) == 2)
        for name in ("before", "after"):
            self.assertTrue(any("CN=" + name in subject for subject in passed()), passed())

    def test_curl_is_judged_alike(self):
        """nginx accepts and refuses the same certificates from curl."""
        for flags, passes in ((self.ca.flags("device"), True), ((), False),
                              (self.ca.flags("stranger"), False)):
            page = run([programs.system("curl"), "-sS", "-o", os.devnull, "-w", "%{http_code}", "--cacert",
                        self.edge.ca, "--connect-to", self.nginx.connect_to, *flags, f"https://{HOST}/"],
                       env=self.home.environment())
            self.assertEqual(page.out.decode() == "200", passes, page)


class BehindNginxWithTls12(BehindNginx):
    """TLS 1.2, in which the certificate and its refusal are part of the handshake."""
    protocol = "TLSv1.2"


class BehindNginxThatForbids(BehindNginx):
    """nginx accepts every handshake and answers with 403 itself."""
    verify = "optional_no_ca"
