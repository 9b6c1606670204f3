"""The commands of the README's section about client certificates, and its two calls with curl and with mayfly."""
import os
import re

from harness import programs
from harness.certificate_case import WEB, CertificateCase
from harness.process import run

README = os.path.join(os.path.dirname(programs.E2E), "..", "README.md")


def commands():
    """Returns the commands of the section, with continued lines joined."""
    with open(README, encoding="utf-8") as file:
        section = re.search(r"^## Client certificates.*?(?=^## )", file.read(), re.M | re.S).group()
    return re.sub(r"\\\n *", "", "\n".join(re.findall(r"^    (.+)", section, re.M))).splitlines()


class Readme(CertificateCase):
    def setUp(self):
        super().setUp()
        os.symlink(programs.mayfly(), os.path.join(self.home.bin, "mayfly"))
        with open(os.path.join(self.home.path, ".curlrc"), "w", encoding="ascii") as file:
            file.write(f'connect-to = "{self.edge.connect_to}"\ncacert = "{self.edge.ca}"\n')
        self.curlrc = file.name
        self.folder = os.path.join(self.home.path, "device")
        os.mkdir(self.folder)

    def carry_out(self, command):
        env = self.home.environment({"PATH": self.home.bin + ":/usr/bin:/bin"})
        # With a configuration file of curl, mayfly would not give curl the certificate.
        if command.startswith("mayfly curl") and os.path.exists(self.curlrc):
            os.unlink(self.curlrc)
        return self.assert_done(run(["/bin/sh", "-c", command], env=env, cwd=self.folder))

    def test_from_a_new_authority_to_a_login(self):
        made, calls = [], {}
        for command in commands():
            if command.startswith("openssl"):
                self.carry_out(command)
                made.append(command)
                continue
            self.tell_access()
            calls[command] = self.carry_out(command)
        self.assertEqual(len(made), 3)
        bare, with_one, our_bare, our_with_one = [r for c, r in calls.items() if "curl -" in c or "curl --" in c]
        for result in (bare, our_bare):
            self.assertRegex(result.err, r"< HTTP/1\.1 403 ")
            self.assertNotIn("CF_Authorization", result.err)
        for result in (with_one, our_with_one):
            self.assertRegex(result.err, r"< HTTP/1\.1 200 ")
            self.assertEqual(result.out, b"hello from auth, sensor-17\n")
        self.assertRegex(with_one.err, r"(?i)< set-cookie: CF_Authorization=")
        self.assertIn(self.home.token_name("auth"), self.home.files())
        login, block = [r for c, r in calls.items() if c.startswith(("mayfly login", "mayfly ssh-config"))]
        self.assertIn(b"Successfully fetched your token", login.out)
        for name in ("example.pem", "key.pem"):
            self.assertEqual(block.out.decode().count(os.path.join(self.folder, name)), 2)

    def tell_access(self):
        """Does the dashboard's part: the CA, and a policy for that common name."""
        with open(os.path.join(self.folder, "ca.pem"), encoding="ascii") as file:
            self.edge.application("auth", hostname="auth.example.com", policy="certificate",
                                  client_ca=file.read(), common_names=["sensor-17"])


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

    def test_with_a_certificate(self):
        (plain, first), (ours, second) = self.both(*self.certificate)
        self.assert_done(plain)
        self.assertRegex(first, r"(?i)set-cookie: CF_Authorization=")
        self.assert_done(ours)
        self.assertTrue(first.endswith("200") and second.endswith("200"), (first, second))
        self.assertIn(self.home.token_name("web"), self.home.files())
