"""Client certificates: the validation workflow, session durations, files, passwords, tokens, ssh."""
import os
import re
import shutil
import socket

from harness import programs
from harness.authority import Authority
from harness.case import LOGIN_NEEDED, REFUSED, USAGE, EdgeCase
from harness.edge import EMAIL, USER, claims, header
from harness.sshd import Sshd, client_config
from harness.process import Running, run
from harness.terminal import Terminal

HOST = "echo.example.com"
WEB = "web.example.com"
PASSWORD = "correct horse battery staple"


class CertificateCase(EdgeCase):
    """root signs `device` and `inter`, which signs `leaf`; `other` signs `stranger`."""

    @classmethod
    def setUpClass(cls):
        cls.ca = ca = Authority()
        cls.addClassCleanup(ca.remove)
        for name in ("root", "other"):
            ca.root(name)
        ca.device("device", "root")

    def setUp(self):
        super().setUp()
        self.protect()
        self.certificate = self.ca.flags("device")

    def protect(self, **more):
        for name in ("echo", "web"):
            self.edge.application(name, **{"policy": "certificate",
                                           "client_ca": self.ca.read("root.pem"), **more})

    def login(self, *flags, **more):
        return self.home.mayfly("login", "--batch", "--no-verbose", *flags, HOST, **more)

    def tunnel(self, *flags, text=b"through the tunnel", **more):
        """What came back over the echo of the edge."""
        running = self.home.start("ssh", "--hostname", HOST, *flags, stdin=-1, **more)
        running.write(text)
        self.assertEqual(running.wait_out(len(text)), text)
        running.close_stdin()
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        return self.assert_done(running.finish())

    def requests(self, host=HOST):
        return self.edge.log(host)

    def presented(self, host=HOST):
        """The subject of the client certificate of each request; None where there was none."""
        return [entry["tls"]["certificate"] for entry in self.requests(host)]

    def assert_presents(self, name, host=HOST):
        shown = self.presented(host)
        self.assertTrue(shown and all(name in (one or "") for one in shown), shown)

    def assert_no_connection(self, result, *words, code=USAGE):
        self.assert_error(result, code, *words)
        self.assertEqual(self.edge.stats()["tls_connections"], 0)

    def curl_path(self):
        return {"PATH": os.path.dirname(programs.system("curl")) + ":" + self.home.bin}


