"""The person as Access knows them: status --online, logout --revoke, and doctor after the refusal of a policy."""
import json
import os
import time

from harness.agent_case import AgentCase
from harness.case import DONE, LOGIN_NEEDED, NETWORK, NOWHERE, PROTOCOL, REFUSED, USAGE, EdgeCase
from harness.edge import EMAIL, header
from harness.turnstile import Turnstile
from harness.waiting import eventually

TEAM = "acme.cloudflareaccess.com"
IDENTITY, LOGOUT = "/cdn-cgi/access/get-identity", "/cdn-cgi/access/logout"
JANE = {"name": "Jane Doe", "groups": ["engineering", "on call"], "idp": {"id": "1", "type": "okta"},
        "devicePosture": {"1": {"type": "firewall", "rule_name": "Firewall on", "success": False},
                          "2": {"type": "warp", "success": True}}}


class PersonCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.edge.configure(people={EMAIL: JANE})

    def know(self, application, **changes):
        """Stores the record and the app token of the application, without a person."""
        hostname = self.edge.application(application, **changes)["hostname"]
        token = self.home.plant_token(application)
        self.assert_done(self.home.mayfly("login", "--batch", "-q", hostname))
        self.edge.ask("DELETE", "/log")
        return token

    def asked(self, path):
        """The hosts and cookies of the requests for this path."""
        return [(entry["host"], header(entry, "Cookie")) for entry in self.edge.log(path=path)]


class Online(PersonCase):
    def status(self, *flags, **more):
        return self.home.mayfly("status", "--online", *flags, **more)

    def online(self):
        result = self.assert_done(self.status("--json"))
        return json.loads(result.out)["online"]

    def test_org_token_is_shown_to_its_team_alone(self):
        self.know("web")
        org = self.home.plant_org_token()
        answer, = self.online()
        self.assertEqual(answer, {"team": TEAM, "application": None, "problem": None, "person": {
            "email": EMAIL, "name": "Jane Doe", "machine": None, "identity_provider": "okta",
            "groups": ["engineering", "on call"],
            "posture": [{"rule": "Firewall on", "passed": False}, {"rule": "warp", "passed": True}]}})
        self.assertEqual(self.asked(IDENTITY), [(TEAM, ["CF_Authorization=" + org])])

    def test_app_token_is_shown_to_its_application_alone(self):
        token = self.know("web")
        answer, = self.online()
        self.assertEqual((answer["application"], answer["person"]["email"]), ("web.example.com", EMAIL))
        self.assertEqual(self.asked(IDENTITY), [("web.example.com", ["CF_Authorization=" + token])])

    def test_in_words(self):
        self.know("web")
        lines = self.assert_done(self.status()).out.decode().splitlines()
        self.assertRegex(lines[0], "^WHAT")
        self.assertEqual(lines[-1], f"web.example.com knows you as {EMAIL} (Jane Doe), by okta, in the groups "
                                    "engineering, on call; device posture: Firewall on failed, warp passed")

    def test_ended_session(self):
        self.know("web")
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        result = self.assert_done(self.status())
        self.assertIn("the session at web.example.com has ended: log in again", result.out.decode())
        answer, = self.online()
        self.assertEqual((answer["person"], answer["problem"]), (None, None))

    def test_without_network(self):
        self.know("web")
        result = self.status(env=NOWHERE)
        self.assertEqual(result.code, NETWORK, result)
        self.assertIn("web.example.com was not asked: ", result.out.decode())
        result = self.status("--json", env=NOWHERE)
        self.assertIn("connect", json.loads(result.out)["online"][0]["problem"])

    def test_nothing_stored_and_no_such_flag_without_it(self):
        self.assert_done(self.status())
        self.assertEqual(self.edge.log(), [])
        self.know("web")
        self.assertNotIn("online", json.loads(self.home.mayfly("status", "--json").out))
        self.assertEqual(self.edge.log(), [])

    def test_host_that_another_team_holds_now(self):
        """The record is too old to be believed, and the edge names another application."""
        self.know("web")
        claims = {"type": "match", "hostname": "web.example.com", "aud": self.edge.audience("web"),
                  "auth_domain": TEAM, "iat": int(time.time()) - 400 * 24 * 3600}
        self.home.plant("web.example.com-app", self.edge.mint("meta", "web", claims=claims))
        self.edge.application("web", team="umbrella", aud="0" * 64)
        result = self.status()
        self.assertEqual(result.code, PROTOCOL, result)
        self.assertIn("web.example.com is another application now", result.out.decode())
        self.assertEqual(self.asked(IDENTITY), [])


    def test_logout_while_it_asks(self):
        """The connection to Access is held back while somebody logs out: the token does not go out on it."""
        for moment in (1, 2):
            self.fresh()
            self.know("web")
            turnstile = Turnstile(self.edge.port, moment)
            self.addCleanup(turnstile.stop)
            running = self.home.start("status", "--online", env={"MAYFLY_CONNECT_TO": turnstile.connect_to})
            eventually("it is held", turnstile.held.is_set)
            self.assert_done(self.home.mayfly("logout", "--all"))
            turnstile.go_on()
            result = running.finish()
            self.assertEqual(result.code, LOGIN_NEEDED, result)
            self.assertIn("web.example.com was not asked: ", result.out.decode())
            self.assertEqual(self.asked(IDENTITY), [])


