"""Which application is this? Every check of the signed metadata, and the stored key set."""
import os

from harness import programs
from harness.case import FAILED, LOGIN_NEEDED, NOWHERE, PROTOCOL, EdgeCase
from harness.process import PIPE

JWKS = "acme.cloudflareaccess.com-jwks"


class Metadata(EdgeCase):
    def ask(self, host="web.example.com"):
        """Runs a command that reads the metadata and then stops: LOGIN_NEEDED is success."""
        return self.home.mayfly("login", "--batch", host)

    def assert_refused(self, fault, value=True, command=None, words=()):
        with self.subTest(fault=fault, value=value):
            self.fresh()
            self.edge.fault(fault, value)
            before = self.home.snapshot([".cloudflared"])
            result = self.home.mayfly(*command) if command else self.ask()
            self.assert_error(result, PROTOCOL, "web.example.com" if not words else "", *words)
            self.assert_unchanged(before, besides=[".cloudflared"])
            self.assertEqual(self.home.files(), [])
            return self.edge.hosts()

    def test_good_metadata(self):
        self.assert_error(self.ask(), LOGIN_NEEDED)
        self.assertEqual(self.home.files(), [JWKS, "web.example.com-app"])
        request, = self.edge.log("web.example.com")
        self.assertEqual(request["method"], "HEAD")
        self.assertIn(["CF-Access-Metadata-Request", "true"], request["headers"])

    def test_algorithms_other_than_rs256(self):
        for fault in ("alg_none", "alg_hs256"):
            self.assert_refused("metadata." + fault)

    def test_auth_domains_of_others(self):
        for fault, value in [("auth_domain_userinfo", True), ("auth_domain_evil", True),
                             ("auth_domain_path", True)] + [
                ("auth_domain", {"value": value}) for value in (
                    "evil.example", "cloudflareaccess.com", "acme.cloudflareaccess.com.evil.example",
                    "evil.example?.cloudflareaccess.com", "evil.example#.cloudflareaccess.com",
                    "evil.example\\.cloudflareaccess.com", "evil.example%2f.cloudflareaccess.com",
                    "evil.example:.cloudflareaccess.com", "evil.example/x.cloudflareaccess.com",
                    "", ".cloudflareaccess.com", "acme cloudflareaccess.com",
                    "acme.cloudflareaccess.com@evil.example", "[::1].cloudflareaccess.com",
                    "x\n.cloudflareaccess.com")]:
            hosts = self.assert_refused("metadata." + fault, value)
            self.assertEqual(hosts, {"web.example.com"}, f"{fault} {value}")

    def test_auth_domains_that_are_meant_well(self):
        for fault in ("auth_domain_upper", "auth_domain_port"):
            with self.subTest(fault):
                self.fresh()
                self.edge.fault("metadata." + fault)
                self.assert_error(self.ask(), LOGIN_NEEDED)
                self.assertEqual(self.home.files(), [JWKS, "web.example.com-app"])
                self.assertEqual(self.edge.hosts(), {"web.example.com", "acme.cloudflareaccess.com"})

    def test_signatures(self):
        for fault in ("bad_signature", "unknown_kid", "no_kid", "garbage"):
            self.assert_refused("metadata." + fault)

    def test_claims(self):
        for fault in ("wrong_host", "wrong_type", "empty_aud", "no_aud", "old_iat", "future_iat",
                      "no_iat"):
            self.assert_refused("metadata." + fault)

    def test_claims_of_a_clock_that_is_wrong(self):
        for skew, code in [(-23 * 3600, LOGIN_NEEDED), (-25 * 3600, PROTOCOL), (240, LOGIN_NEEDED),
                           (600, PROTOCOL)]:
            with self.subTest(skew):
                self.fresh()
                self.edge.configure(clock_skew=skew)
                self.assert_error(self.ask(), code)

    def test_names_that_would_leave_the_directory(self):
        self.edge.fault("metadata.traversal")
        before = self.home.snapshot([".cloudflared"])
        self.assert_error(self.ask(), PROTOCOL)
        self.assert_unchanged(before, besides=[".cloudflared"])

    def test_oversized(self):
        self.edge.fault("metadata.huge")
        before = self.home.snapshot([".cloudflared"])
        self.assert_error(self.ask(), PROTOCOL)
        self.assert_unchanged(before, besides=[".cloudflared"])

    def test_no_metadata_means_no_application(self):
        self.edge.fault("metadata.missing_header")
        self.assert_error(self.ask(), FAILED, "no Access application")

    def test_every_command_checks(self):
        for command in (["token", "web.example.com"], ["ssh-gen", "--hostname", "web.example.com"],
                        ["login", "web.example.com"], ["access", "token", "--app", "web.example.com"]):
            self.assert_refused("metadata.bad_signature", command=command)

    def test_asked_whatever_the_status(self):
        for policy in ("identity", "service", "bypass"):
            with self.subTest(policy):
                self.fresh()
                self.edge.application("web", policy=policy)
                self.ask()
                self.assertIn("web.example.com-app", self.home.files())

    def test_redirects_are_not_followed(self):
        self.ask()
        self.assertEqual([e["path"] for e in self.edge.log("acme.cloudflareaccess.com")],
                         ["/cdn-cgi/access/certs"])

    def test_host_in_capitals(self):
        self.assert_error(self.ask("WEB.Example.COM"), LOGIN_NEEDED)
        self.assertIn("web.example.com-app", self.home.files())

    def test_names_of_files(self):
        for application, host, name in [("path", "tools.example.com/admin", "tools.example.com-admin"),
                                        ("wild", "a.wild.example.com", "-.wild.example.com")]:
            with self.subTest(application):
                self.fresh()
                self.logged_in(application, host)
                self.assertIn(f"{name}-{self.edge.audience(application)}-token", self.home.files())

    def test_app_hostname_may_be_missing(self):
        self.edge.application("wild", app_hostname=False)
        self.logged_in("wild", "a.wild.example.com")
        self.assertIn(f"a.wild.example.com-{self.edge.audience('wild')}-token", self.home.files())


