"""mayfly access token, and the conditions of a valid stored token."""
from harness.case import FAILED, LOGIN_NEEDED, USAGE, EdgeCase

NO_TOKEN = ("Unable to find token for provided application. Please run login command to generate "
            "token.\n")


class Token(EdgeCase):
    def assert_none(self, result):
        self.assertEqual((result.code, result.out, result.err), (LOGIN_NEEDED, b"", NO_TOKEN), result)

    def know(self, application="web"):
        """Stores the metadata of the application, and no token."""
        hostname = self.edge.application(application)["hostname"]
        self.assertEqual(self.home.mayfly("login", "--batch", hostname).code, LOGIN_NEEDED)

    def test_prints_the_token_and_nothing_else(self):
        token = self.logged_in("web")
        for arguments in (["web.example.com"], ["https://web.example.com/"], ["--app", "web.example.com"],
                          ["-app=https://web.example.com"], ["--app=web.example.com"]):
            for before in ([], ["access"], ["forward"]):
                with self.subTest(arguments=arguments, before=before):
                    result = self.home.mayfly(*before, "token", *arguments)
                    self.assertEqual((result.code, result.out.decode(), result.err), (0, token, ""))

    def test_needs_no_network(self):
        token = self.logged_in("web")
        seen = len(self.edge.log())
        result = self.home.mayfly("token", "web.example.com",
                                  env={"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"})
        self.assertEqual(self.assert_done(result).out.decode(), token)
        self.assert_done(self.home.mayfly("token", "web.example.com"))
        self.assertEqual(len(self.edge.log()), seen)

    def test_changes_no_file(self):
        self.logged_in("web")
        before = self.home.snapshot()
        self.assert_done(self.home.mayfly("token", "web.example.com"))
        self.assert_unchanged(before)

    def test_no_token_is_stored(self):
        self.assert_none(self.home.mayfly("token", "web.example.com"))
        self.assert_none(self.home.mayfly("token", "web.example.com"))

    def test_never_opens_a_browser(self):
        self.home.install_idle_browser()
        self.assert_none(self.home.mayfly("token", "web.example.com"))
        self.assertEqual(self.home.browsed(), [])

    def test_no_application(self):
        result = self.home.mayfly("token", "unknown.example.net")
        self.assertNotEqual(result.code, 0)
        self.assertEqual(result.out, b"")
        self.assertNotEqual(result.err, "")

    def test_without_a_url(self):
        self.assert_error(self.home.mayfly("token"), USAGE)

    def test_expired_or_foreign_token_is_deleted(self):
        for name, made in [("expired", {"expires_in": -5}),
                           ("other audience", {"claims": {"aud": ["0" * 64]}})]:
            with self.subTest(name):
                self.fresh()
                self.know()
                self.home.plant_token("web", **made)
                self.assert_none(self.home.mayfly("token", "web.example.com"))
                self.assertNotIn(self.home.token_name("web"), self.home.files())

    def test_claims_that_are_missing_or_no_good(self):
        self.know()
        for claims in ({"aud": None}, {"exp": None}, {"aud": 7}, {"exp": "tomorrow"}, {"aud": []}):
            with self.subTest(claims):
                self.home.plant_token("web", claims=claims)
                self.assert_none(self.home.mayfly("token", "web.example.com"))

    def test_only_rs256_jwts_are_tokens(self):
        self.know()
        name = self.home.token_name("web")
        for content in ("", "garbage", "a.b.c", self.edge.mint("app", "web", algorithm="none"),
                        self.edge.mint("app", "web", algorithm="HS256"),
                        self.edge.mint("app", "web") + ".x", "x" * 200000):
            with self.subTest(content[:20]):
                self.home.plant(name, content)
                result = self.home.mayfly("token", "web.example.com")
                self.assertNotEqual(result.code, 0, result)
                self.assertEqual(result.out, b"")

    def test_audience_as_array_and_as_string(self):
        aud = self.edge.audience("web")
        self.know()
        for form in ([aud], aud, ["1" * 64, aud]):
            with self.subTest(form):
                token = self.home.plant_token("web", claims={"aud": form})
                result = self.assert_done(self.home.mayfly("token", "web.example.com"))
                self.assertEqual(result.out.decode(), token)

    def test_line_end_after_a_token_is_not_printed(self):
        self.know()
        token = self.edge.mint("app", "web")
        self.home.plant(self.home.token_name("web"), token + "\n")
        self.assertEqual(self.home.mayfly("token", "web.example.com").out.decode(), token)

    def test_signature_is_the_edges_business(self):
        self.know()
        token = self.home.plant_token("web", signature="bad")
        self.assertEqual(self.home.mayfly("token", "web.example.com").out.decode(), token)

    def test_output_that_cannot_be_written(self):
        self.logged_in("web")
        with open("/dev/full", "wb") as full:
            running = self.home.start("token", "web.example.com", stdout=full)
            result = running.finish()
        self.assertEqual(result.code, FAILED, result)
        self.assertIn("mayfly: error: ", result.err)


