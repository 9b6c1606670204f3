"""Managed OAuth as a login of its own (--oauth): the login in the browser on this computer, the token with each kind of
request, its renewal, and its end."""
import http.client
import json
import os
import pwd
import signal
import stat
import time
import urllib.parse

from harness import programs
from harness.case import DONE, FAILED, LOGIN_NEEDED, NETWORK, PROTOCOL, REFUSED, USAGE
from harness.edge import EMAIL, header
from harness.http_case import HttpCase
from harness.listener import receive
from harness.origin import Origin, echo
from harness.process import PIPE, run
from harness.waiting import eventually

HOST, TEAM = "wiki.example.com", "acme.cloudflareaccess.com"
GRANT, CLIENT = f"{HOST}-oauth-grant", f"{HOST}-oauth-client"


class OauthCase(HttpCase):
    settings = {}

    def setUp(self):
        super().setUp()
        self.prepare()

    def prepare(self, decision="approve", application=None, **settings):
        self.fresh()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.home.install_browser(decision=decision)
        self.edge.application("wiki", hostname=HOST, origin="echo", managed_oauth=settings or True,
                              **(application or {}))

    def login(self, *flags, **more):
        return self.home.mayfly("login", "--oauth", *flags, HOST, **more)

    def logged_in(self):
        self.assert_done(self.login("-q"))
        self.edge.ask("DELETE", "/log")
        return self.grant()

    def grant(self):
        return json.loads(self.home.text(GRANT))

    def grants(self):
        return self.edge.oauth()["grants"]

    def curl_through(self, *flags):
        return self.home.mayfly("curl", *flags, "-sS", f"https://{HOST}/")

    def bearers(self):
        """The tokens of the requests for the application, and of its upgrades."""
        return [value for entry in self.edge.log(HOST) for value in header(entry, "Authorization")]

    def forms(self, endpoint):
        """The forms that the endpoint got."""
        return [dict(urllib.parse.parse_qsl(entry["body"]))
                for entry in self.edge.log(TEAM, path="/cdn-cgi/access/oauth/" + endpoint)]