class Keys(EdgeCase):
    """The team's public keys: where they come from, how long they are kept, when they are fetched again."""

    def ask(self):
        return self.home.mayfly("login", "--batch", "web.example.com")

    def fetched(self):
        return self.edge.stats()["jwks"]

    def test_bad_answers(self):
        for fault in ("huge", "redirect", "500", "html", "empty", "no_keys", "garbage", "weak",
                      "foreign"):
            with self.subTest(fault):
                self.fresh()
                self.edge.fault("jwks." + fault)
                self.assert_error(self.ask(), PROTOCOL)
                self.assertEqual(self.home.files(), [])
                self.assertNotIn("evil.example", self.edge.hosts())

    def test_bad_answer_leaves_the_old_keys(self):
        self.ask()
        self.home.make_older(JWKS, 25 * 3600)
        before = self.home.snapshot()
        self.edge.fault("jwks.garbage")
        self.assert_error(self.ask(), PROTOCOL)
        self.assert_unchanged(before)

    def test_redirect_to_somewhere_else_is_not_followed(self):
        self.edge.fault("jwks.redirect", {"value": "https://web.example.com/keys"})
        self.assert_error(self.ask(), PROTOCOL)
        self.assertNotIn("/keys", [e["path"] for e in self.edge.log()])

    def test_kept_for_a_day(self):
        for age, fetches in [(0, 1), (23 * 3600, 1), (25 * 3600, 2)]:
            with self.subTest(age):
                self.fresh()
                self.assert_error(self.ask(), LOGIN_NEEDED)
                self.home.make_older(JWKS, age)
                self.assert_error(self.ask(), LOGIN_NEEDED)
                self.assertEqual(self.fetched(), fetches)

    def test_rotation_fetches_them_once_again(self):
        self.ask()
        self.home.make_older(JWKS, 120)
        old = self.home.read(JWKS)
        self.edge.ask("POST", "/rotate-keys?drop=1")
        self.assert_error(self.ask(), LOGIN_NEEDED)
        self.assertEqual(self.fetched(), 2)
        self.assertNotEqual(self.home.read(JWKS), old)

    def test_young_keys_are_not_fetched_again(self):
        self.ask()
        before = self.home.snapshot()
        self.edge.ask("POST", "/rotate-keys?drop=1")
        self.assert_error(self.ask(), PROTOCOL, "signature")
        self.assertEqual(self.fetched(), 1)
        self.assert_unchanged(before)

    def test_bad_signature_with_old_keys_fetches_once_and_is_refused(self):
        self.ask()
        self.home.make_older(JWKS, 120)
        before = self.home.snapshot()
        self.edge.fault("metadata.bad_signature")
        self.assert_error(self.ask(), PROTOCOL, "signature")
        self.assertEqual(self.fetched(), 2)
        self.assert_unchanged(before)

    def test_broken_cache_is_replaced(self):
        self.ask()
        good = self.home.read(JWKS)
        for content in ("", "garbage", "{}", '{"keys":[]}'):
            with self.subTest(content):
                self.home.plant(JWKS, content)
                self.assert_error(self.ask(), LOGIN_NEEDED)
                self.assertEqual(self.home.read(JWKS), good)

    def test_keys_of_another_team_in_the_cache_open_nothing(self):
        self.ask()
        self.edge.application("other", hostname="other.example.com", team="other", origin="echo")
        self.home.mayfly("login", "--batch", "other.example.com")
        self.home.plant(JWKS, self.home.read("other.cloudflareaccess.com-jwks"))
        self.assert_error(self.ask(), PROTOCOL, "signature")