class Exchange(EdgeCase):
    """The org token opens a second application of the team without a browser."""

    def setUp(self):
        super().setUp()
        self.logged_in("web")
        self.org = self.home.text("acme.cloudflareaccess.com-org-token")
        self.edge.ask("DELETE", "/log")
        self.edge.ask("DELETE", "/stats")

    def exchange(self, *flags):
        return self.home.mayfly("login", "--no-verbose", *flags, "echo.example.com")

    def test_second_application_needs_no_browser(self):
        result = self.assert_done(self.exchange())
        self.assertEqual(self.home.text(self.home.token_name("echo")), result.out.decode())
        self.assertEqual(len(self.home.browsed()), 1)
        stats = self.edge.stats()
        self.assertEqual((stats["exchanges"], stats["polls"]), (1, 0))

    def assert_org_token_went_only_to_the_login(self):
        for entry in self.edge.log():
            seen = str(entry["headers"]) + entry["target"] + entry["body"]
            if self.org in seen:
                self.assertEqual(entry["host"], "acme.cloudflareaccess.com")
                self.assertTrue(entry["path"].startswith("/cdn-cgi/access/login"), entry)

    def test_org_token_goes_to_the_login_page_only(self):
        self.assert_done(self.exchange())
        self.assert_org_token_went_only_to_the_login()
        self.assertTrue(any(self.org in str(e["headers"]) for e in self.edge.log()))

    def test_an_exchange_that_fails_needs_a_login(self):
        for fault in ("refuse", "foreign_redirect", "http_downgrade", "login_downgrade", "login_foreign",
                      "expired_cookie", "no_cookie", "wrong_audience", "loop", "500"):
            with self.subTest(fault):
                self.edge.reset()
                self.edge.fault("exchange." + fault)
                before = self.home.snapshot(CACHES_OF_ECHO)
                self.assert_error(self.exchange("--batch"), LOGIN_NEEDED, "login")
                self.assert_unchanged(before, besides=CACHES_OF_ECHO)
                self.assert_org_token_went_only_to_the_login()
                self.assertNotIn("evil.example", self.edge.hosts())
                self.assertLess(len(self.edge.log()), 10, "it goes round and round")

    def test_redirects_that_lead_the_org_token_away(self):
        for fault, value in [("login_foreign", "web.example.com"), ("foreign_redirect", "web.example.com"),
                             ("login_foreign", "evil.cloudflareaccess.com")]:
            with self.subTest(fault=fault, value=value):
                self.edge.reset()
                self.edge.fault("exchange." + fault, {"value": value})
                self.assert_error(self.exchange("--batch"), LOGIN_NEEDED)
                self.assert_org_token_went_only_to_the_login()

    def test_without_an_app_session(self):
        self.edge.fault("exchange.no_session")
        self.assertIn(self.exchange("--batch").code, (0, LOGIN_NEEDED))
        self.assert_org_token_went_only_to_the_login()

    def test_failed_exchange_leads_to_the_browser(self):
        self.edge.fault("exchange.refuse")
        self.assert_done(self.exchange())
        self.assertEqual(len(self.home.browsed()), 2)

    def test_expired_org_token_is_not_sent(self):
        self.org = self.home.plant_org_token(expires_in=-5)
        self.assert_error(self.exchange("--batch"), LOGIN_NEEDED)
        self.assertFalse(any(self.org in str(e["headers"]) for e in self.edge.log()))

    def test_org_token_of_another_issuer_is_not_sent(self):
        self.org = self.edge.mint("org", team="acme",
                                  claims={"iss": "https://other.cloudflareaccess.com"})
        self.home.plant("acme.cloudflareaccess.com-org-token", self.org)
        self.assert_error(self.exchange("--batch"), LOGIN_NEEDED)
        self.assertFalse(any(self.org in str(e["headers"]) for e in self.edge.log()))


CACHES_OF_ECHO = ("echo.example.com-app", "-jwks", ".cloudflared")