class ValidationWorkflow(CertificateCase):
    def test_edge_asks_and_a_valid_certificate_earns_a_token(self):
        token = self.assert_done(self.login(*self.certificate)).out.decode()
        self.assertEqual(claims(token)["common_name"], "device")
        self.assert_presents("CN=device")
        self.assertEqual({e["tls"]["certificate_check"] for e in self.requests()}, {"ok"})
        self.assertEqual(self.home.text(self.home.token_name("echo")), token)
        self.assertEqual(self.home.browsed(), [])

    def test_token_allows_subsequent_requests_of_all_commands(self):
        token = self.assert_done(self.login(*self.certificate)).out.decode()
        self.edge.ask("DELETE", "/log")
        self.edge.ask("DELETE", "/stats")
        self.tunnel()
        self.tunnel(*self.certificate)
        shown = self.assert_done(self.home.mayfly("token", HOST)).out.decode()
        self.assertEqual(shown, token)
        page = self.home.mayfly("curl", "-s", f"https://{HOST}/", env=self.curl_path())
        self.assertIn(b"device", self.assert_done(page).out)
        self.assertEqual(self.edge.stats()["certificate_logins"], 0)
        for entry in self.edge.upgrades(HOST):
            self.assertEqual(header(entry, "Cf-Access-Token"), [token])

    def test_token_that_a_tunnel_earned_is_kept_too(self):
        self.tunnel(*self.certificate)
        token = self.home.text(self.home.token_name("echo"))
        self.assertEqual(self.assert_done(self.login()).out.decode(), token)

    def test_no_certificate(self):
        self.home.install_browser()
        for command in (("login", HOST), ("ssh", "--hostname", HOST),
                        ("ssh-gen", "--hostname", HOST), ("curl", f"https://{HOST}/")):
            for batch in ([], ["--batch"]):
                with self.subTest(command=command, batch=batch):
                    result = self.home.mayfly(command[0], *batch, *command[1:])
                    self.assert_error(result, REFUSED, HOST, "asked for a client certificate",
                                      "CN=root", "none was sent", "--cert", "403")
        self.assertEqual(self.home.browsed(), [])

    def refused(self, flags, *words):
        for command in (("login", "--batch", HOST), ("ssh", "--hostname", HOST),
                        ("ssh-gen", "--hostname", HOST)):
            with self.subTest(command=command):
                result = self.home.mayfly(*command, *flags)
                self.assert_error(result, REFUSED, HOST, "403", "valid from", "asked for", "CN=root",
                                  *words)
        self.assertFalse([f for f in self.home.files() if f.endswith("-token")])

    def test_untrusted(self):
        self.ca.device("stranger", "other")
        self.refused(self.ca.flags("stranger"), "CN=stranger", 'issued by "CN=other')

    def test_wrong_common_name(self):
        self.protect(common_names=["somebody-else"])
        self.refused(self.certificate, "CN=device", "CN=root")
        self.protect(common_names=["device"])
        self.assert_done(self.login(*self.certificate))

    def test_tunnel_with_a_token_where_each_connection_needs_the_certificate(self):
        self.protect(certificate_use="always")
        self.assert_done(self.login(*self.certificate))
        self.tunnel(*self.certificate)
        result = self.home.mayfly("ssh", "--hostname", HOST)
        self.assert_error(result, REFUSED, "none was sent", "CN=root", "--cert")
        self.ca.device("stranger", "other")
        result = self.home.mayfly("ssh", "--hostname", HOST, *self.ca.flags("stranger"))
        self.assert_error(result, REFUSED, "CN=stranger", "CN=other", "CN=root", "valid from")

    def test_expired_in_between_is_for_the_edge_to_find(self):
        self.ca.intermediate("ended", "root", days=(-10, -1))
        self.ca.device("orphan", "ended")
        chain = self.ca.write("orphan-chain.pem", self.ca.read("orphan.pem") + self.ca.read("ended.pem"))
        self.refused(("--cert", chain, "--key", self.ca.path("orphan.key")), "CN=orphan", "CN=ended")
        self.assertIn("expired", self.requests()[-1]["tls"]["certificate_check"])

    def test_certificate_and_identity_provider(self):
        self.protect(policy="certificate+identity")
        result = self.home.mayfly("login", "--batch", *self.certificate, HOST)
        self.assert_error(result, LOGIN_NEEDED)
        self.assert_error(self.login(), REFUSED, "none was sent")
        self.assertEqual(self.home.browsed(), [])
        self.home.install_browser(certificate=self.ca.flags("device")[1::2])
        token = self.assert_done(self.home.mayfly("login", "--no-verbose", *self.certificate, HOST))
        self.assertEqual(claims(token.out.decode())["email"], EMAIL)
        self.assertEqual(len(self.home.browsed()), 1)
        self.tunnel(*self.certificate)


