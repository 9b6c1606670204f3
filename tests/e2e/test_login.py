"""mayfly access login through the real login page, with a scripted person."""
import json
import os
import re
import signal
import urllib.parse

from harness.case import (CACHES, DONE, FAILED, LOGIN_NEEDED, NETWORK, PROTOCOL, REFUSED, EdgeCase)
from harness.edge import EMAIL, claims, header
from harness.process import PIPE
from harness.waiting import eventually

OPENED = "A browser window should have opened at the following URL:\n\n"
TO_OPEN = "Please open the following URL and log in with your Cloudflare account:\n\n"
URL = r"https://\S+/cdn-cgi/access/cli\?\S+"


class Login(EdgeCase):
    def wait_for_url(self, running):
        return running.wait_err(URL).group()

    def test_person_logs_in_through_the_page(self):
        self.home.install_browser()
        result = self.assert_done(self.home.mayfly("access", "login", "https://echo.example.com"))
        token = self.home.text(self.home.token_name("echo"))
        self.assertEqual(result.out.decode(), f"Successfully fetched your token:\n\n{token}\n\n")
        visit, = self.home.browsed()
        self.assertEqual(visit["failure"], "")
        self.assertTrue(result.err.startswith(OPENED + visit["url"] + "\n\n"), result)
        self.assertIn("email", "\n".join(visit["pages"]))
        self.assertEqual(claims(token)["email"], EMAIL)
        self.assertEqual(claims(token)["aud"], [self.edge.audience("echo")])
        org = claims(self.home.text("acme.cloudflareaccess.com-org-token"))
        self.assertEqual(org["iss"], "https://acme.cloudflareaccess.com")

    def test_files_left_are_the_five_and_no_more(self):
        self.logged_in()
        self.assertEqual(self.home.files(), sorted([
            self.home.token_name("echo"), "acme.cloudflareaccess.com-org-token",
            "acme.cloudflareaccess.com-jwks", "echo.example.com-app"]))

    def test_login_url(self):
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "https://web.example.com/a/b?q=1"))
        visit, = self.home.browsed()
        parts = urllib.parse.urlsplit(visit["url"])
        self.assertEqual(f"{parts.scheme}://{parts.netloc}{parts.path}",
                         "https://web.example.com/cdn-cgi/access/cli")
        pairs = urllib.parse.parse_qsl(parts.query, strict_parsing=True)
        self.assertEqual(pairs, sorted(pairs), "the query is not sorted")
        query = dict(pairs)
        aud, token = self.edge.audience("web"), query["token"]
        self.assertRegex(token, r"^[A-Za-z0-9_-]{43}=$")
        self.assertEqual(query["aud"], aud)
        self.assertEqual(query["send_org_token"], "true")
        self.assertEqual(query["edge_token_transfer"], "true")
        self.assertNotIn("close_interstitial", query)
        back = urllib.parse.urlsplit(query["redirect_url"])
        self.assertEqual((back.scheme, back.netloc), ("https", "web.example.com"))
        given = dict(urllib.parse.parse_qsl(back.query))
        self.assertEqual((given["aud"], given["token"]), (aud, token))

    def test_auto_close(self):
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "--auto-close", "web.example.com"))
        visit, = self.home.browsed()
        self.assertIn("close_interstitial=true", visit["url"])

    def test_key_is_never_used_again(self):
        self.home.install_browser()
        for _ in range(2):
            self.assert_done(self.home.mayfly("login", "-q", "web.example.com"))
            for name in self.home.files():
                if name.endswith("-token"):
                    self.home.plant(name, "")
        keys = [re.search(r"[?&]token=([^&]+)", v["url"]).group(1) for v in self.home.browsed()]
        self.assertEqual(len(set(keys)), 2, keys)

    def test_outputs(self):
        token = self.logged_in("web")
        full = f"Successfully fetched your token:\n\n{token}\n\n"
        for arguments, expected in [
                (["web.example.com"], full),
                (["--no-verbose", "web.example.com"], token),
                (["-no-verbose", "web.example.com"], token),
                (["web.example.com", "--no-verbose"], token),
                (["--app", "web.example.com"], token),
                (["--app=https://web.example.com"], token),
                (["-app", "web.example.com"], token),
                (["-app=web.example.com"], token),
                (["-q", "web.example.com"], ""),
                (["--quiet", "https://web.example.com"], ""),
                (["-quiet", "--app", "web.example.com"], "")]:
            for before in ([], ["access"], ["forward"]):
                with self.subTest(arguments=arguments, before=before):
                    result = self.home.mayfly(*before, "login", *arguments)
                    self.assertEqual(result.code, DONE, result)
                    self.assertEqual(result.out.decode(), expected)
                    self.assertEqual(result.err, "", result)
        self.assertEqual(len(self.home.browsed()), 1, "a stored token needs no browser")

    def test_browser_variable(self):
        for value, opened in [("{person}", True), ("{person} %s", True), ("{broken}:{person}", True),
                              ("/nonexistent/browser:{person} %s", True), ("{broken}", False),
                              ("/nonexistent/browser", False)]:
            with self.subTest(value):
                self.fresh()
                names = {"person": self.home.install_browser("person"),
                         "broken": self.home.script("broken", "exit 3\n")}
                running = self.home.start("login", "web.example.com",
                                          env={"BROWSER": value.format(**names)})
                url = self.wait_for_url(running)
                if not opened:
                    self.edge.sign_in(url)
                result = self.assert_done(running.finish())
                self.assertTrue(result.err.startswith((OPENED if opened else TO_OPEN) + url + "\n\n"),
                                result)

    def test_failing_browser_variable_gives_way_to_xdg_open(self):
        broken = self.home.script("broken", "exit 3\n")
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "web.example.com", env={"BROWSER": broken}))
        self.assertEqual(len(self.home.browsed()), 1)

    def test_browser_variable_comes_first(self):
        self.home.script("xdg-open", "touch \"$HOME/other-ran\"\n")
        person = self.home.install_browser("person")
        self.assert_done(self.home.mayfly("login", "web.example.com", env={"BROWSER": person}))
        self.assertNotIn("other-ran", self.home.snapshot())

    def test_no_browser_is_started_without_a_screen(self):
        for env in ({"DISPLAY": None}, {"DISPLAY": ""},
                    {"SSH_CONNECTION": "192.0.2.7 50022 192.0.2.1 22"},
                    {"SSH_CONNECTION": "192.0.2.7 50022 192.0.2.1 22", "WSL_DISTRO_NAME": "Debian",
                     "WAYLAND_DISPLAY": "wayland-0"}):
            with self.subTest(env):
                self.fresh()
                for name in ("xdg-open", "wslview"):
                    self.home.install_idle_browser(name)
                running = self.home.start("login", "web.example.com", env=env)
                url = self.wait_for_url(running)
                self.edge.sign_in(url)
                result = self.assert_done(running.finish())
                self.assertTrue(result.err.startswith(TO_OPEN + url + "\n\n"), result)
                self.assertEqual(self.home.browsed(), [])

    def test_browser_variable_counts_without_a_screen_too(self):
        person = self.home.install_browser("person")
        result = self.assert_done(self.home.mayfly("login", "web.example.com",
                                                   env={"DISPLAY": None, "BROWSER": person}))
        self.assertTrue(result.err.startswith(OPENED), result)

    def test_window_by_a_forwarded_display(self):
        self.home.install_browser()
        result = self.assert_done(self.home.mayfly("login", "web.example.com", env={
            "SSH_CONNECTION": "192.0.2.7 50022 192.0.2.1 22", "DISPLAY": "localhost:10.0"}))
        self.assertTrue(result.err.startswith(OPENED), result)

    def test_browser_of_windows_from_linux_under_windows(self):
        for name, take_url in (("wslview", "$1"), ("powershell.exe", "${4#Start-Process }"),
                               ("cmd.exe", "$4")):
            with self.subTest(name):
                self.fresh()
                self.home.script("xdg-open", "touch \"$HOME/other-ran\"\n")
                seen = os.path.join(self.home.path, "seen")
                self.home.script(name, f'printf %s "{take_url}" > {seen}.new\nmv {seen}.new {seen}\n')
                self.home.variables["PATH"] += ":/usr/bin:/bin"  # for mv
                running = self.home.start("login", "web.example.com",
                                          env={"WSL_DISTRO_NAME": "Debian", "DISPLAY": None})
                url = self.wait_for_url(running)
                with open(seen, encoding="ascii") as file:
                    given = file.read()
                self.assertEqual(given.strip("'").replace("^&", "&"), url)
                self.assertEqual("^&" in given, name == "cmd.exe")
                self.edge.sign_in(url)
                result = self.assert_done(running.finish())
                self.assertTrue(result.err.startswith(OPENED + url + "\n\n"), result)
                self.assertNotIn("other-ran", self.home.snapshot())

    def test_without_a_browser_the_url_is_printed_and_the_wait_goes_on(self):
        running = self.home.start("login", "web.example.com")
        url = self.wait_for_url(running)
        self.edge.sign_in(url)
        result = self.assert_done(running.finish())
        self.assertTrue(result.err.startswith(TO_OPEN + url + "\n\n"), result)
        self.assertTrue(result.out.startswith(b"Successfully fetched your token:\n\n"))

    def test_no_browser_flag_opens_no_browser(self):
        self.home.install_idle_browser()
        running = self.home.start("login", "--no-browser", "web.example.com")
        self.edge.sign_in(self.wait_for_url(running))
        self.assert_done(running.finish())
        self.assertEqual(self.home.browsed(), [])

    def test_batch_never_asks(self):
        self.home.install_browser()
        result = self.home.mayfly("login", "--batch", "web.example.com")
        self.assert_error(result, LOGIN_NEEDED, "web.example.com", "login")
        self.assertEqual(self.home.browsed(), [])
        self.assertEqual(self.edge.stats()["polls"], 0)
        self.assertEqual([f for f in self.home.files() if not f.endswith(CACHES)], [])

    def test_person_that_is_not_let_in(self):
        self.edge.application("web", allow=["boss@example.com"])
        self.home.install_browser()
        running = self.home.start("login", "web.example.com")
        self.wait_for_url(running)
        eventually("the person has been refused", self.home.browsed)
        self.assertIn(403, [v["status"] for v in self.home.browsed()[0]["visited"]])
        self.assertFalse(running.has_ended())
        running.send(signal.SIGINT)
        self.assert_error(running.finish(), LOGIN_NEEDED, "interrupted")

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                self.fresh()
                running = self.home.start("login", "web.example.com")
                self.wait_for_url(running)
                eventually("it polls", lambda: self.edge.stats()["polls"] > 0)
                running.send(number)
                self.assert_error(running.finish(10), LOGIN_NEEDED, "interrupted")
                self.assertEqual(self.home.files(),
                                 ["acme.cloudflareaccess.com-jwks", "web.example.com-app"])

    def test_lock_and_url_files_while_it_waits(self):
        running = self.home.start("login", "web.example.com")
        url = self.wait_for_url(running)
        base = self.home.token_name("web")
        eventually("the URL file", lambda: base + ".url" in self.home.files())
        self.assertEqual(self.home.text(base + ".url").strip(), url)
        lock = json.loads(self.home.text(base + ".lock"))
        self.assertEqual(sorted(lock), ["pid", "start_time"])
        self.assertEqual(lock["pid"], running.pid)
        self.edge.sign_in(url)
        self.assert_done(running.finish())
        self.assertEqual([f for f in self.home.files() if f.endswith((".lock", ".url"))], [])

    def test_killed_login_stops_no_other_login(self):
        running = self.home.start("login", "web.example.com")
        self.wait_for_url(running)
        running.kill()
        self.assertIn(self.home.token_name("web") + ".lock", self.home.files())
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "web.example.com", seconds=20))
        self.assertEqual([f for f in self.home.files() if f.endswith((".lock", ".url"))], [])

    def test_second_login_waits_for_the_first(self):
        first = self.home.start("login", "--no-verbose", "web.example.com")
        url = self.wait_for_url(first)
        second = self.home.start("login", "--no-verbose", "web.example.com")
        self.assertEqual(self.wait_for_url(second), url)
        self.assertEqual(second.err.strip().splitlines()[0],
                         f"Another process (pid {first.pid}) is already waiting for this login: {url}")
        self.assertEqual(len(second.err.strip().splitlines()), 1, second.err)
        self.edge.sign_in(url)
        results = [self.assert_done(running.finish()) for running in (first, second)]
        self.assertEqual(results[0].out, results[1].out)
        self.assertIn(str(first.pid), results[1].err)
        self.assertEqual(self.edge.stats()["transfers"], 1)

    def test_expired_token_is_replaced(self):
        old = self.home.plant_token("web", expires_in=-60)
        new = self.logged_in("web")
        self.assertNotEqual(old, new)
        self.assertEqual(self.home.text(self.home.token_name("web")), new)

    def test_token_revoked_at_the_edge_is_renewed(self):
        old = self.logged_in("web")
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        new = self.assert_done(self.home.mayfly("login", "--no-verbose", "web.example.com")).out
        self.assertNotEqual(new.decode(), old)
        self.assertEqual(len(self.home.browsed()), 2)

    def test_both_tokens_are_stored_again_after_the_org_token_expired(self):
        self.home.plant_org_token(expires_in=-60)
        self.logged_in("web")
        org = claims(self.home.text("acme.cloudflareaccess.com-org-token"))
        self.assertGreater(org["exp"], org["iat"])
        self.assert_done(self.home.mayfly("login", "--batch", "-q", "echo.example.com"))

    def test_health_of_the_origin_does_not_decide(self):
        self.edge.fault("origin.down")
        self.logged_in("web")

    def test_binding_cookie_is_explained(self):
        self.edge.application("web", binding_cookie=True)
        self.home.install_browser()
        result = self.home.mayfly("login", "web.example.com")
        self.assertEqual(result.code, REFUSED, result)
        self.assertIn("Binding Cookie", result.err)
        self.assertLessEqual(len(self.home.browsed()), 2, "it loops")

    def test_no_application(self):
        before = self.home.snapshot(CACHES)
        self.edge.application("web", policy="none")
        result = self.home.mayfly("login", "--batch", "web.example.com")
        self.assert_error(result, FAILED, "no Access application", "web.example.com")
        self.assert_unchanged(before, besides=CACHES)

    def test_other_hosts_get_no_token(self):
        token = self.logged_in("web")
        for entry in self.edge.log():
            if entry["host"] != "web.example.com":
                self.assertNotIn(token, json.dumps(entry["headers"]) + entry["target"])


