"""Every command takes a client certificate; ssh works with a client certificate alone."""
import os
import re
import shutil

from harness import programs
from harness.case import LOGIN_NEEDED
from harness.certificate_case import HOST, PASSWORD, CertificateCase, Listener
from harness.edge import USER, header
from harness.process import Running
from harness.sshd import Sshd, client_config
from harness.terminal import Terminal



class Commands(CertificateCase):
    """Every command takes the certificate from flags and from the environment."""

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


class Curl(CertificateCase):
    """curl itself presents the certificate in every form, and gets its password in secret."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ca = cls.ca
        cls.password = ("--cert-password-file", ca.write("password", PASSWORD + "\n"))
        locked = ("-passout", "file:password")
        pem = ("--cert", ca.path("device.pem"), "--key")
        ca.openssl("pkcs12", "-export", "-in", "device.pem", "-inkey", "device.key", "-out", "bundle",
                   *locked)
        ca.openssl("pkcs12", "-export", "-in", "device.pem", "-inkey", "device.key", "-out", "open",
                   "-passout", "pass:")
        ca.openssl("pkcs8", "-topk8", "-in", "device.key", "-out", "pkcs8.key", "-v2", "aes256", *locked)
        ca.openssl("ec", "-in", "device.key", "-out", "traditional.key", "-aes256", *locked)
        cls.locked = (("--cert", ca.path("bundle")), (*pem, ca.path("pkcs8.key")),
                      (*pem, ca.path("traditional.key")))

    def setUp(self):
        super().setUp()
        self.prepare()

    def prepare(self):
        """With No Duration there is no token that could replace the certificate."""
        self.protect(session_duration="no_duration")
        self.told = os.path.join(self.home.path, "told")
        self.home.script("curl", f"""printf '%s\\n' "$@" > {self.told}; env >> {self.told}
exec {programs.system("curl")} "$@"
""")
        self.home.variables["PATH"] += ":/usr/bin:/bin"  # The script of the test needs env.

    def assert_presented_by_curl(self):
        last = self.requests()[-1]
        self.assertTrue(header(last, "User-Agent")[0].startswith("curl/"), last)
        self.assertIn("CN=device", last["tls"]["certificate"])
        with open(self.told, encoding="utf-8") as file:
            self.assertNotIn(PASSWORD, file.read())

    def curl(self, *flags, **more):
        page = self.home.mayfly("curl", "-sS", *flags, f"https://{HOST}/", **more)
        self.assertIn(b"hello from echo, device", self.assert_done(page).out)
        self.assert_presented_by_curl()

    def test_forms(self):
        self.curl("--cert", self.ca.path("open"))
        self.curl("-E", self.ca.path("open"), "--cert-type", "P12")
        for flags in self.locked:
            self.curl(*flags, *self.password)
            self.curl("--batch", *flags, *self.password)

    def test_forms_in_the_environment(self):
        for flags in self.locked:
            env = {"MAYFLY_CERT": flags[1], "MAYFLY_KEY": flags[3] if len(flags) > 2 else None,
                   "MAYFLY_CERT_PASSWORD_FILE": self.password[1]}
            self.curl(env=env)

    def test_curls_own_ways_to_give_a_password(self):
        """These ways put the password on the command line, as the user of curl chose."""
        for flags in (["-E", f"{self.ca.path('device.pem')}:{PASSWORD}"],
                      ["-E", self.ca.path("device.pem"), "--pass", PASSWORD]):
            page = self.home.mayfly("curl", "-sS", "--batch", *flags, "--key", self.ca.path("pkcs8.key"),
                                    f"https://{HOST}/")
            self.assertIn(b"hello from echo, device", self.assert_done(page).out)

    def test_password_is_asked_for_once(self):
        for flags in self.locked:
            with self.subTest(flags):
                terminal = Terminal([programs.mayfly(), "curl", "-sS", *flags, f"https://{HOST}/"],
                                    env=self.home.environment())
                self.addCleanup(terminal.end)
                asked = f"Password of {flags[-1]}: "
                terminal.wait_for(re.escape(asked))
                terminal.type(PASSWORD + "\n")
                self.assertEqual(terminal.finish(), 0, terminal.text)
                self.assertIn("hello from echo, device", terminal.text)
                self.assertNotIn("PEM pass phrase", terminal.text)
                self.assertNotIn(PASSWORD, terminal.text)
                self.assertEqual(terminal.text.count("Password of"), 1)
                self.assertEqual(terminal.text.splitlines()[0], asked)
                self.assert_presented_by_curl()

    def test_faults_are_found_before_any_connection(self):
        self.ca.device("ended", "root", (-20, -1))
        for flags, word in ((self.ca.flags("ended"), "expired on"),
                            (("--cert", self.ca.path("gone.pem")), "gone.pem")):
            result = self.home.mayfly("curl", "-sS", *flags, f"https://{HOST}/")
            self.assert_no_connection(result, word)


class Ssh(CertificateCase):
    """An application that accepts only certificates: there is neither browser nor prompt."""

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

    def test_configured_file_that_is_missing_or_readable_by_others(self):
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