class Login(OauthCase):
    def test_person_approves_in_the_browser(self):
        result = self.assert_done(self.login())
        self.assertEqual(result.out, b"", "a token of Managed OAuth is no app token")
        self.assertIn("logged in by Managed OAuth; the token renews itself", result.err)
        self.assertIn("The browser has to run on this computer", result.err)
        grant, = self.grants()
        self.assertEqual((grant["email"], grant["application"], grant["alive"]), (EMAIL, "wiki", True))
        visit, = self.home.browsed()
        self.assertIn("You can close this page", visit["pages"][-1])
        self.assertEqual([name for name in self.home.files() if name.endswith(("-token", ".lock", ".url"))], [])

    def test_request_of_the_login(self):
        """RFC 6749, 7636, 8252 and 8707, as the edge got it; it checks the proof key itself."""
        self.logged_in()
        url = self.home.browsed()[0]["url"]
        self.assertTrue(url.startswith(f"https://{TEAM}/cdn-cgi/access/oauth/authorization?"), url)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        self.assertRegex(query["redirect_uri"], r"^http://127\.0\.0\.1:\d+/callback$")
        self.assertRegex(query["code_challenge"], r"^[A-Za-z0-9][A-Za-z0-9_-]{42}$")
        self.assertGreaterEqual(len(query["state"]), 43)
        self.assertEqual((query["response_type"], query["code_challenge_method"], query["resource"]),
                         ("code", "S256", f"https://{HOST}"))

    def test_files_are_the_owners_alone(self):
        os.umask(0)
        self.addCleanup(os.umask, 0o022)
        self.logged_in()
        for name in (GRANT, CLIENT):
            self.assertEqual(stat.S_IMODE(os.stat(self.home.file(name)).st_mode), 0o600)

    def test_registration_is_kept(self):
        self.logged_in()
        self.edge.oauth(end=True)
        os.unlink(self.home.file(GRANT))
        self.logged_in()
        self.assertEqual(self.edge.stats()["registrations"], 1)

    def test_person_denies(self):
        self.prepare(decision="deny")
        result = self.assert_error(self.login(), REFUSED, "you did not let mayfly in")
        self.assertNotIn("http://127", result.err.splitlines()[-1])
        self.assertEqual([name for name in self.home.files() if "grant" in name], [])

    def test_batch(self):
        self.assert_error(self.login("--batch"), LOGIN_NEEDED, "Managed OAuth")
        self.assertEqual(self.home.browsed(), [])

    def test_application_without_it(self):
        self.edge.application("wiki", managed_oauth=False)
        self.assert_error(self.login(), REFUSED, "offers no Managed OAuth")

    def test_answers_that_are_not_from_the_server(self):
        for fault, settings, code in (("wrong_iss", {"iss": True}, PROTOCOL), ("wrong_iss", {}, PROTOCOL)):
            with self.subTest(fault, **settings):
                self.prepare(**(settings or {"enabled": True}))
                self.edge.fault("oauth." + fault)
                self.assert_error(self.login(), code, "not from https://" + TEAM)
                self.assertEqual(self.forms("token"), [])

    def test_issuer_that_names_itself(self):
        self.prepare(iss=True)
        self.assert_done(self.login())

    def test_application_that_is_its_own_issuer(self):
        self.prepare(issuer="host")
        self.assert_done(self.login())

    def test_metadata_that_is_refused(self):
        for fault, code in (("foreign_issuer", PROTOCOL), ("foreign_endpoint", PROTOCOL), ("no_s256", PROTOCOL),
                            ("no_registration", REFUSED), ("garbage", PROTOCOL), ("huge", PROTOCOL),
                            ("500", NETWORK)):
            with self.subTest(fault):
                self.prepare()
                self.edge.fault("oauth." + fault)
                self.assert_error(self.login(), code)
                self.assertEqual((self.home.browsed(), self.edge.stats()["registrations"]), ([], 0))

    def test_endpoint_at_a_page_that_hands_out_tokens(self):
        self.edge.fault("oauth.foreign_endpoint", {"value": f"https://{TEAM}/cdn-cgi/access/cli"})
        self.assert_error(self.login(), PROTOCOL, "token_endpoint is missing or no page of Access")

    def test_flags_that_contradict_it(self):
        for flags in (("--qr",), ("--id", "x.access", "--secret", "0" * 64)):
            self.assert_error(self.login(*flags), USAGE, "--oauth cannot be used")
        public = os.path.join(self.home.path, "key.pub")
        run([programs.system("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", public[:-len(".pub")]])
        for words in (("ssh-gen", HOST), ("ssh-gen", "--check", HOST), ("connect", HOST), ("connect", "--print", HOST),
                      ("ssh-config", "--short-lived-cert", HOST), ("ssh-config", "--agent", HOST),
                      ("ssh-config", "--public-key", public, HOST)):
            with self.subTest(words):
                self.assert_error(self.home.mayfly(*words[:1], "--oauth", *words[1:]), USAGE,
                                  "--oauth cannot be used: a token of Managed OAuth earns no SSH certificate")
        self.assert_done(self.home.mayfly("ssh-config", "--oauth", HOST))

    def test_forged_redirects(self):
        """Another program at this computer does not know the state; its redirects end nothing."""
        self.home.install_idle_browser()
        running = self.home.start("login", "--oauth", HOST)
        eventually("the browser is open", self.home.browsed)
        url = self.home.browsed()[0]["url"]
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        address = urllib.parse.urlsplit(query["redirect_uri"])
        forged = [("/callback?code=x", address.netloc), ("/callback?code=x&state=wrong", address.netloc),
                  (f"/callback?code=x&state={query['state']}&state=x", address.netloc),
                  (f"/other?code=x&state={query['state']}", address.netloc),
                  (f"/callback?code=x&state={query['state']}", "evil.example")]
        for target, host in forged:
            client = http.client.HTTPConnection("127.0.0.1", address.port, timeout=30)
            client.request("GET", target, headers={"Host": host})
            self.assertEqual(client.getresponse().status, 404, target)
            client.close()
        self.assertFalse(running.has_ended())
        self.assertEqual(self.forms("token"), [])
        running.kill()

    def test_redirect_of_another_user(self):
        """The state stands in the list of processes; a user who has logged in with it as himself ends nothing."""
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        self.home.install_idle_browser()
        running = self.home.start("login", "--oauth", HOST)
        eventually("the browser is open", self.home.browsed)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.home.browsed()[0]["url"]).query))
        redirect = query["redirect_uri"] + "?" + urllib.parse.urlencode({"code": "foreign", "state": query["state"]})
        nobody = pwd.getpwnam("nobody")

        def visit(user):
            return run([programs.system("setpriv"), f"--reuid={user.pw_uid}", "--clear-groups", "--",
                        programs.system("curl"), "-sS", "-o", os.devnull, "-w", "%{http_code}", redirect]).out
        self.assertEqual(visit(nobody), b"000")
        self.assertFalse(running.has_ended())
        # A user who is gone before mayfly looks: the kernel keeps no owner of a closed socket.
        address = urllib.parse.urlsplit(redirect)
        request = f"GET {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n"
        for seconds in (None, 0):
            visitor = ("import encodings.idna, os, socket, struct; "
                       f"os.setuid({nobody.pw_uid}); s = socket.create_connection(('127.0.0.1', {address.port})); "
                       f"{seconds} is None or s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); "
                       f"s.sendall({request.encode()!r}); s.close()")
            running.send(signal.SIGSTOP)
            self.assert_done(run([programs.PYTHON, "-c", visitor]))
            running.send(signal.SIGCONT)
            self.assertEqual(visit(nobody), b"000")  # mayfly has looked at all that came before
            self.assertFalse(running.has_ended())
        self.assertEqual(self.forms("token"), [])
        self.assertEqual(visit(pwd.getpwuid(os.geteuid())), b"200")
        self.assert_error(running.finish(), REFUSED)
        self.assertEqual([form["code"] for form in self.forms("token")], ["foreign"])

    def test_token_lives_from_its_issue_on(self):
        """The person takes longer than the clock's second; the token's time does not begin before the person is done."""
        self.prepare(access_token_lifetime=300)
        browser = self.home.install_browser()
        os.rename(browser, browser + ".done")
        self.home.script(os.path.basename(browser), f'{programs.system("sleep")} 2.5; exec "{browser}.done" "$@"\n')
        self.assert_done(self.login("-q"))
        issued = self.edge.log(TEAM, path="/cdn-cgi/access/oauth/token")[0]
        self.assertGreaterEqual(self.grant()["expires"], int(issued["time"]) + 299)