class Transfer(EdgeCase):
    """The person takes long, the service has errors, or the answer is wrong."""

    def start(self, **more):
        running = self.home.start("login", "--no-verbose", "web.example.com", **more)
        return running, running.wait_err(URL).group()

    def test_person_takes_long(self):
        self.edge.configure(poll_seconds=0.2)
        running, url = self.start()
        eventually("several polls", lambda: self.edge.stats()["polls"] >= 3)
        self.edge.sign_in(url)
        self.assert_done(running.finish())

    def test_polls_that_end_at_once_or_break(self):
        for fault, times in [("short_polls", 3), ("drop_polls", 3), ("500", 2)]:
            with self.subTest(fault):
                self.fresh()
                self.edge.fault("transfer." + fault, times)
                running, url = self.start()
                eventually("polls", lambda: self.edge.stats()["polls"] > times)
                self.edge.sign_in(url)
                self.assert_done(running.finish())

    def test_polls_that_end_at_once_are_no_flood(self):
        self.edge.fault("transfer.short_polls")
        running, _ = self.start()
        eventually("three polls", lambda: self.edge.stats()["polls"] >= 3)
        times = [e["time"] for e in self.edge.log(path="/transfer/")]
        self.assertGreater(times[-1] - times[0], 0.5 * (len(times) - 1))
        running.send(signal.SIGINT)
        self.assertEqual(running.finish(10).code, LOGIN_NEEDED)

    def test_service_in_trouble(self):
        self.edge.fault("transfer.500")
        running, _ = self.start()
        self.assert_error(running.finish(), NETWORK, "login.cloudflareaccess.org", "500")

    def test_bad_answers(self):
        for fault in ("garbage", "garbage_json", "tampered", "short_key", "long_key", "missing_key",
                      "wrong_audience", "foreign_issuer", "expired_token", "huge"):
            with self.subTest(fault):
                self.fresh()
                self.edge.fault("transfer." + fault)
                before = self.home.snapshot(CACHES)
                running, url = self.start()
                self.edge.sign_in(url)
                self.assert_error(running.finish(), PROTOCOL)
                self.assert_unchanged(before, besides=CACHES)

    def test_empty_answer_is_not_taken_for_a_token(self):
        self.edge.fault("transfer.empty")
        before = self.home.snapshot(CACHES)
        running, url = self.start()
        self.edge.sign_in(url)
        eventually("it was answered", lambda: any(
            e["status"] for e in self.edge.log(path="/transfer/")))
        running.send(signal.SIGINT)
        self.assertIn(running.finish().code, (LOGIN_NEEDED, PROTOCOL))
        self.assert_unchanged(before, besides=CACHES)

    def test_without_an_org_token(self):
        running, url = self.start()
        self.edge.sign_in(url, org="0")
        self.assert_done(running.finish())
        self.assertNotIn("acme.cloudflareaccess.com-org-token", self.home.files())

    def test_fedramp_service(self):
        running = self.home.start("access", "--fedramp", "login", "web.example.com")
        url = running.wait_err(URL).group()
        self.edge.sign_in(url)
        self.assert_done(running.finish())
        self.assertIn("login.fed.cloudflareaccess.org", self.edge.hosts())
        self.assertNotIn("login.cloudflareaccess.org", self.edge.hosts())

    def test_ctrl_c_at_a_busy_terminal(self):
        running, _ = self.start(stdin=PIPE)
        running.send(signal.SIGINT)
        self.assertEqual(running.finish(10).code, LOGIN_NEEDED)

    def test_only_the_transfer_service_is_polled_without_credentials(self):
        running, url = self.start()
        self.edge.sign_in(url)
        self.assert_done(running.finish())
        for entry in self.edge.log("login.cloudflareaccess.org"):
            self.assertEqual(header(entry, "Cookie") + header(entry, "Cf-Access-Token"), [])
