"""Client certificates whose key is on a PKCS#11 token and never leaves it."""
import os
import shutil
import urllib.request

from harness import programs
from harness.case import LOGIN_NEEDED
from harness.certificate_case import HOST, CertificateCase
from harness.process import run
from harness.terminal import Terminal
from harness.waiting import GENEROUS


SOFTHSM = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
           "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")


class HardwareToken(CertificateCase):
    """A SoftHSM token `robots`, PIN 4711; its key pair `sensor` was made there and never leaves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.module = next(filter(os.path.exists, SOFTHSM), None)
        if cls.module and shutil.which("softhsm2-util") and shutil.which("pkcs11-tool"):
            cls.make_token()

    @classmethod
    def make_token(cls):
        ca = cls.ca
        os.mkdir(ca.path("tokens"))
        ca.write("softhsm.conf", f"directories.tokendir = {ca.path('tokens')}\n")
        cls.token_env = {"SOFTHSM2_CONF": ca.path("softhsm.conf"), "PATH": "/usr/bin:/bin"}
        cls.on_token("softhsm2-util", "--init-token", "--free", "--label", "robots", "--pin", "4711",
                     "--so-pin", "4711")
        login = ("pkcs11-tool", "--module", cls.module, "--login", "--pin", "4711")
        cls.on_token(*login, "--keypairgen", "--key-type", "rsa:2048", "--id", "01", "--label", "sensor")
        cls.on_token(*login, "--read-object", "--type", "pubkey", "--id", "01", "-o", ca.path("sensor.der"))
        ca.openssl("pkey", "-pubin", "-inform", "der", "-in", "sensor.der", "-out", "sensor.pub")
        # Whose request it is does not matter, since the key is put in here.
        ca.openssl("x509", "-req", "-in", "device.csr", "-CA", "root.pem", "-CAkey", "root.key",
                   "-set_serial", "77", "-force_pubkey", "sensor.pub", "-days", "5", "-out", "sensor.pem")
        ca.openssl("x509", "-in", "sensor.pem", "-outform", "der", "-out", "sensor.crt")
        cls.on_token(*login, "--write-object", ca.path("sensor.crt"), "--type", "cert", "--id", "01",
                     "--label", "sensor")
        cls.uri = f"pkcs11:token=robots;object=sensor?module-path={cls.module}"

    @classmethod
    def on_token(cls, *command):
        result = run([programs.system(command[0]), *command[1:]], env=cls.token_env)
        assert result.code == 0, result

    def setUp(self):
        if not hasattr(self, "uri"):
            self.skipTest("softhsm2 or opensc is not installed: run tools/install-packages")
        super().setUp()
        self.home.variables["SOFTHSM2_CONF"] = self.token_env["SOFTHSM2_CONF"]
        self.pin = self.ca.write("pin", "4711\n")

    def test_key_and_certificate_on_the_token(self):
        self.protect(session_duration="no_duration")
        flags = ("--cert", self.uri, "--cert-password-file", self.pin)
        self.assert_done(self.login(*flags))
        self.tunnel(*flags)
        self.assert_presents("CN=device")

    def test_certificate_in_a_file(self):
        self.tunnel("--cert", self.ca.path("sensor.pem"), "--key", self.uri, "--cert-password-file", self.pin)
        self.assert_presents("CN=device")

    def test_behind_a_local_address(self):
        self.protect(session_duration="no_duration")
        running = self.home.start("http", "--hostname", HOST, "--url", "127.0.0.1:0", "--cert", self.uri,
                                  "--cert-password-file", self.pin)
        address = running.wait_err(r"127\.0\.0\.1:\d+").group()
        with urllib.request.urlopen(f"http://{address}/", timeout=GENEROUS) as answer:
            self.assertEqual(answer.read(), b"hello from echo, device\n")

    def test_pin_typed_at_the_terminal(self):
        terminal = Terminal([programs.mayfly(), "login", "-q", "--cert", self.uri, HOST],
                            env=self.home.environment())
        self.addCleanup(terminal.end)
        terminal.wait_for(r"PIN")
        terminal.type("4711\n")
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assertNotIn("4711", terminal.text)

    def test_pin_is_never_asked_for_in_batch(self):
        self.assert_no_connection(self.login("--cert", self.uri), "--batch", code=LOGIN_NEEDED)
