"""Every server asks for a client certificate, and mayfly presents it only to the application."""
import os
import ssl

from harness import programs
from harness.case import USAGE
from harness.certificate_case import HOST, CertificateCase, Listener
from harness.origin import TlsProxy

TEAM, TRANSFER = "acme.cloudflareaccess.com", "login.cloudflareaccess.org"


class Elsewhere(CertificateCase):
    def setUp(self):
        super().setUp()
        self.ask_all()

    def ask_all(self):
        self.protect()
        self.edge.configure(client_ca=self.ca.read("root.pem"))

    def assert_shown_to_application_alone(self, *others, result=None):
        """others: hosts that must have been asked as well."""
        shown = {}
        for entry in self.edge.log():
            shown.setdefault(entry["tls"]["sni"], set()).add(entry["tls"]["certificate"])
        self.assertEqual(set(shown), {HOST, *others}, result)
        self.assertEqual({host for host, seen in shown.items() if seen != {None}}, {HOST}, (shown, result))

    def test_login_by_certificate(self):
        self.assert_done(self.login(*self.certificate))
        self.assert_shown_to_application_alone(TEAM)

    def test_login_with_a_person(self):
        self.protect(policy="certificate+identity")
        self.home.install_browser(certificate=(self.ca.path("device.pem"), self.ca.path("device.key")))
        self.assert_done(self.home.mayfly("login", "-q", *self.certificate, HOST))
        ours = [entry for entry in self.edge.log()
                if any(value.startswith("mayfly/") for name, value in entry["headers"] if name == "User-Agent")]
        self.assertEqual({entry["tls"]["sni"] for entry in ours}, {HOST, TEAM, TRANSFER})
        self.assertEqual({entry["tls"]["sni"] for entry in ours if entry["tls"]["certificate"]}, {HOST})

    def test_exchange(self):
        self.protect(policy="certificate+identity")
        self.home.plant_org_token()
        result = self.home.mayfly("login", "-q", "--batch", *self.certificate, HOST)
        self.assert_shown_to_application_alone(TEAM, result=result)

    def test_signer(self):
        self.protect(certificate={"service_principals": ["device"]})
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", HOST, *self.certificate))
        self.assertIn("POST", {entry["method"] for entry in self.edge.log(TEAM)})
        self.assert_shown_to_application_alone(TEAM)

    def test_tunnels(self):
        self.tunnel(*self.certificate)
        Listener(self, *self.certificate).exchange()
        self.assert_shown_to_application_alone(TEAM)

    def test_doctor(self):
        """doctor asks the transfer service if the application's certificate is not valid."""
        self.home.mayfly("doctor", "--hostname", HOST, *self.certificate)
        self.assert_shown_to_application_alone(TEAM)
        self.edge.ask("DELETE", "/log")
        self.edge.application("echo", faults={"tls.expired": 99})
        self.home.mayfly("doctor", "--hostname", HOST, *self.certificate)
        self.assertEqual({(entry["tls"]["sni"], entry["tls"]["certificate"]) for entry in self.edge.log()},
                         {(TRANSFER, None)})

    def test_https_proxy(self):
        """The proxy asks for a certificate too. The connections through it reach the application with the
        certificate."""
        proxy = CuriousProxy(self.ca)
        self.addCleanup(proxy.stop)
        trusted = self.ca.write("trusted.pem", self.ca.read("root.pem") + open(self.edge.ca, encoding="ascii").read())
        mapping = {"SSL_CERT_FILE": trusted}
        flags = (*self.certificate, "--proxy", f"https://127.0.0.1:{proxy.port}")
        self.assert_done(self.login(*flags, env=mapping))
        self.tunnel(*flags, env=mapping)
        self.assert_shown_to_application_alone(TEAM)
        self.assertTrue(proxy.shown)
        self.assertEqual(set(proxy.shown), {None})


class CuriousProxy(TlsProxy):
    """shown: the certificate of each client."""

    def __init__(self, ca):
        self.shown = []
        ca.server("proxy", "root", "IP:127.0.0.1")
        both = ca.write("both.pem", ca.read("proxy.pem") + ca.read("proxy.key"))
        super().__init__(both)
        self.context.load_verify_locations(ca.path("root.pem"))
        self.context.verify_mode = ssl.CERT_OPTIONAL

    def serve(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as secured:
            self.shown.append(secured.getpeercert() or None)
            super(TlsProxy, self).serve(secured)


class Curl(CertificateCase):
    """curl presents its certificate to every server it is led to, so it gets none if it could be led elsewhere."""

    def setUp(self):
        super().setUp()
        self.edge.configure(client_ca=self.ca.read("root.pem"))
        self.edge.application("other", hostname="other.example.com", policy="none")
        self.home.variables["PATH"] += os.pathsep + os.path.dirname(programs.system("curl"))
        self.variables = {"MAYFLY_CERT": self.ca.path("device.pem"), "MAYFLY_KEY": self.ca.path("device.key")}

    def ways(self):
        other = "https://other.example.com/"
        yield ("-L", f"https://{HOST}/")
        yield ("--location-trusted", f"https://{HOST}/")
        yield (f"https://{HOST}/", other)
        yield (f"https://{HOST}/", "--next", other)
        yield (f"https://{HOST}:8443/", f"https://{HOST}/")

    def assert_shown_to_application_alone(self):
        self.assertEqual({entry["host"].partition(":")[0] for entry in self.edge.log() if entry["tls"]["certificate"]} - {HOST},
                         set())

    def test_named_on_the_command_line(self):
        for way in self.ways():
            with self.subTest(way):
                result = self.home.mayfly("curl", "-s", *self.certificate, *way)
                self.assert_no_connection(result, "client certificate", "--location")

    def test_of_the_environment(self):
        """The token from the login with the certificate is enough."""
        for way in [*self.ways()][:4]:
            with self.subTest(way):
                self.edge.ask("DELETE", "/log")
                result = self.assert_done(self.home.mayfly("curl", "-s", *way, env=self.variables))
                self.assertIn(b"hello from echo", result.out)
                self.assert_shown_to_application_alone()

    def test_of_the_environment_where_no_token_is_earned(self):
        self.protect(session_duration="no_duration")
        for way in [*self.ways()][:4]:
            with self.subTest(way):
                result = self.home.mayfly("curl", "-s", *way, env=self.variables)
                self.assert_error(result, USAGE, "client certificate")
                self.assert_shown_to_application_alone()

    def test_configuration(self):
        with open(os.path.join(self.home.path, ".curlrc"), "w", encoding="ascii") as file:
            file.write("location\n")
        result = self.home.mayfly("curl", "-s", *self.certificate, f"https://{HOST}/")
        self.assert_no_connection(result, "client certificate", "-q")
        result = self.home.mayfly("curl", "-q", "-s", *self.certificate, f"https://{HOST}/")
        self.assertIn(b"hello from echo", self.assert_done(result).out)
