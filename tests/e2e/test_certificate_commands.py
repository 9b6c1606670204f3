"""Every command takes a client certificate; ssh lives on one alone."""
import os
import re
import shutil

from harness import programs
from harness.case import LOGIN_NEEDED
from harness.certificate_case import HOST, PASSWORD, CertificateCase, Listener
from harness.edge import USER
from harness.process import Running
from harness.sshd import Sshd, client_config



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