class Chains(CertificateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ca.intermediate("inter", "root")
        cls.ca.device("leaf", "inter")
        cls.chain = cls.ca.write("chain.pem", cls.ca.read("leaf.pem") + cls.ca.read("inter.pem"))

    def test_intermediate_is_sent_along(self):
        key = ("--key", self.ca.path("leaf.key"))
        self.assert_done(self.login("--cert", self.chain, *key))
        self.tunnel("--cert", self.chain, *key)
        self.fresh()
        self.protect()
        result = self.login("--cert", self.ca.path("leaf.pem"), *key)
        self.assert_error(result, REFUSED, "CN=leaf", "CN=inter", "CN=root")

    def test_edge_that_has_the_whole_chain(self):
        self.protect(client_ca=self.ca.read("root.pem") + self.ca.read("inter.pem"))
        self.assert_done(self.login(*self.ca.flags("leaf")))

    def test_chain_in_a_pkcs12_file_and_in_one_file_with_the_key(self):
        self.ca.openssl("pkcs12", "-export", "-in", "chain.pem", "-inkey", "leaf.key", "-out",
                        "chain.p12", "-passout", "pass:")
        one = self.ca.write("one.pem", self.ca.read("leaf.key") + self.ca.read("chain.pem"))
        for file in (self.ca.path("chain.p12"), one):
            with self.subTest(file):
                self.fresh()
                self.protect(session_duration="no_duration")
                self.tunnel("--cert", file)
                self.assert_presents("CN=leaf")


class SessionDuration(CertificateCase):
    def test_token_is_valid_for_the_session_duration(self):
        self.protect(session_duration=7200)
        facts = claims(self.assert_done(self.login(*self.certificate)).out.decode())
        self.assertEqual(facts["exp"] - facts["iat"], 7200)

    def test_automated_service_reuses_the_token(self):
        self.assert_done(self.login(*self.certificate))
        token = self.assert_done(self.home.mayfly("token", HOST)).out.decode()
        page = run([programs.system("curl"), "-sS", "--cacert", self.edge.ca, "--connect-to",
                    self.edge.connect_to, "-H", "Cf-Access-Token: " + token, f"https://{HOST}/"],
                   env=self.home.environment())
        self.assertIn(b"hello from echo, device", self.assert_done(page).out)

    def test_ended_session_is_followed_by_a_new_handshake(self):
        ended = self.home.plant_token("echo", expires_in=-60)
        self.tunnel(*self.certificate)
        self.assertNotEqual(self.home.text(self.home.token_name("echo")), ended)
        self.assertGreater(self.edge.stats()["certificate_logins"], 0)

    def test_revoked_session(self):
        self.tunnel(*self.certificate)
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.tunnel(*self.certificate)

    def test_no_duration_login_and_token(self):
        self.protect(session_duration="no_duration")
        result = self.assert_done(self.home.mayfly("login", *self.certificate, HOST))
        self.assertEqual(result.out, b"")
        self.assertIn("issues no token", result.err)
        result = self.home.mayfly("token", *self.certificate, HOST)
        self.assertEqual((result.code, result.out), (LOGIN_NEEDED, b""), result)
        self.assertIn("No Duration", result.err)
        self.assertIn("certificate", result.err)
        self.assertFalse([f for f in self.home.files() if f.endswith("-token")])

    def test_no_duration_makes_a_handshake_for_each_connection(self):
        self.protect(session_duration="no_duration")
        for _ in range(2):
            self.tunnel(*self.certificate)
        self.assert_own_handshakes(2)

    def test_no_duration_behind_a_listener(self):
        self.protect(session_duration="no_duration")
        listener = Listener(self, *self.certificate)
        for _ in range(3):
            listener.exchange()
        self.assert_own_handshakes(3)

    def assert_own_handshakes(self, count):
        upgrades = self.edge.upgrades(HOST)
        self.assertEqual([e["status"] for e in upgrades], [101] * count)
        self.assertEqual(len({e["connection"] for e in upgrades}), count)
        for entry in upgrades:
            self.assertEqual(header(entry, "Cf-Access-Token"), [])
            self.assertIn("CN=device", entry["tls"]["certificate"])
            self.assertFalse(entry["tls"]["resumed"])

    def test_no_duration_with_curl(self):
        self.protect(session_duration="no_duration")
        page = self.home.mayfly("curl", "-s", *self.certificate, f"https://{HOST}/",
                                env=self.curl_path())
        self.assertIn(b"hello from echo, device", self.assert_done(page).out)


class Listener:
    def __init__(self, test, *flags, env=None):
        self.test = test
        self.running = test.home.start("tcp", "--hostname", HOST, "--url", "127.0.0.1:0", *flags,
                                       env=env)
        self.port = int(self.running.wait_err(r"127\.0\.0\.1:(\d+)").group(1))

    def exchange(self, text=b"over there"):
        with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
            connection.sendall(text)
            seen = b""
            while len(seen) < len(text):
                piece = connection.recv(100)
                self.test.assertTrue(piece, self.running.err)
                seen += piece
            self.test.assertEqual(seen, text)


class Renewal(CertificateCase):
    def test_next_connection_of_a_listener_uses_the_new_one(self):
        self.protect(session_duration="no_duration")
        for name in ("before", "after"):
            self.ca.device(name, "root")
        both = {name: self.ca.read(name + ".key") + self.ca.read(name + ".pem")
                for name in ("before", "after")}
        file = self.ca.write("renewed.pem", both["before"])
        listener = Listener(self, "--cert", file)
        listener.exchange()
        self.ca.write("renewed.pem", both["after"])
        listener.exchange()
        self.ca.write("renewed.pem", "half a certi")
        listener.exchange()
        shown = [e["tls"]["certificate"] for e in self.edge.upgrades(HOST)]
        for one, name in zip(shown, ("before", "after", "after"), strict=True):
            self.assertIn("CN=" + name, one)


class Commands(CertificateCase):
    """Every command takes it, from flags and from the environment."""

    def ways(self):
        variables = {"MAYFLY_CERT": self.ca.path("device.pem"), "MAYFLY_KEY": self.ca.path("locked.key"),
                     "MAYFLY_CERT_PASSWORD_FILE": self.password_file}
        flags = ["--cert", variables["MAYFLY_CERT"], "--key", variables["MAYFLY_KEY"],
                 "--cert-password-file", self.password_file]
        for flags, env in ((flags, {}), ([], variables)):
            self.fresh()
            self.protect(session_duration="no_duration")
            yield flags, env

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.password_file = cls.ca.write("password", PASSWORD + "\n")
        cls.ca.openssl("pkcs8", "-topk8", "-in", "device.key", "-out", "locked.key", "-v2", "aes256",
                       "-passout", "file:password")

    def test_login(self):
        for flags, env in self.ways():
            self.assert_done(self.login(*flags, env=env))
            self.assert_presents("CN=device")

    def test_token(self):
        for flags, env in self.ways():
            result = self.home.mayfly("token", *flags, HOST, env=env)
            self.assertEqual((result.code, result.out), (LOGIN_NEEDED, b""), result)
            self.assertIn("No Duration", result.err)
            self.assert_presents("CN=device")

    def test_tunnel(self):
        for flags, env in self.ways():
            self.tunnel(*flags, env=env)
            self.assert_presents("CN=device")

    def test_listener(self):
        for flags, env in self.ways():
            Listener(self, *flags, env=env).exchange()
            self.assert_presents("CN=device")

    def test_curl(self):
        for flags, env in self.ways():
            page = self.home.mayfly("curl", "-sS", *flags, f"https://{HOST}/",
                                    env={**env, **self.curl_path()})
            self.assertIn(b"hello from echo, device", self.assert_done(page).out)
            self.assert_presents("CN=device")

    def test_ssh_gen(self):
        for flags, env in self.ways():
            self.protect(session_duration=3600, certificate={"service_principals": [USER]})
            self.assert_done(self.home.mayfly("ssh-gen", "--hostname", HOST, *flags, env=env))
            self.assert_presents("CN=device")
            self.assertIn(HOST + "-cf_key-cert.pub", self.home.files())


class Formats(CertificateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ca = cls.ca
        cls.password_file = ca.write("password", PASSWORD + "\n")
        locked = ("-passout", "file:password")
        ca.openssl("ec", "-in", "device.key", "-out", "traditional.key", "-aes256", *locked)
        ca.openssl("pkcs8", "-topk8", "-in", "device.key", "-out", "pkcs8.key", "-v2", "aes256", *locked)
        ca.openssl("pkcs12", "-export", "-in", "device.pem", "-inkey", "device.key", "-out",
                   "bundle.der", *locked)
        pem = ("--cert", ca.path("device.pem"), "--key")
        cls.locked = {"traditional": (*pem, ca.path("traditional.key")),
                      "pkcs8": (*pem, ca.path("pkcs8.key")), "pkcs12": ("--cert", ca.path("bundle.der"))}

    def each(self):
        for flags in self.locked.values():
            self.fresh()
            self.protect()
            yield flags

    def test_password_from_a_file(self):
        for flags in self.each():
            self.assert_done(self.login(*flags, "--cert-password-file", self.password_file))
            self.assert_presents("CN=device")

    def test_password_is_never_asked_for_in_batch(self):
        for flags in self.each():
            self.assert_no_connection(self.login(*flags), "--batch", "--cert-password-file",
                                      code=LOGIN_NEEDED)

    def test_wrong_password(self):
        wrong = self.ca.write("wrong", "Tr0ub4dor\n")
        for flags in self.each():
            result = self.login(*flags, "--cert-password-file", wrong)
            self.assert_no_connection(result, "password")
            self.assertNotIn("Tr0ub4dor", result.err)

    def test_password_file_that_others_can_read(self):
        os.chmod(self.ca.write("open", PASSWORD), 0o644)
        self.assert_no_connection(
            self.login(*self.locked["pkcs8"], "--cert-password-file", self.ca.path("open")),
            self.ca.path("open"), "chmod")

    def terminal(self, flags, *command):
        terminal = Terminal([programs.mayfly(), *command, *flags], env=self.home.environment())
        self.addCleanup(terminal.end)
        return terminal

    def test_password_typed_at_the_terminal_is_not_shown(self):
        for flags in self.each():
            terminal = self.terminal(flags, "login", "-q", HOST)
            terminal.wait_for(r"(?i)password")
            self.assertEqual(self.edge.stats()["tls_connections"], 0)
            terminal.type(PASSWORD + "\n")
            self.assertEqual(terminal.finish(), 0, terminal.text)
            self.assertNotIn(PASSWORD, terminal.text)
            self.assertEqual(len(re.findall("Password for", terminal.text)), 1, terminal.text)
            self.assert_presents("CN=device")

    def test_wrong_password_typed(self):
        terminal = self.terminal(self.locked["pkcs8"], "login", "-q", HOST)
        terminal.wait_for(r"(?i)password")
        terminal.type("Tr0ub4dor\n")
        self.assertEqual(terminal.finish(), USAGE, terminal.text)
        self.assertIn("password is wrong", terminal.text)
        self.assertNotIn("Tr0ub4dor", terminal.text)


class BeforeAnyConnection(CertificateCase):
    def test_ended_and_not_begun(self):
        for name, days, word in (("ended", (-20, -1), "expired on"), ("early", (1, 20), "not valid before")):
            self.ca.device(name, "root", days)
            for command in (("login", HOST), ("ssh", "--hostname", HOST), ("ssh-gen", "--hostname", HOST)):
                with self.subTest(name=name, command=command):
                    result = self.home.mayfly(*command, *self.ca.flags(name))
                    self.assert_no_connection(result, "CN=" + name, word)

    def test_key_of_another_certificate(self):
        self.ca.device("twin", "root")
        self.assert_no_connection(self.login("--cert", self.ca.path("device.pem"), "--key",
                                             self.ca.path("twin.key")), "does not belong")

    def test_files_that_are_not_there(self):
        gone = self.ca.path("gone.pem")
        for flags in (("--cert", gone), ("--cert", self.ca.path("device.pem"), "--key", gone)):
            self.assert_no_connection(self.login(*flags), gone, "--cert")
            self.assert_no_connection(self.home.mayfly("ssh", "--hostname", HOST, *flags), gone)

    def test_key_that_others_can_read(self):
        for mode in (0o640, 0o604):
            key = self.ca.write("open.key", self.ca.read("device.key"))
            os.chmod(key, mode)
            self.assert_no_connection(self.login("--cert", self.ca.path("device.pem"), "--key", key),
                                      key, "chmod 600")

    def test_certificate_without_a_key_and_the_reverse(self):
        self.assert_no_connection(self.login("--cert", self.ca.path("device.pem")), "--key")
        self.assert_no_connection(self.login("--key", self.ca.path("device.key")), "--cert")

    def test_files_that_are_something_else(self):
        for content in ("", "hello\n", "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n"):
            with self.subTest(content):
                self.assert_no_connection(self.login("--cert", self.ca.write("else.pem", content)),
                                          self.ca.path("else.pem"))


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


class Ssh(CertificateCase):
    """A certificate-only application: no browser, no prompt."""

    def setUp(self):
        super().setUp()
        self.sshd = Sshd(self.edge.ssh_ca_pub)
        self.addCleanup(self.sshd.stop)
        self.scratch = os.path.join(self.home.path, "scratch")
        os.mkdir(self.scratch)
        self.home.variables["MAYFLY_HOME"] = self.home.state

    def guard(self, **more):
        self.edge.application("ssh", policy="certificate", client_ca=self.ca.read("root.pem"),
                              origin=f"tcp:127.0.0.1:{self.sshd.port}", **more)

    def configure(self, *flags, **more):
        advice = self.assert_done(self.home.mayfly("ssh-config", "--hostname", "ssh.example.com",
                                                   *flags, **more)).out.decode()
        self.block = advice.split(":\n\n", 1)[1]
        self.config = client_config(self.block, "ssh.example.com", self.sshd, self.scratch)

    def ssh(self, *flags):
        env = {**self.home.environment(), "SHELL": "/bin/sh"}
        return Running([programs.system("ssh"), "-F", self.config, *flags, "ssh.example.com", "--",
                        "echo hello"], env=env).finish()

    def test_short_lived_certificate(self):
        self.guard(certificate={"service_principals": [USER]})
        self.configure("--short-lived-cert", *self.ca.flags("device"))
        result = self.assert_done(self.ssh())
        self.assertEqual(result.out, b"hello\n")
        self.sshd.wait_log(rf"Accepted publickey for {re.escape(USER)} .*-CERT ")
        self.assertEqual(self.home.browsed(), [])

    def test_own_key_and_no_duration(self):
        self.guard(session_duration="no_duration")
        key = os.path.join(self.scratch, "own_key")
        self.home.keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
        shutil.copy(key + ".pub", self.sshd.authorized_keys)
        self.configure(*self.ca.flags("device"))
        for _ in range(2):
            self.assertEqual(self.assert_done(self.ssh("-i", key)).out, b"hello\n")

    def test_flags_are_repeated_absolute_and_quoted(self):
        folder = os.path.join(self.home.path, "my files")
        os.mkdir(folder)
        for end in ("pem", "key"):
            shutil.copy(self.ca.path("device." + end), folder)
        self.guard(certificate={"service_principals": [USER]})
        self.configure("--short-lived-cert", "--cert", "device.pem", "--key", "./device.key", cwd=folder)
        match = re.search(r"^Match .*$", self.block, re.M).group()
        proxy = re.search(r"^ *ProxyCommand .*$", self.block, re.M).group()
        for line in (match, proxy):
            for end in ("pem", "key"):
                self.assertIn(folder, line)
                self.assertIn("device." + end, line)
        self.assertEqual(self.assert_done(self.ssh()).out, b"hello\n")

    def test_configured_file_that_is_gone_or_open_to_others(self):
        self.guard(certificate={"service_principals": [USER]})
        key = self.ca.write("moved.key", self.ca.read("device.key"))
        self.configure("--short-lived-cert", "--cert", self.ca.path("device.pem"), "--key", key)
        os.chmod(key, 0o644)
        for words in (("moved.key", "chmod 600"), ("moved.key", "--key")):
            result = self.ssh()
            self.assertEqual(result.code, 255, result)
            for word in ("mayfly: error: ", "hint: ", *words):
                self.assertIn(word, result.err)
            if os.path.exists(key):
                os.unlink(key)


class WithCurl(CertificateCase):
    """The two calls of the manual, with curl and with mayfly curl."""

    def both(self, *arguments):
        common = ["-sS", "--cacert", self.edge.ca, "-w", "%{http_code}", "-o", os.devnull, "-D", "-",
                  *arguments, f"https://{WEB}/"]
        plain = run([programs.system("curl"), "--connect-to", self.edge.connect_to, *common],
                    env=self.home.environment())
        flag = [] if "--cert" in arguments else ["--allow-request"]
        ours = self.home.mayfly("curl", *flag, *common, env=self.curl_path())
        return [(r, r.out.decode()) for r in (plain, ours)]

    def test_without_a_certificate(self):
        for result, text in self.both():
            self.assert_done(result)
            self.assertTrue(text.endswith("403"), result)
            self.assertNotIn("CF_Authorization", text)

    def test_with_one(self):
        (plain, first), (ours, second) = self.both(*self.certificate)
        self.assert_done(plain)
        self.assertRegex(first, r"(?i)set-cookie: CF_Authorization=")
        self.assert_done(ours)
        self.assertTrue(first.endswith("200") and second.endswith("200"), (first, second))
        self.assertIn(self.home.token_name("web"), self.home.files())
