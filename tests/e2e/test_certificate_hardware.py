"""Client certificates whose key is in a PKCS#11 token (SoftHSM), through OpenSSL's engine and through its provider."""
import contextlib
import os
import re
import shutil
import urllib.request

from harness import memory, programs
from harness.case import LOGIN_NEEDED, USAGE
from harness.certificate_case import HOST, CertificateCase
from harness.children import RecordingBrowser
from harness.edge import header
from harness.process import run
from harness.terminal import Terminal
from harness.waiting import GENEROUS

PIN = "4711"

# Debian and others install it here.
SOFTHSM = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
           "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")


def openssl_has(what, variable):
    """Returns whether OpenSSL's directory of engines, or of providers ("modules"), has one for PKCS#11."""
    told = run([programs.system("openssl"), "info", f"-{what}dir"], env={"PATH": "/usr/bin:/bin"})
    folder = os.environ.get(variable) or told.out.decode().strip()
    return os.path.exists(os.path.join(folder, "pkcs11.so"))


class TokenCase(CertificateCase):
    """A PKCS#11 token `robots`. Its key pair `sensor` was made there, for a certificate with the name device."""

    way = {}  # variables that leave OpenSSL one way to the PKCS#11 token

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
        cls.on_token("softhsm2-util", "--init-token", "--free", "--label", "robots", "--pin", PIN,
                     "--so-pin", PIN)
        cls.tool("--keypairgen", "--key-type", "rsa:2048", "--id", "01", "--label", "sensor")
        cls.tool("--read-object", "--type", "pubkey", "--id", "01", "-o", ca.path("sensor.der"))
        ca.openssl("pkey", "-pubin", "-inform", "der", "-in", "sensor.der", "-out", "sensor.pub")
        # The key of the request does not matter, because the public key of the token replaces it here.
        ca.openssl("x509", "-req", "-in", "device.csr", "-CA", "root.pem", "-CAkey", "root.key",
                   "-set_serial", "77", "-force_pubkey", "sensor.pub", "-days", "5", "-out", "sensor.pem")
        ca.openssl("x509", "-in", "sensor.pem", "-outform", "der", "-out", "sensor.crt")
        cls.tool("--write-object", ca.path("sensor.crt"), "--type", "cert", "--id", "01", "--label", "sensor")
        cls.bare_uri = "pkcs11:token=robots;object=sensor"
        cls.uri = f"{cls.bare_uri}?module-path={cls.module}"

    @classmethod
    def on_token(cls, *command, accept=(0,)):
        result = run([programs.system(command[0]), *command[1:]], env=cls.token_env)
        assert result.code in accept, result
        return result

    @classmethod
    def tool(cls, *arguments, **more):
        return cls.on_token("pkcs11-tool", "--module", cls.module, "--login", "--pin", PIN, *arguments,
                            **more)

    def setUp(self):
        if not hasattr(self, "uri"):
            self.skipTest("softhsm2 or opensc is not installed: run tools/install-packages")
        super().setUp()
        self.home.variables.update(SOFTHSM2_CONF=self.token_env["SOFTHSM2_CONF"], **self.way)
        self.pin = ("--cert-password-file", self.ca.write("pin", PIN + "\n"))
        self.protect(session_duration="no_duration")


