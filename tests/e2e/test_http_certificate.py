"""mayfly http: an application that asks for a client certificate."""
import os
import re
import urllib.error
import urllib.request

from harness import programs
from harness.certificate_case import PASSWORD, WEB, CertificateCase
from harness.waiting import GENEROUS


class Certificates(CertificateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ca = cls.ca
        ca.device("stranger", "other")
        password = ca.write("password", PASSWORD + "\n")
        locked = ("-passout", "file:password")
        ca.openssl("pkcs8", "-topk8", "-in", "device.key", "-out", "locked.key", "-v2", "aes256", *locked)
        ca.openssl("pkcs12", "-export", "-in", "device.pem", "-inkey", "device.key", "-out",
                   "bundle.p12", *locked)
        certificate = ("--cert", ca.path("device.pem"))
        opened = ("--cert-password-file", password)
        cls.ways = {
            "pem": (ca.flags("device"), {}),
            "locked": ((*certificate, "--key", ca.path("locked.key"), *opened), {}),
            "pkcs12": (("--cert", ca.path("bundle.p12"), *opened), {}),
            "variables": ((), {"MAYFLY_CERT": ca.path("bundle.p12"),
                               "MAYFLY_CERT_PASSWORD_FILE": password})}

    def listen(self, *flags, env=None):
        running = self.home.start("http", "--hostname", WEB, "--url", "127.0.0.1:0", *flags, env=env)
        return running, int(running.wait_err(r"127\.0\.0\.1:(\d+)").group(1))

    def get(self, port):
        """Returns status and body."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=GENEROUS) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def test_every_form_with_no_duration(self):
        """There is no token: the certificate opens each connection."""
        for name, (flags, env) in self.ways.items():
            with self.subTest(name):
                self.fresh()
                self.protect(session_duration="no_duration")
                _, port = self.listen("--batch", *flags, env=env)
                for _ in range(2):
                    self.assertEqual(self.get(port), (200, b"hello from web, device\n"))
                self.assert_presents("CN=device", WEB)
                pages = [dict(e["headers"]) for e in self.requests(WEB) if e["status"] == 200]
                self.assertNotIn("Cf-Access-Token", pages[-1])

    def test_earns_a_token(self):
        _, port = self.listen("--batch", *self.certificate)
        for _ in range(2):
            self.assertEqual(self.get(port), (200, b"hello from web, device\n"))
        token = self.home.text(self.home.token_name("web"))
        self.assertEqual(dict(self.requests(WEB)[-1]["headers"])["Cf-Access-Token"], token)

    def test_beside_the_login(self):
        self.protect(policy="certificate+identity")
        self.home.install_browser(certificate=self.certificate[1::2])
        _, port = self.listen(*self.certificate)
        self.assertEqual(self.get(port)[0], 200)
        self.assertEqual(len(self.home.browsed()), 1)

    def test_refusals_are_explained(self):
        for flags, word in [((), b"--cert"), (self.ca.flags("stranger"), b"CN=stranger")]:
            with self.subTest(flags):
                self.fresh()
                self.protect()
                running, port = self.listen("--batch", *flags)
                status, body = self.get(port)
                self.assertEqual(status, 403)
                self.assertIn(word, body)
                self.assertRegex(body, b"hint: ")
                running.wait_err("ERR .*" + re.escape(WEB))

    def renewable(self):
        """Returns the content of a file before and after its renewal."""
        self.protect(session_duration="no_duration")
        for name in ("before", "after"):
            self.ca.device(name, "root")
        return [self.ca.read(name + ".key") + self.ca.read(name + ".pem") for name in ("before", "after")]

    def assert_renewed(self, file, renew):
        running, port = self.listen("--batch", "--cert", file)
        self.assertEqual(self.get(port)[1], b"hello from web, before\n")
        renew()
        self.edge.restart()
        self.protect(session_duration="no_duration")
        self.assertEqual(self.get(port)[1], b"hello from web, after\n")
        return running

    def test_next_connection_uses_the_renewed_certificate(self):
        before, after = self.renewable()
        file = self.ca.write("renewed.pem", before)
        running = self.assert_renewed(file, lambda: self.ca.write("renewed.pem", after))
        self.assertNotIn("restart", running.err)

    def test_renewed_at_the_end_of_a_link(self):
        before, after = self.renewable()
        link = os.path.join(self.home.path, "links", "device.pem")
        os.mkdir(os.path.dirname(link))
        os.symlink(self.ca.write("linked.pem", before), link)
        self.assert_renewed(link, lambda: self.ca.write("linked.pem", after))

    def test_in_the_home_directory(self):
        """The other files of the home directory stay closed, so the listener cannot read a new file that replaces this
        one."""
        before, after = self.renewable()
        file = os.path.join(self.home.path, "device.pem")

        def write(text):
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
                out.write(text)
        write(before)
        running = self.assert_renewed(file, lambda: write(after))
        if programs.is_instrumented():
            return  # A listener with such a certificate has no sandbox.
        self.assertRegex(running.err, "INF a new file in its place will not be read before a restart.*device.pem")
