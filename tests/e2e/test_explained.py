"""Every common failure names its cause, the cf-ray and the remedy, in two lines."""
import os
import socket

from harness import namespace, programs
from harness.case import FAILED, NETWORK, PROTOCOL, REFUSED
from harness.authority import Authority
from harness.process import PIPE, run
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import eventually

RAY = r"cf-ray [0-9a-f]{16}(-[A-Z]{3})?\b"
ID, SECRET = "0123456789abcdef.access", "the-s3cret"
HOUR = 3600


class Explained(TunnelCase):
    def assert_explained(self, result, code, cause, cure, ray=True):
        self.assert_error(result, code)
        lines = [line for line in result.err.splitlines() if line]
        at = [line.startswith("mayfly: error: ") for line in lines].index(True)
        self.assertEqual(len(lines), at + 2, f"more than two lines: {result}")
        self.assertIn(cause, lines[at], result)
        self.assertIn(cure, lines[at + 1], result)
        if ray:
            self.assertRegex(lines[at], RAY, result)


class Upgrade(Explained):
    ROWS = [
        ("403", REFUSED, "a policy of Access does not let you in", "as somebody else: mayfly logout --all"),
        ("403_waf", REFUSED, "a firewall rule of the zone blocks it (error 1020)", "Security, Events"),
        ("403_challenge", REFUSED, "a bot challenge was sent", "Bot Fight Mode"),
        ("429", NETWORK, "too many connections", "in a minute"),
        ("500", NETWORK, "a server on the way failed", "later"),
        ("502", NETWORK, "the tunnel is up, but cannot reach the service behind it", "check that the service runs"),
        ("503", NETWORK, "the origin is overloaded, down or slow", "try again"),
        ("530_1033", NETWORK, "no tunnel is connected for this hostname (error 1033)", "start cloudflared"),
        ("200", PROTOCOL, "it serves plain HTTP instead of a tunnel", "WebSockets on"),
        ("404", PROTOCOL, "nothing is configured at this host and path", "ingress rules"),
        ("redirect_elsewhere", PROTOCOL, "it redirects elsewhere, as a web site does", "SSL mode"),
    ]

    def test_every_row_on_stdio(self):
        for fault, code, cause, cure in self.ROWS:
            with self.subTest(fault):
                self.fresh()
                self.know("echo")
                self.edge.fault("upgrade." + fault)
                self.assert_explained(self.home.mayfly(*ECHO), code, cause, cure)

    def test_every_row_behind_a_listener(self):
        path = os.path.join(self.home.path, "listener")
        running = self.home.start("tcp", "--hostname", "echo.example.com", "--url", f"unix:{path}")
        running.wait_err("Start Websocket listener")
        for fault, _, cause, cure in self.ROWS:
            with self.subTest(fault):
                self.edge.configure(applications={"echo": {"faults": None}})
                self.edge.fault("upgrade." + fault, application="echo")
                seen = len(running.err)
                with self.connect(path) as connection:
                    self.assertEqual(connection.recv(1), b"")
                eventually(f"{cure!r} on stderr", lambda: cure in running.err[seen:])
                self.assertIn(cause, running.err[seen:])
                self.assertRegex(running.err[seen:], RAY)

    def connect(self, path):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(path)
        return connection

    def test_where_a_redirect_leads(self):
        self.edge.fault("upgrade.redirect_elsewhere", {"value": "https://elsewhere.example/x?secret=1"})
        result = self.home.mayfly(*ECHO)
        self.assertIn("location https://elsewhere.example/x", result.err)
        self.assertNotIn("secret=1", result.err)

    def test_name_that_leads_nowhere(self):
        result = self.home.mayfly("ssh", "--batch", "--hostname", "unknown.example.net")
        self.assert_explained(result, NETWORK, "Cloudflare cannot find the way to the origin (error 530)",
                              "DNS record")


class Metadata(Explained):
    """The request for metadata got no answer, or there is no application."""
    ROWS = [
        ("403", REFUSED, "a policy of Access does not let you in", "ask the administrator"),
        ("403_waf", REFUSED, "Access or the firewall forbids it", "WAF rule"),
        ("403_challenge", REFUSED, "a bot challenge was sent", "Bot Fight Mode"),
        ("429", NETWORK, "too many connections", "in a minute"),
        ("502", NETWORK, "the tunnel is up, but cannot reach the service behind it", "check that the service runs"),
        ("530_1033", NETWORK, "Cloudflare cannot find the way to the origin (error 530)", "check the tunnel"),
    ]
    WITH_SERVICE_TOKEN = {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET}

    def commands(self, host):
        for words in (("login", host), ("token", host), ("ssh-gen", "--hostname", host)):
            yield words, {}
        yield ("login", host), self.WITH_SERVICE_TOKEN

    def test_turned_away(self):
        for fault, code, cause, cure in self.ROWS:
            for words, env in self.commands("web.example.com"):
                with self.subTest(fault=fault, words=words, env=env):
                    self.fresh()
                    self.edge.fault("metadata." + fault)
                    result = self.home.mayfly(*words, env=env)
                    self.assert_explained(result, code, "cannot ask which application web.example.com is: " + cause,
                                          cure)
                    self.assertNotIn(SECRET, result.err)

    def test_host_that_does_not_exist(self):
        for words, env in self.commands("unknown.example.net"):
            with self.subTest(words=words, env=env):
                self.assert_explained(self.home.mayfly(*words, env=env), NETWORK,
                                      "Cloudflare cannot find the way to the origin (error 530)", "DNS record")

    def test_host_without_an_application(self):
        for policy, faults in (("none", {}), ("identity", {"metadata.404": True}),
                               ("identity", {"metadata.missing_header": True})):
            self.edge.application("web", policy=policy)
            self.edge.configure(faults=faults)
            for words in (("login", "web.example.com"), ("ssh-gen", "--hostname", "web.example.com")):
                with self.subTest(words=words, policy=policy, faults=faults):
                    self.assert_explained(self.home.mayfly(*words), FAILED, "no Access application", "check")