class Remembered(EdgeCase):
    """The record `<host>-app`: there is one for an application and not one for each of its pages."""

    def know(self, application, url):
        token = self.home.plant_token(application)
        self.assert_done(self.home.mayfly("login", "--batch", "-q", url))
        return token

    def offline_token(self, url):
        result = self.assert_done(self.home.mayfly("token", url, env=NOWHERE))
        return result.out.decode()

    def test_all_pages_of_an_application(self):
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        token = self.know("web", "https://web.example.com/a/b?c=1")
        for page in ("", "/", "/a", "/a/b/", "/b?d=2"):
            self.assert_done(self.home.mayfly("curl", "-s", "https://web.example.com" + page))
            self.assertEqual(self.offline_token("https://web.example.com" + page), token)
        self.assertEqual(self.home.files(), [JWKS, self.home.token_name("web"), "web.example.com-app"])

    def test_application_inside_another(self):
        self.edge.application("tools", hostname="tools.example.com")
        inner = self.know("path", "tools.example.com/admin/users")
        outer = self.know("tools", "tools.example.com/shop")
        self.assertEqual([name for name in self.home.files() if name.endswith("-app")],
                         ["tools.example.com-admin-app", "tools.example.com-app"])
        for page, token in [("/admin", inner), ("/admin/x/y", inner), ("", outer), ("/shop/x", outer),
                            ("/administration", outer)]:
            self.assertEqual(self.offline_token("tools.example.com" + page), token, page)

    def test_application_that_turns_out_to_be_inside_another(self):
        """The edge refuses the token of the outer application, which is still valid elsewhere."""
        self.edge.application("tools", hostname="tools.example.com", origin="echo")
        outer = self.know("tools", "tools.example.com")
        inner = self.home.plant_token("path")
        running = self.home.start("ssh", "--batch", "--hostname", "tools.example.com/admin", stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())
        self.assertEqual([entry["status"] for entry in self.edge.upgrades()], [302, 101])
        self.assertEqual(self.offline_token("tools.example.com"), outer)
        self.assertEqual(self.offline_token("tools.example.com/admin"), inner)

    def test_logout_by_a_page(self):
        self.know("web", "web.example.com")
        self.assert_done(self.home.mayfly("logout", "web.example.com/a/b"))
        self.assertEqual(self.home.files(), [])

    def test_description_that_names_another_teams_application(self):
        """The named application's token was issued by that team, and does not belong to this application."""
        token = self.know("web", "web.example.com")
        self.edge.application("evil", hostname="evil.example.com", team="evil", origin="echo")
        self.home.mayfly("login", "--batch", "evil.example.com")  # This stores the keys of its team.
        self.home.plant("evil.example.com-app", self.edge.mint("meta", "evil", claims={
            "type": "match", "hostname": "evil.example.com", "auth_domain": "evil.cloudflareaccess.com",
            "app_hostname": "web.example.com", "aud": self.edge.audience("web")}))
        self.edge.ask("DELETE", "/log")
        self.assertEqual(self.home.mayfly("token", "evil.example.com").out, b"")
        result = self.home.mayfly("ssh", "--batch", "--hostname", "evil.example.com")
        self.assert_error(result, LOGIN_NEEDED)
        self.assertFalse(any(token in str(entry) for entry in self.edge.log()))
        self.assertEqual(self.home.text(self.home.token_name("web")), token)