class Revoke(PersonCase):
    def logout(self, *arguments, **more):
        return self.home.mayfly("logout", "--revoke", *arguments, **more)

    def is_let_in(self, token):
        self.home.plant(self.home.token_name("web"), token)
        result = self.home.mayfly("login", "--batch", "-q", "web.example.com")
        self.assertIn(result.code, (DONE, LOGIN_NEEDED), result)
        return result.code == DONE

    def test_all_sessions_end_at_access(self):
        token = self.know("web")
        org = self.home.plant_org_token()
        result = self.assert_done(self.logout("--all"))
        self.assertIn(f"removed your sessions at {TEAM}", result.err)
        self.assertEqual(self.asked(LOGOUT), [(TEAM, ["CF_Authorization=" + org])])
        self.assertEqual(self.home.files(), [])
        self.assertFalse(self.is_let_in(token))

    def test_session_of_one_application(self):
        token = self.know("web")
        self.assert_done(self.logout("web.example.com"))
        self.assertEqual(self.asked(LOGOUT), [("web.example.com", ["CF_Authorization=" + token])])
        self.assertFalse(self.is_let_in(token))

    def test_org_token_ends_with_the_session_of_an_application(self):
        self.know("web")
        org = self.home.plant_org_token()
        result = self.assert_done(self.logout("web.example.com"))
        self.assertEqual(self.asked(LOGOUT), [(TEAM, ["CF_Authorization=" + org])])
        self.assertNotIn("stays", result.err)
        self.assertNotIn(f"{TEAM}-org-token", self.home.files())

    def test_without_the_flag_the_session_goes_on(self):
        token = self.know("web")
        self.assert_done(self.home.mayfly("logout", "web.example.com"))
        self.assertEqual(self.asked(LOGOUT), [])
        self.assertTrue(self.is_let_in(token))

    def test_nothing_stays_here_if_the_network_fails(self):
        self.know("web")
        self.home.plant_org_token()
        result = self.logout("--all", env=NOWHERE)
        self.assertNotEqual(result.code, DONE, result)
        self.assertIn("mayfly: error: ", result.err)
        self.assertEqual(self.home.files(), [])

    def test_nothing_to_end(self):
        result = self.assert_done(self.logout("--all"))
        self.assertEqual(self.edge.log(), [])
        result = self.home.mayfly("logout", "--revoke")
        self.assertEqual(result.code, USAGE, result)


class Doctor(PersonCase):
    def doctor(self):
        result = self.home.mayfly("doctor", "--hostname", "echo.example.com", "--json")
        return result.code, {check["name"]: check for check in json.loads(result.out)["checks"]}

    def test_policy_that_refuses_the_person(self):
        token = self.know("echo")
        self.edge.fault("upgrade.403")
        code, checks = self.doctor()
        self.assertEqual(code, REFUSED)
        self.assertIn(f"Access knows you as {EMAIL} (Jane Doe), by okta, in the groups engineering, on call; "
                      "device posture: Firewall on failed, warp passed", checks["upgrade"]["detail"])
        self.assertEqual(self.asked(IDENTITY), [("echo.example.com", ["CF_Authorization=" + token])])

    def test_403_of_the_origin_asks_nobody(self):
        self.know("echo", own_answers={"/*": {"status": 403}})
        self.doctor()
        self.assertEqual(self.asked(IDENTITY), [])

    def test_org_token_that_earns_no_token(self):
        self.know("echo")
        os.unlink(self.home.file(self.home.token_name("echo")))
        org = self.home.plant_org_token()
        self.edge.application("echo", allow=["somebody@example.com"])
        code, checks = self.doctor()
        self.assertEqual(code, LOGIN_NEEDED)
        self.assertIn("Access knows you as " + EMAIL, checks["token"]["detail"])
        self.assertEqual(self.asked(IDENTITY), [(TEAM, ["CF_Authorization=" + org])])


class Signer(AgentCase):
    """The signer's own words get their hints."""

    def test_each_message(self):
        for fault, said, hint in (
                ("no_ca", "Please create a ca for application", "generate the certificate"),
                ("custom_domain", "Only cloudflareaccess subdomains", "custom domain"),
                ("empty", "is empty", "hint: ")):
            with self.subTest(fault):
                self.fresh()
                self.home.plant_token("ssh")
                self.edge.fault("cert_sign." + fault)
                result = self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com")
                self.assert_error(result, PROTOCOL if fault == "empty" else REFUSED, said, hint)