class Identity(Explained):
    def authority(self, *roots):
        ca = Authority()
        self.addCleanup(ca.remove)
        for name in roots:
            ca.root(name)
        return ca

    def test_wrong_service_token(self):
        for policy, refusal, how in (
                ("service", "403", lambda command: "status 403" if command == ECHO else "HTTP 403"),
                ("identity", "login", lambda command: "status 302, location https://acme.cloudflareaccess.com/"
                 if command == ECHO else "sent to the login page, HTTP 302")):
            for command in (("login", "echo.example.com"), ECHO, ("ssh-gen", "--hostname", "echo.example.com")):
                with self.subTest(policy=policy, command=command):
                    self.fresh()
                    self.edge.application("echo", policy=policy, service_refusal=refusal)
                    result = self.home.mayfly(*command, env={"TUNNEL_SERVICE_TOKEN_ID": ID,
                                                             "TUNNEL_SERVICE_TOKEN_SECRET": SECRET})
                    self.assert_explained(result, REFUSED, f"the service token was not accepted ({how(command)}",
                                          "Service Auth")
                    self.assertNotIn(SECRET, result.err)

    def test_service_token_that_opens_no_tunnel(self):
        self.edge.application("echo", service_tokens=[{"id": ID, "secret": SECRET}])
        self.edge.fault("upgrade.403")
        result = self.home.mayfly(*ECHO, env={"TUNNEL_SERVICE_TOKEN_ID": ID,
                                              "TUNNEL_SERVICE_TOKEN_SECRET": SECRET})
        self.assert_explained(result, REFUSED, "the service token was not accepted", "Service Auth")

    def test_client_certificate(self):
        self.fresh()
        ca = self.authority("root", "other")
        ca.device("stranger", "other")
        self.edge.application("echo", policy="certificate", client_ca=ca.read("root.pem"),
                              session_duration="no_duration")
        self.assert_explained(self.home.mayfly("login", "echo.example.com"), REFUSED, "CN=root", "--cert")
        result = self.home.mayfly("login", *ca.flags("stranger"), "echo.example.com")
        self.assert_explained(result, REFUSED, "the client certificate was not accepted",
                              "its CA must be associated with the hostname")

    def test_client_certificate_for_the_tunnel(self):
        ca = self.authority("root")
        self.edge.application("echo", policy="certificate+identity", client_ca=ca.read("root.pem"),
                              certificate_use="always")
        self.assert_explained(self.home.mayfly(*ECHO), REFUSED, "CN=root", "--cert")

    def test_binding_cookie(self):
        for command in (ECHO, ("login", "echo.example.com")):
            with self.subTest(command):
                self.fresh()
                self.edge.application("echo", binding_cookie=True)
                self.home.install_browser()
                result = self.home.mayfly(*command)
                self.assertEqual(result.code, REFUSED, result)
                error, hint = result.err.splitlines()[-2:]
                self.assertRegex(error, r"^mayfly: error: .*token.*" + RAY)
                self.assertIn("Binding Cookie", hint)

    def test_custom_login_domain(self):
        self.fresh()
        self.edge.fault("metadata.auth_domain", {"value": "login.example.org"})
        for command in (("login", "--batch", "echo.example.com"), ECHO):
            with self.subTest(command):
                self.assert_explained(self.home.mayfly(*command), PROTOCOL,
                                      '"login.example.org" is not an Access team domain',
                                      "custom login domain")
        self.assertNotIn("login.example.org", self.edge.hosts())

    def test_signer_that_refuses(self):
        self.home.install_browser()
        self.edge.fault("cert_sign.json_error", {"value": "not enabled here"})
        result = self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com")
        error, hint = result.err.splitlines()[-2:]
        self.assertIn('"not enabled here"', error)
        self.assertRegex(error, RAY)
        self.assertIn("short-lived certificates", hint)