class OnTheToken:
    """Tests for each way that OpenSSL takes."""

    def test_key_and_certificate(self):
        flags = ("--cert", self.uri, *self.pin)
        self.assert_done(self.login(*flags))
        self.tunnel(*flags)
        self.assert_presents("CN=device")

    def test_certificate_in_a_file(self):
        self.tunnel("--cert", self.ca.path("sensor.pem"), "--key", self.uri, *self.pin)
        self.assert_presents("CN=device")

    def test_pin_in_a_file_that_the_uri_names(self):
        path = self.ca.write("pin-alone", PIN)
        flags = ("--cert", f"{self.uri}&pin-source=file:{path}")
        os.chmod(path, 0o640)
        self.assert_error(self.login(*flags), USAGE, "others can read its PIN", "chmod 600 " + path)
        os.chmod(path, 0o600)
        self.assert_done(self.login(*flags))
        self.assert_presents("CN=device")

    def test_pin_in_the_uri(self):
        self.assert_done(self.login("--cert", f"{self.uri}&pin-value={PIN}"))
        self.assert_presents("CN=device")

    def test_pin_is_in_no_argument_or_environment(self):
        """The PIN appears neither in /proc for a listener and its children, nor in the arguments and the environment of
        a browser."""
        with_pin = f"{self.uri}&pin-value={PIN}"
        for flags, env in ((("--cert", with_pin), {}), (("--cert=" + with_pin,), {}), ((), {"MAYFLY_CERT": with_pin})):
            with self.subTest((flags, env)):
                self.fresh()
                self.home.variables.update(SOFTHSM2_CONF=self.token_env["SOFTHSM2_CONF"], **self.way)
                self.protect(policy="certificate+identity")
                browser = RecordingBrowser(self.home, certificate=(self.ca.path("device.pem"), self.ca.path("device.key")))
                running = self.home.start("http", "--hostname", HOST, "--url", "127.0.0.1:0", *flags, "-v", env=env)
                address = running.wait_err(r"127\.0\.0\.1:\d+").group()
                with urllib.request.urlopen(f"http://{address}/", timeout=GENEROUS) as answer:
                    answer.read()
                self.assertNotIn(f"pin-value={PIN}", browser.everything())
                for pid in (running.pid, *memory.children_of(running.pid)):
                    for name in ("cmdline", "environ"):
                        with contextlib.suppress(PermissionError), open(f"/proc/{pid}/{name}", "rb") as file:
                            self.assertNotIn(f"pin-value={PIN}".encode(), file.read())
                running.kill()

    def test_behind_a_local_address(self):
        self.protect(session_duration="no_duration")
        running = self.home.start("http", "--hostname", HOST, "--url", "127.0.0.1:0", "--cert", self.uri,
                                  *self.pin, "-v")
        address = running.wait_err(r"127\.0\.0\.1:\d+").group()
        with urllib.request.urlopen(f"http://{address}/", timeout=GENEROUS) as answer:
            self.assertEqual(answer.read(), b"hello from echo, device\n")
        self.assertRegex(running.err, "not confined.*(PKCS#11|sanitizer|valgrind)")

    def test_pin_typed_at_the_terminal(self):
        terminal = Terminal([programs.mayfly(), "login", "-q", "--cert", self.uri, HOST],
                            env=self.home.environment())
        self.addCleanup(terminal.end)
        terminal.wait_for(f"PIN of {re.escape(self.uri.split('?')[0])}: $")
        terminal.type(PIN + "\n")
        self.assertEqual(terminal.finish(), 0, terminal.text)
        self.assertNotIn(PIN, terminal.text)

    def test_pin_is_never_asked_for_in_batch(self):
        self.assert_no_connection(self.login("--cert", self.uri), "--batch", code=LOGIN_NEEDED)

    def test_wrong_pin_and_wrong_object(self):
        wrong = self.ca.write("wrong", "0815\n")
        result = self.login("--cert", self.ca.path("sensor.pem"), "--key", self.uri,
                            "--cert-password-file", wrong)
        self.assert_no_connection(result, "pkcs11:token=robots;object=sensor")
        self.assertNotIn("0815", result.err)
        gone = self.uri.replace("object=sensor", "object=gone")
        self.assert_no_connection(self.login("--cert", gone, *self.pin), "object=gone")

    def test_key_stays_on_the_token(self):
        before = self.home.snapshot([".cloudflared"])
        self.tunnel("--cert", self.uri, *self.pin)
        self.assert_unchanged(before, besides=[".cloudflared", "-app", "-jwks"])
        listed = self.tool("--list-objects", "--type", "privkey").out.decode()
        self.assertRegex(listed, r"Access: +sensitive, always sensitive, never extract?able, local")
        # Some versions of pkcs11-tool print an error and still exit with 0.
        leaving = self.tool("--read-object", "--type", "privkey", "--id", "01", accept=range(256))
        self.assertEqual(leaving.out, b"")


class ByEngine(OnTheToken, TokenCase):
    """libengine-pkcs11-openssl."""

    def setUp(self):
        if not openssl_has("engines", "OPENSSL_ENGINES"):
            self.skipTest("libengine-pkcs11-openssl is not installed: run tools/install-packages")
        super().setUp()

    def test_with_curl(self):
        """curl itself signs with the key. The PIN is on no command line, and the module is in no URI."""
        told = os.path.join(self.home.path, "told")
        self.home.script("curl", f"""printf '%s\\n' "$@" > {told}
printf '%s' "$MAYFLY_CERT" > {told}-environment
exec {programs.system("curl")} "$@"
""")
        with_pin = f"{self.uri}&pin-value={PIN}"
        for flags, env in ((("--cert", self.uri, *self.pin), {}), (self.pin, {"MAYFLY_CERT": self.uri}),
                           (("--cert", self.ca.path("sensor.pem"), "--key", self.uri, *self.pin), {}),
                           (("--cert", with_pin), {}), ((), {"MAYFLY_CERT": with_pin})):
            with self.subTest(flags):
                page = self.home.mayfly("curl", "-sS", *flags, f"https://{HOST}/", env=env)
                self.assertIn(b"hello from echo, device", self.assert_done(page).out)
                last = self.requests()[-1]
                self.assertTrue(header(last, "User-Agent")[0].startswith("curl/"), last)
                self.assertIn("CN=device", last["tls"]["certificate"])
                with open(told, encoding="utf-8") as file:
                    words = file.read()
                self.assertNotIn(PIN, words)
                self.assertIn(self.bare_uri, words)
                self.assertNotIn("module-path", words)
                with open(told + "-environment", encoding="utf-8") as file:
                    self.assertNotIn(PIN, file.read())


class ByProvider(OnTheToken, TokenCase):
    """pkcs11-provider, without an engine."""

    way = {"OPENSSL_ENGINES": "/nonexistent"}

    def setUp(self):
        if not openssl_has("modules", "OPENSSL_MODULES"):
            self.skipTest("pkcs11-provider is not installed")
        if folder := os.environ.get("OPENSSL_MODULES"):
            self.way = {**self.way, "OPENSSL_MODULES": folder}
        super().setUp()


class ByNeither(TokenCase):
    # OpenSSL 3.0 leaks what it allocated for an engine that it cannot load.
    way = {"OPENSSL_ENGINES": "/nonexistent", "OPENSSL_MODULES": "/nonexistent", "ASAN_OPTIONS": "detect_leaks=0"}

    def test_packages_are_named(self):
        result = self.login("--cert", self.uri, *self.pin)
        self.assert_no_connection(result, "libengine-pkcs11-openssl", "pkcs11-provider", code=USAGE)
