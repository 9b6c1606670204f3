"""The mutual TLS document of Access, line by line.

What it says, and the test that shows it:

Validation
| the edge asks for a client certificate after the client's hello | ValidationWorkflow.test_edge_asks_and_a_valid_certificate_earns_a_token |
| the client returns a valid one, the handshake is completed against the root | the same |
| ... and against intermediates configured for the policy | Chains.test_edge_that_has_the_whole_chain |
| ... intermediates that only the client has are sent along | Chains.test_intermediate_is_sent_along |
| chains are checked for expired certificates | ValidationWorkflow.test_expired_in_between_is_for_the_edge_to_find |
| a trusted one earns a signed JWT for this request and subsequent ones | ValidationWorkflow.test_token_allows_subsequent_requests_of_all_commands, test_token_that_a_tunnel_earned_is_kept_too |
| no valid certificate: 403 | ValidationWorkflow.test_no_certificate, test_untrusted, test_expired_in_between...; test_certificate_readme.py |
| policy Common Name: only that name passes | ValidationWorkflow.test_wrong_common_name |
| policy Valid Certificate: any that authenticates with the root | Chains, ValidationWorkflow |
| a second factor beside the identity provider | ValidationWorkflow.test_certificate_and_identity_provider |
| the two calls with curl | test_certificate_readme.py |

Session duration
| a JWT for every request that completes the handshake | SessionDuration.test_each_handshake_earns_a_token |
| valid for the session duration | SessionDuration.test_token_is_valid_for_the_session_duration |
| automated services reuse it | SessionDuration.test_automated_service_reuses_the_token |
| a person need not be asked on each request | SessionDuration.test_person_is_asked_once |
| No Duration: a new handshake for each request | SessionDuration.test_no_duration_makes_a_handshake_for_each_connection, ..._behind_a_listener, ..._with_curl |
| ... the token is not sent, and nothing is left to reuse | SessionDuration.test_no_duration_login_and_token |

Files, passwords, tokens of hardware and the commands: test_certificate_files.py, test_certificate_hardware.py,
test_certificate_commands.py; another server's judgement: test_certificate_nginx.py.
"""
import re

from harness import programs
from harness.case import LOGIN_NEEDED, REFUSED
from harness.certificate_case import HOST, CertificateCase, Listener
from harness.edge import EMAIL, claims, header
from harness.process import run



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

    def with_curl(self, *flags):
        """Returns headers and page that plain curl gets with a certificate."""
        page = run([programs.system("curl"), "-sS", "-D", "-", "--cacert", self.edge.ca, "--connect-to",
                    self.edge.connect_to, *flags, f"https://{HOST}/"], env=self.home.environment())
        return self.assert_done(page).out.decode()

    def test_each_handshake_earns_a_token(self):
        tokens = [re.findall(r"(?im)^set-cookie: CF_Authorization=([^;]+)", self.with_curl(*self.certificate))
                  for _ in range(2)]
        for token, in tokens:
            self.assertEqual(claims(token)["common_name"], "device")
            self.assertIn("hello from echo, device", self.with_curl("-H", "Cf-Access-Token: " + token))
        # mayfly keeps the token of the first connection, and asks for no other while it is valid.
        self.tunnel(*self.certificate)
        earned = self.edge.stats()["certificate_logins"]
        self.tunnel(*self.certificate)
        self.assertEqual(self.edge.stats()["certificate_logins"], earned)

    def test_person_is_asked_once(self):
        """With an identity provider too, a person needs neither login nor certificate on each request."""
        self.protect(policy="certificate+identity")
        self.home.install_browser(certificate=self.ca.flags("device")[1::2])
        self.assert_done(self.home.mayfly("login", "-q", *self.certificate, HOST))
        for flags in (self.certificate, ()):
            self.tunnel(*flags)
        page = self.home.mayfly("curl", "-s", f"https://{HOST}/", env=self.curl_path())
        self.assertIn(EMAIL.encode(), self.assert_done(page).out)
        self.assertEqual(len(self.home.browsed()), 1)

    def test_automated_service_reuses_the_token(self):
        self.assert_done(self.login(*self.certificate))
        token = self.assert_done(self.home.mayfly("token", HOST)).out.decode()
        self.assertIn("hello from echo, device", self.with_curl("-H", "Cf-Access-Token: " + token))

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
        self.assertNotIn("CF_Authorization", self.with_curl(*self.certificate))
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