class Bypass(Explained):
    def setUp(self):
        super().setUp()
        self.fresh()
        self.edge.application("echo", policy="bypass")
        self.home.install_idle_browser()

    def test_tunnel_needs_no_login(self):
        running = self.home.start(*ECHO, stdin=PIPE)
        running.write(b"open")
        self.assertEqual(running.wait_out(4), b"open")
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assertEqual(self.assert_done(running.finish()).err, "")
        self.assertEqual(self.home.browsed(), [])

    def test_login_says_so(self):
        result = self.assert_done(self.home.mayfly("login", "echo.example.com"))
        self.assertEqual((result.out, result.err),
                         (b"", "echo.example.com lets everybody in: a policy of Access bypasses the login.\n"))
        self.assertEqual(self.home.browsed(), [])

    def test_certificate_cannot_be(self):
        result = self.home.mayfly("ssh-gen", "--hostname", "echo.example.com")
        self.assert_explained(result, FAILED, "bypasses the login", "SSH key of your own", ray=False)


class Clock(Explained):
    def wrong_by(self, seconds):
        """Sets the edge's clock so that this computer's clock is ahead by that many seconds."""
        self.fresh()
        self.edge.configure(clock_skew=-seconds)

    def test_application_that_spoke_too_long_ago_or_too_late(self):
        for seconds, said in ((26 * HOUR + 60, "1 d 2 h ahead of"), (-2 * HOUR - 60, "2 h 1 min behind")):
            with self.subTest(seconds):
                self.wrong_by(seconds)
                self.assert_explained(self.home.mayfly("login", "--batch", "echo.example.com"), PROTOCOL,
                                      "application metadata of echo.example.com",
                                      f"this computer's clock is {said} that of acme.cloudflareaccess.com: compare it")

    def test_answer_that_is_old_by_a_clock_that_is_right(self):
        self.fresh()
        self.edge.fault("metadata.old_iat")
        self.assert_explained(self.home.mayfly("login", "--batch", "echo.example.com"), PROTOCOL,
                              "older than 24 hours", "clock agrees with the edge's")

    def test_token_that_has_ended_when_it_comes(self):
        self.wrong_by(3 * HOUR + 60)
        self.home.install_browser()
        result = self.home.mayfly("login", "echo.example.com")
        self.assertEqual(result.code, PROTOCOL, result)
        self.assertIn("it has expired already", result.err)
        self.assertIn("this computer's clock is 3 h 1 min ahead of that of login.cloudflareaccess.org: compare it", result.err)

    def test_certificate_of_ssh(self):
        self.wrong_by(0)
        self.edge.application("ssh", token_lifetime=86400)
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "-q", "ssh.example.com"))
        self.home.plant_token("ssh", expires_in=86400)
        self.edge.configure(clock_skew=-2 * HOUR - 60)
        result = self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com")
        self.assertEqual(result.code, PROTOCOL, result)
        self.assertIn("it expired", result.err)
        self.assertIn("this computer's clock is 2 h 1 min ahead of that of acme.cloudflareaccess.com: compare it", result.err)

    def test_certificate_of_the_server(self):
        """mayfly believes nothing that this server says about the time."""
        for command in (("login", "--batch", "echo.example.com"), ECHO):
            with self.subTest(command=command):
                self.fresh()
                self.know("echo")
                self.edge.configure(date_skew=-400 * 24 * HOUR)
                self.edge.fault("tls.expired")
                result = self.home.mayfly(*command)
                self.assert_explained(result, NETWORK, "expired on 20", "this computer's clock says 20", ray=False)
                self.assertRegex(result.err, "renew the certificate; .* run: mayfly doctor echo.example.com")
                self.assertNotIn("400 d", result.err)
                self.assertEqual(self.edge.log(), [])


class Network(Explained):
    def test_issuer_of_a_foreign_certificate(self):
        issuer = run([programs.system("openssl"), "x509", "-in", self.edge.ca, "-noout", "-subject", "-nameopt",
                      "RFC2253"], env={"PATH": "/usr/bin:/bin"}).out.decode().strip().removeprefix("subject=")
        for command in (("login", "--batch", "web.example.com"), ECHO):
            with self.subTest(command):
                result = self.home.mayfly(*command, env={"SSL_CERT_FILE": None})
                self.assert_explained(result, NETWORK, f'issued by "{issuer}", which is not trusted here',
                                      "--cacert FILE", ray=False)
                self.assertIn("TLS inspection", result.err)

    def test_address_of_ipv6_without_a_route(self):
        if why := namespace.refusal():
            self.skipTest(f"no network of one's own here: {why}")
        for command in (("login", "--batch", "web.example.com"), ECHO):
            with self.subTest(command):
                words = namespace.alone([programs.mayfly(), *command])
                result = self.home.start(*words[1:], program=words[0],
                                         env={"MAYFLY_CONNECT_TO": ":443:[2001:db8::1]:443"}).finish()
                self.assert_explained(result, NETWORK, "no route to it by IPv6 (2001:db8::1)", "--proxy", ray=False)

    def test_no_network_at_all(self):
        if why := namespace.refusal():
            self.skipTest(f"no network of one's own here: {why}")
        words = namespace.alone([programs.mayfly(), *ECHO])
        result = self.home.start(*words[1:], program=words[0],
                                 env={"MAYFLY_CONNECT_TO": ":443:192.0.2.1:443"}).finish()
        self.assert_explained(result, NETWORK, "no route to it", "check the network connection", ray=False)