class Use(OauthCase):
    def test_curl(self):
        grant = self.logged_in()
        result = self.assert_done(self.curl_through())
        self.assertEqual(result.out.decode(), f"hello from wiki, {EMAIL}\n")
        self.assertEqual(set(self.bearers()), {"Bearer " + grant["access_token"]})

    def test_curl_logs_in(self):
        self.assert_done(self.curl_through("--oauth"))
        self.assertEqual(len(self.grants()), 1)

    def test_curl_sends_it_nowhere_else(self):
        self.logged_in()
        result = self.home.mayfly("curl", "-sS", f"https://{HOST}/", "https://web.example.com/")
        self.assertEqual(result.code, USAGE, result)
        self.assertEqual(self.bearers(), self.bearers()[:1], "only the question whether it is good")
        self.edge.application("wiki", own_answers={"/*": {"status": 302, "headers": [
            ["Location", "https://web.example.com/"]]}})
        self.home.mayfly("curl", "-sSL", "--allow-redirects", f"https://{HOST}/")
        self.assertEqual([e for e in self.edge.log("web.example.com") if header(e, "Authorization")], [])

    def test_curl_with_an_authorization_of_its_own(self):
        """A request with two is ambiguous, so the normal login is used."""
        self.logged_in()
        self.assert_done(self.home.mayfly("curl", "-sS", "-u", "jdoe:secret", f"https://{HOST}/"))
        self.assertEqual(self.bearers(), ["Basic amRvZTpzZWNyZXQ="])
        result = self.home.mayfly("curl", "--oauth", "-H", "Authorization: x", f"https://{HOST}/")
        self.assert_error(result, USAGE, "--oauth cannot be used")

    def test_tunnel(self):
        grant = self.logged_in()
        running = self.home.start("ssh", "--hostname", HOST, stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        running.close_stdin()
        self.assert_done(running.finish())
        upgrade, = self.edge.upgrades(HOST)
        self.assertEqual(header(upgrade, "Authorization"), ["Bearer " + grant["access_token"]])
        self.assertEqual(header(upgrade, "Cf-Access-Token"), [])

    def test_listeners_renew_an_expired_token(self):
        """Each connection of a listener has the token; one renewal serves those that come after it is refused."""
        self.edge.application("wiki", origin="bastion", hosts={"db.internal": "127.0.0.1"})
        for kind, words in (("tcp", b""), ("socks", b"\x05\x01\x00\x05\x01\x00\x03\x0bdb.internal")):
            with self.subTest(kind):
                origin = Origin(echo)
                self.addCleanup(origin.stop)
                self.logged_in()
                place = ["--destination", f"db.internal:{origin.port}"] if kind == "tcp" else []
                running = self.home.start(kind, "--hostname", HOST, "--batch", "--url", "127.0.0.1:0", *place)
                port = int(self.places(running)[0].rsplit(":", 1)[1])
                self.edge.oauth(expire_access_tokens=True)
                refreshes = self.edge.stats()["refreshes"]
                for _ in range(3):
                    connection = self.connect(port)
                    if words:
                        connection.sendall(words + origin.port.to_bytes(2, "big"))
                        self.assertEqual(receive(connection, 12)[2:4], b"\x05\x00")
                    self.assert_echo(connection)
                self.assertEqual(self.edge.stats()["refreshes"], refreshes + 1)
                token = self.grant()["access_token"]
                self.assertIn("Bearer " + token, self.bearers())
                running.kill()

    def test_edge_whose_upgrades_do_not_take_it(self):
        self.prepare(websocket=False)
        self.logged_in()
        result = self.home.mayfly("ssh", "--batch", "--hostname", HOST, stdin=b"")
        self.assertEqual(result.code in (LOGIN_NEEDED, REFUSED), True, result)
        self.assertLessEqual(len(self.edge.upgrades(HOST)), 2, "it ends")

    def test_http(self):
        self.edge.application("wiki", origin="page")
        grant = self.logged_in()
        running = self.listen("--url", "127.0.0.1:0")
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        status, _, body = self.get(port, Authorization="Basic amRvZTpzZWNyZXQ=")
        self.assertEqual((status, body.decode()), (200, f"hello from wiki, {EMAIL}\n"))
        self.assertEqual(self.bearers(), ["Bearer " + grant["access_token"]])

    def test_http_renews_an_expired_token(self):
        self.edge.application("wiki", origin="page")
        self.logged_in()
        running = self.listen("--batch", "--url", "127.0.0.1:0")
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        self.edge.oauth(expire_access_tokens=True)
        self.assertEqual(self.get(port)[0], 200)
        self.assertEqual((self.edge.stats()["refreshes"], len(self.home.browsed())), (1, 1))

    def test_app_token_goes_first(self):
        self.logged_in()
        self.home.plant_token("wiki")
        self.assert_done(self.curl_through())
        self.assertEqual(self.bearers(), [])
        self.assert_done(self.curl_through("--oauth"))
        self.assertNotEqual(self.bearers(), [])

    def test_application_that_offers_nothing_else(self):
        self.prepare(alone=True)
        self.assert_done(self.home.mayfly("login", "-q", HOST))
        self.assertEqual(len(self.grants()), 1)
        self.assert_done(self.curl_through())

    def test_application_that_refuses_the_token_of_the_other_login(self):
        """As with Binding Cookie, which accepts the token from the browser of the login alone."""
        self.prepare(application={"binding_cookie": True})
        result = self.assert_done(self.home.mayfly("login", HOST))
        self.assertIn("logged in by Managed OAuth", result.err)
        self.assertIn("does not accept the token it has just issued", result.err)
        self.assertEqual(result.out, b"")
        logins = len(self.home.browsed())
        self.edge.ask("DELETE", "/log")
        self.assert_done(self.curl_through("--batch"))
        self.assertNotEqual(self.bearers(), [])
        self.assert_done(self.home.mayfly("login", "--batch", "-q", HOST))
        self.assertEqual(len(self.home.browsed()), logins)

    def test_application_that_refuses_every_login(self):
        self.prepare("deny", application={"binding_cookie": True})
        result = self.home.mayfly("login", HOST)
        self.assertEqual(result.code, REFUSED, result)
        self.assertIn("you did not let mayfly in", result.err)
        self.prepare(application={"binding_cookie": True})
        self.edge.application("wiki", managed_oauth=False)
        result = self.home.mayfly("login", HOST)
        self.assertEqual(result.code, REFUSED, result)
        self.assertIn("does not accept the token it has just issued (", result.err)

    def test_token_and_status(self):
        grant = self.logged_in()
        told = json.loads(self.assert_done(self.home.mayfly("token", "--json", HOST)).out)
        self.assertEqual((told["token"], told["header"]), (grant["access_token"], "Authorization: Bearer"))
        result = self.home.mayfly("token", HOST)
        self.assertEqual((result.code, result.out), (LOGIN_NEEDED, b""), result)
        entry, = json.loads(self.home.mayfly("status", "--json").out)["entries"]
        self.assertEqual((entry["kind"], entry["opens"], entry["state"]), ("oauth_grant", HOST, "valid"))
        self.assertRegex(self.home.mayfly("status").out.decode(), r"oauth grant +- +wiki.example.com +renews itself")


class Renewal(OauthCase):
    def expire(self):
        """The access token ends by our clock."""
        grant = self.grant()
        grant["expires"] = int(time.time()) - 1
        self.home.plant(GRANT, json.dumps(grant))
        return grant

    def test_refresh_token_rotates(self):
        old = self.logged_in()
        self.expire()
        self.assert_done(self.curl_through("--batch"))
        new = self.grant()
        self.assertNotEqual(new["refresh_token"], old["refresh_token"])
        self.assertNotEqual(new["access_token"], old["access_token"])
        form, = self.forms("token")
        self.assertEqual((form["grant_type"], form["refresh_token"], form["resource"]),
                         ("refresh_token", old["refresh_token"], f"https://{HOST}"))
        self.assertEqual(set(self.bearers()), {"Bearer " + new["access_token"]})

    def test_token_that_the_edge_refuses_is_renewed_once(self):
        self.logged_in()
        self.edge.oauth(expire_access_tokens=True)
        self.assert_done(self.curl_through("--batch"))
        self.assertEqual(self.edge.stats()["refreshes"], 1)

    def test_many_processes_at_once_refresh_once(self):
        """A refresh token works once: a second use would end the grant (RFC 9700 section 4.14.2)."""
        self.logged_in()
        self.expire()
        running = [self.home.start("curl", "--batch", "-sS", f"https://{HOST}/") for _ in range(8)]
        for one in running:
            self.assert_done(one.finish())
        grant, = self.grants()
        self.assertEqual((grant["alive"], self.edge.stats()["refreshes"]), (True, 1))
        self.assertEqual(grant["refresh_token"], self.grant()["refresh_token"])

    def test_ended_grant(self):
        self.logged_in()
        self.expire()
        self.edge.oauth(end=True)
        self.assert_error(self.login("--batch"), LOGIN_NEEDED, "Managed OAuth")
        self.assertNotIn(GRANT, self.home.files())
        self.assert_done(self.curl_through("--oauth"))
        self.assertEqual(len([grant for grant in self.grants() if grant["alive"]]), 1)

    def test_answer_of_the_server_is_lost_or_broken(self):
        for fault in ("500", "lost", "garbage"):
            with self.subTest(fault):
                self.prepare()
                old = self.logged_in()
                self.expire()
                self.edge.fault("oauth_token." + fault, 1)
                result = self.curl_through("--batch")
                self.assertIn(result.code, (NETWORK, PROTOCOL), result)
                self.assertEqual(self.grant()["refresh_token"], old["refresh_token"])
                self.assertNotIn(old["refresh_token"], result.err)

    def test_grant_of_another_application_or_port_is_not_used(self):
        for change in ({"audience": "0" * 64}, {"origin": f"https://{HOST}:8443"},
                       {"team_domain": "umbrella.cloudflareaccess.com"},
                       {"token_endpoint": "https://evil.example/cdn-cgi/access/oauth/token"},
                       {"token_endpoint": f"https://{TEAM}/cdn-cgi/access/cli"}):
            with self.subTest(**change):
                self.prepare()
                self.logged_in()
                self.home.plant(GRANT, json.dumps({**self.expire(), **change}))
                self.assert_error(self.login("--batch"), LOGIN_NEEDED)
                self.assertEqual(self.forms("token"), [])


class Logout(OauthCase):
    def test_revokes_the_grant(self):
        self.logged_in()
        result = self.assert_done(self.home.mayfly("logout", HOST))
        self.assertIn("removed the tokens of Managed OAuth", result.err)
        grant, = self.grants()
        self.assertEqual((grant["alive"], grant["ended"]), (False, "revoked"))
        self.assertEqual(self.home.files(), [])

    def test_all(self):
        self.logged_in()
        self.assert_done(self.home.mayfly("logout", "--all"))
        self.assertFalse(self.grants()[0]["alive"])
        self.assertEqual(self.home.files(), [])

    def test_nothing_stays_here_if_the_network_fails(self):
        self.logged_in()
        result = self.home.mayfly("logout", HOST, env={"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"})
        self.assertEqual(result.code, FAILED, result)
        self.assertIn("mayfly: error: ", result.err)
        self.assertNotIn(GRANT, self.home.files())

    def test_login_that_waits_stores_nothing(self):
        self.home.install_idle_browser()
        running = self.home.start("login", "--oauth", HOST)
        eventually("the browser is open", self.home.browsed)
        self.assert_done(self.home.mayfly("logout", "--all"))
        self.assert_error(running.finish(), LOGIN_NEEDED, "you logged out")
        self.assertNotIn(GRANT, self.home.files())

    def test_listener_sends_nothing_after_it(self):
        self.edge.application("wiki", origin="page")
        self.logged_in()
        running = self.listen("--batch", "--url", "127.0.0.1:0")
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        self.assertEqual(self.get(port)[0], 200)
        self.assert_done(self.home.mayfly("logout", HOST))
        self.edge.ask("DELETE", "/log")
        self.assertNotEqual(self.get(port)[0], 200)
        self.assertEqual(self.bearers(), [])
        self.assertEqual(self.forms("token"), [])


class Secrets(OauthCase):
    def test_tokens_are_in_no_message_log_or_argument(self):
        log = os.path.join(self.home.path, "log")
        said = []
        for command in (["login", "--oauth", HOST], ["curl", "-v", "-sS", f"https://{HOST}/"], ["status"],
                        ["doctor", "--hostname", HOST], ["logout", HOST]):
            flags = ["-v", "--logfile", log, "--loglevel", "debug"] if command[0] in ("login", "doctor") else []
            if command[0] == "curl":
                grant = self.grant()
            result = self.home.mayfly(*command, *flags)
            said += [result.err, result.out.decode()]
        with open(log, encoding="utf-8") as file:
            said.append(file.read())
        for text in said:
            for name in ("access_token", "refresh_token"):
                self.assertNotIn(grant[name], text)
