"""A server whose certificate is not valid now: mayfly sends it nothing and believes nothing that it says."""
import os
import shutil
import socket

from harness import programs
from harness.authority import Authority
from harness.case import NETWORK, EdgeCase
from harness.origin import Proxy
from harness.recorder import Recorder
from harness.waiting import GENEROUS, eventually

HOST = "echo.example.com"
MARK = "s3cret-of-this-test"
ID = "0123456789abcdef0123456789abcdef.access"


class Unverified(EdgeCase):
    """The server is Python's ssl, which asks every client for a certificate."""

    @classmethod
    def setUpClass(cls):
        cls.ca = ca = Authority()
        cls.addClassCleanup(ca.remove)
        ca.root("root")
        ca.device("device", "root")
        ca.server("ended", "root", f"DNS:{HOST}", (-20, -1))
        ca.server("early", "root", f"DNS:{HOST}", (1, 20))

    def setUp(self):
        super().setUp()
        self.trusted = self.ca.write("trusted.pem", self.ca.read("root.pem") + open(self.edge.ca, encoding="ascii").read())
        self.home.variables["SSL_CERT_FILE"] = self.trusted
        self.home.variables["PATH"] = os.path.dirname(programs.system("curl")) + ":" + self.home.bin
        self.secret = self.home.plant("../secret", MARK + "\n")

    def lead_to(self, name):
        """From now on the application is at a server with that certificate; everything else stays as it is."""
        recorder = Recorder(self.ca.path(name + ".pem"), self.ca.path(name + ".key"), self.ca.path("root.pem"))
        self.addCleanup(recorder.stop)
        self.home.variables["MAYFLY_CONNECT_TO"] = f"{HOST}:443:127.0.0.1:{recorder.port}," + self.edge.connect_to
        return recorder

    def know(self):
        """Stores metadata and token of the application, so that a tunnel sends no other request first."""
        self.home.variables["MAYFLY_CONNECT_TO"] = self.edge.connect_to
        self.home.plant_token("echo")
        self.assert_done(self.home.mayfly("login", "--batch", "-q", HOST))

    def assert_told_nothing(self, recorder, command):
        eventually("it was met", lambda: recorder.hellos > 0)
        self.assertEqual((recorder.received, recorder.shown), (b"", []), command)

    def commands(self):
        identity = (*self.ca.flags("device"), "--service-token-id", ID, "--service-token-secret-file", self.secret)
        url = f"https://{HOST}/{MARK}?{MARK}=1"
        yield ("login", "--batch", *identity, url)
        yield ("login", "--batch", url)
        yield ("token", *identity, url)
        yield ("ssh-gen", "--batch", "--hostname", HOST, *identity)
        yield ("ssh", "--batch", "--hostname", HOST, *identity, "-H", f"X-Mine: {MARK}")
        yield ("ssh", "--batch", "--hostname", HOST)
        yield ("curl", "-sS", "--batch", *identity, url)
        yield ("curl", "-sS", "--batch", "-ar", url)

    def test_every_command(self):
        for name, words in (("ended", "expired on 20"), ("early", "is not valid before 20")):
            for command in self.commands():
                with self.subTest(certificate=name, command=command):
                    self.know()
                    if command[0] == "token":
                        shutil.rmtree(self.home.state)  # With a certificate on disk, the command would need no server.
                        self.home.plant("../secret", MARK + "\n")
                    recorder = self.lead_to(name)
                    result = self.home.mayfly(*command)
                    self.assert_told_nothing(recorder, command)
                    if command[0] == "curl":
                        # curl has the stored token or the service token, and makes the first request itself.
                        self.assertEqual(result.code, 60, result)  # CURLE_PEER_FAILED_VERIFICATION
                        self.assertIn("certificate", result.err)
                        continue
                    self.assert_error(result, NETWORK, words, "this computer's clock says 20",
                                      f"run: mayfly doctor {HOST}")
                    self.assertNotIn("set this computer's clock", result.err)

    def test_every_listener(self):
        for kind in ("tcp", "http", "socks"):
            for by_proxy in (False, True):
                with self.subTest(kind=kind, by_proxy=by_proxy):
                    self.know()
                    recorder = self.lead_to("ended")
                    flags = ()
                    if by_proxy:
                        proxy = Leading(recorder.port)
                        self.addCleanup(proxy.stop)
                        flags = ("--proxy", f"http://127.0.0.1:{proxy.port}")
                    running = self.home.start(kind, "--hostname", HOST, "--url", "127.0.0.1:0",
                                              *self.ca.flags("device"), *flags)
                    port = int(running.wait_err(r"host=127\.0\.0\.1:(\d+)").group(1))
                    with socket.create_connection(("127.0.0.1", port), GENEROUS) as connection:
                        connection.sendall(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x01" if kind == "socks" else
                                           f"GET /{MARK} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                        running.wait_err(f"cannot trust {HOST}: its certificate .* expired on 20")
                    self.assert_told_nothing(recorder, kind)
                    running.kill()

    def test_doctor(self):
        """Another server, which has proved its identity, tells the time."""
        for name, words in (("ended", "expired on 20"), ("early", "is not valid before 20")):
            with self.subTest(name):
                recorder = self.lead_to(name)
                result = self.home.mayfly("doctor", "--hostname", f"{HOST}/{MARK}?{MARK}=1", *self.ca.flags("device"),
                                          "--service-token-id", ID, "--service-token-secret-file", self.secret)
                self.assert_told_nothing(recorder, "doctor")
                self.assertEqual(result.code, NETWORK, result)
                text = result.out.decode()
                self.assertIn(words, text)
                self.assertIn("this computer's clock is right: the server's administrator has to re", text)
                self.assertRegex(text, r"ok +clock .* agrees with that of login\.cloudflareaccess\.org")

    def test_doctor_where_the_clock_is_wrong(self):
        recorder = self.lead_to("early")
        self.edge.configure(date_skew=86400)
        result = self.home.mayfly("doctor", "--hostname", HOST)
        self.assert_told_nothing(recorder, "doctor")
        text = result.out.decode()
        self.assertIn("this computer's clock is 1 d behind that of login.cloudflareaccess.org: compare it", text)
        self.assertNotIn("renew", text)

    def test_doctor_without_any_valid_server(self):
        """If all certificates are expired, a server in between is as likely as a wrong clock."""
        recorder = self.lead_to("ended")
        self.edge.configure(date_skew=86400)
        self.edge.fault("tls.expired")
        result = self.home.mayfly("doctor", "--hostname", HOST)
        self.assert_told_nothing(recorder, "doctor")
        text = result.out.decode()
        self.assertRegex(text, "failed +clock .*the certificates of echo.example.com, login.cloudflareaccess.org are not")
        self.assertIn("compare this computer's clock with another source", text)
        self.assertNotIn("1 d", text)
        self.assertNotIn("mayfly doctor", text)
        self.assertEqual(self.edge.log(), [])


class Leading(Proxy):
    """A proxy that leads every CONNECT to one port."""

    def __init__(self, port):
        self.target = f"127.0.0.1:{port}"
        super().__init__()

    def _tunnel(self, connection, target):
        super()._tunnel(connection, self.target)
