"""Client certificates in files: formats, passwords, faults that are found before any connection, renewal."""
import os
import re

from harness import programs
from harness.case import LOGIN_NEEDED, USAGE
from harness.certificate_case import HOST, PASSWORD, CertificateCase, Listener
from harness.process import run
from harness.terminal import Terminal



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
            result = self.login(*flags)
            self.assert_no_connection(result, "--cert-password-file", code=LOGIN_NEEDED)
            self.assertIn(f"error: the password of {flags[-1]} is wanted, and nobody is asked for it here (as with "
                          "--batch)\n", result.err)

    def test_password_cannot_be_asked_for_without_a_terminal(self):
        for flags in self.each():
            alone = [programs.system("setsid"), "--wait", programs.mayfly(), "login", "-q", *flags, HOST]
            result = run(alone, env=self.home.environment())
            self.assert_no_connection(result, "--cert-password-file", code=LOGIN_NEEDED)
            self.assertIn(f"error: cannot ask for the password of {flags[-1]}: no terminal\n", result.err)

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
            asked = f"Password of {flags[-1]}: "
            terminal.wait_for(re.escape(asked))
            self.assertEqual(self.edge.stats()["tls_connections"], 0)
            terminal.type(PASSWORD + "\n")
            self.assertEqual(terminal.finish(), 0, terminal.text)
            self.assertNotIn(PASSWORD, terminal.text)
            self.assertEqual(len(re.findall("Password", terminal.text)), 1, terminal.text)
            self.assertIn(asked, terminal.text.splitlines())
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

    def test_missing_files(self):
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


class Renewal(CertificateCase):
    def test_next_connection_of_a_listener_uses_the_new_file(self):
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
