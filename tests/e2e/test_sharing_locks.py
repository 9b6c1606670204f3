"""One state directory for two programs: the locks of cloudflared and of mayfly."""
import json
import os
import re
import signal
import subprocess
import time

from harness.programs import system
from harness.shared_case import AT_ONCE, AUTH_DOMAIN, URL, SharedCase, lock_text, start_time_ms
from harness.waiting import eventually


class ForeignLock(SharedCase):
    """cloudflared's lock: a file that names its process, and no more."""

    def setUp(self):
        super().setUp()
        self.plant_keys()
        self.base = self.home.token_name("web")

    def waiting_login(self):
        return self.home.start("login", "--no-verbose", "web.example.com")

    def test_is_respected_until_the_token_appears(self):
        holder = self.holder()
        self.plant_lock(self.base, holder.pid)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        self.home.install_browser()
        running = self.waiting_login()
        running.wait_err(re.escape("https://web.example.com/cdn-cgi/access/cli?aud=x"))
        self.assertIn(str(holder.pid), running.err)
        self.assertFalse(running.has_ended())
        self.assertEqual(self.home.browsed(), [])
        token = self.home.plant_token("web")
        result = self.assert_done(running.finish(AT_ONCE))
        self.assertEqual(result.out.decode(), token)
        self.assertEqual(self.edge.stats()["polls"], 0)
        self.assertEqual(sorted(self.locks()), [self.base + ".lock", self.base + ".url"],
                         "they are the holder's")

    def test_url_that_comes_later_and_changes_is_shown(self):
        self.plant_lock(self.base, self.holder().pid)
        running = self.waiting_login()
        for number in (1, 2):
            self.home.plant(self.base + ".url", f"https://web.example.com/cdn-cgi/access/cli?n={number}")
            running.wait_err(rf"cdn-cgi/access/cli\?n={number}\b")
        self.home.plant_token("web")
        self.assert_done(running.finish(AT_ONCE))

    def test_hostile_url_is_made_harmless(self):
        self.plant_lock(self.base, self.holder().pid)
        self.home.plant(self.base + ".url", b"https://web.example.com/\x1b[2J\x07x")
        running = self.waiting_login()
        running.wait_err(r"https://web\.example\.com/")
        self.home.plant_token("web")
        self.assert_printable(self.assert_done(running.finish(AT_ONCE)).err)

    def test_ssh_gen_and_ssh_wait_for_it_too(self):
        for command in ("ssh-gen", "ssh"):
            with self.subTest(command):
                self.fresh()
                self.plant_keys()
                base = self.home.token_name("ssh")
                self.plant_lock(base, self.holder().pid)
                self.home.plant(base + ".url", "https://ssh.example.com/cdn-cgi/access/cli?aud=x")
                running = self.home.start(command, "--hostname", "ssh.example.com", stdin=b"hello")
                running.wait_err(re.escape("https://ssh.example.com/cdn-cgi/access/cli?aud=x"))
                self.home.plant_token("ssh")
                if command == "ssh":
                    running.wait_out(5, AT_ONCE)
                    self.edge.ask("POST", "/close-tunnels", {"code": 1000})
                self.assert_done(running.finish(AT_ONCE))

    def test_of_the_team_is_respected(self):
        """cloudflared holds this lock while it gets the first org token, for any application."""
        holder = self.holder()
        org = AUTH_DOMAIN + "-org-token"
        self.plant_lock(org, holder.pid)
        self.home.install_browser()
        running = self.waiting_login()
        eventually("it has its own lock", lambda: self.base + ".lock" in self.home.files())
        self.home.plant_org_token()
        result = self.assert_done(running.finish(AT_ONCE))
        self.assertEqual(self.home.browsed(), [], "the org token that came was not used")
        self.assertEqual(self.edge.stats()["exchanges"], 1, result)

    def test_ends_with_its_holder(self):
        holder = self.holder()
        self.plant_lock(self.base, holder.pid)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        self.home.install_browser()
        running = self.waiting_login()
        running.wait_err(r"aud=x")
        holder.kill()
        self.assert_done(running.finish(AT_ONCE))
        self.assertEqual(len(self.home.browsed()), 1)
        self.assertEqual(self.locks(), [])

    def take_over(self, prepare):
        self.fresh()
        self.plant_keys()
        self.base = self.home.token_name("web")
        self.home.install_browser()
        prepare()
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com", seconds=AT_ONCE))
        self.assertEqual(self.locks(), [])

    def dead(self, base):
        ended = self.holder()
        start = start_time_ms(ended.pid)
        ended.kill()
        self.plant_lock(base, ended.pid, start)

    def not_waited_for(self):
        """Returns a process that has ended and that its parent has not waited for. cloudflared treats it as running."""
        ended = subprocess.Popen([system("true")])
        self.addCleanup(ended.wait)
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        self.plant_lock(self.base, ended.pid)

    def recycled(self):
        holder = self.holder()
        self.plant_lock(self.base, holder.pid, start_time_ms(holder.pid) - 1001)

    def old(self):
        self.plant_lock(self.base, self.holder().pid)
        self.home.make_older(self.base + ".lock", 601)

    def not_a_lock(self, content):
        self.home.plant(self.base + ".lock", content)
        self.home.make_older(self.base + ".lock", 2)

    def test_stale_locks_stop_no_process(self):
        for what, prepare in [
                ("process that is gone", lambda: self.dead(self.base)),
                ("team's, process that is gone", lambda: self.dead(AUTH_DOMAIN + "-org-token")),
                ("process that nobody has waited for", self.not_waited_for),
                ("pid of somebody else", self.recycled),
                ("older than ten minutes", self.old),
                ("empty", lambda: self.not_a_lock("")),
                ("garbage", lambda: self.not_a_lock("\0{{")),
                ("no pid", lambda: self.not_a_lock('{"start_time":1}\n')),
                ("negative pid", lambda: self.not_a_lock('{"pid":-1,"start_time":1}\n'))]:
            with self.subTest(what):
                self.take_over(prepare)

    def test_start_time_within_a_second_is_the_same_process(self):
        holder = self.holder()
        self.plant_lock(self.base, holder.pid, start_time_ms(holder.pid) + 900)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        running = self.waiting_login()
        running.wait_err("aud=x")
        self.home.plant_token("web")
        self.assert_done(running.finish(AT_ONCE))

    def test_lock_of_nine_minutes_is_not_stale(self):
        self.plant_lock(self.base, self.holder().pid)
        self.home.make_older(self.base + ".lock", 540)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        running = self.waiting_login()
        running.wait_err("aud=x")
        self.home.plant_token("web")
        self.assert_done(running.finish(AT_ONCE))

    def test_wait_can_be_interrupted(self):
        self.plant_lock(self.base, self.holder().pid)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        running = self.waiting_login()
        running.wait_err("aud=x")
        running.send(signal.SIGINT)
        self.assertEqual(running.finish(AT_ONCE).code, 3)
        self.assertIn(self.base + ".lock", self.home.files())

    def test_held_lock_stops_no_process_that_has_the_token(self):
        """cloudflared keeps its lock while it lives: its second connection, or a second ssh, looks for the token under
        that lock."""
        token = self.home.plant_token("echo")
        for base in (self.home.token_name("echo"), AUTH_DOMAIN + "-org-token"):
            self.plant_lock(base, self.holder().pid)
        for _ in range(2):
            self.assertEqual(self.echoed("ssh", "--hostname", "echo.example.com"), "")
        result = self.assert_done(self.home.mayfly("login", "--app", "echo.example.com",
                                                   seconds=AT_ONCE))
        self.assertEqual(result.out.decode(), token)


class OwnLock(SharedCase):
    """mayfly's lock as cloudflared sees it."""

    def start(self):
        running = self.home.start("login", "--no-verbose", "web.example.com")
        return running, running.wait_err(URL).group()

    def test_cloudflared_can_read_the_content(self):
        running, url = self.start()
        for base in (self.home.token_name("web"), AUTH_DOMAIN + "-org-token"):
            self.assertEqual(self.home.text(base + ".lock"),
                             lock_text(running.pid, start_time_ms(running.pid)), base)
        self.assertEqual(self.home.text(self.home.token_name("web") + ".url").strip(), url)
        self.edge.sign_in(url)
        self.assert_done(running.finish())
        self.assertEqual(self.locks(), [])

    def test_is_gone_however_the_login_ends(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                self.fresh()
                running, _ = self.start()
                running.send(number)
                running.finish(AT_ONCE)
                self.assertEqual(self.locks(), [])

    def test_after_sigkill_the_next_is_not_held_up(self):
        running, _ = self.start()
        running.kill()
        self.assertEqual(len([name for name in self.locks() if name.endswith(".lock")]), 2)
        self.home.install_browser()
        began = time.monotonic()
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com", seconds=AT_ONCE))
        self.assertLess(time.monotonic() - began, AT_ONCE)
        self.assertEqual(self.locks(), [])

    def test_after_sigkill_cloudflared_is_not_held_up(self):
        """cloudflared's rule: there is no such process, or its start time differs."""
        running, _ = self.start()
        lock = json.loads(self.home.text(self.home.token_name("web") + ".lock"))
        running.kill()
        self.assertFalse(os.path.exists(f"/proc/{lock['pid']}")
                         and start_time_ms(lock["pid"]) == lock["start_time"])

    def test_wait_ends_when_another_process_stores_the_token(self):
        """Two processes of mayfly wait, and a third process stores the token: both waits and the lock end."""
        first, url = self.start()
        second, _ = self.start()
        token = self.home.plant_token("web")
        self.assertEqual(self.assert_done(second.finish(AT_ONCE)).out.decode(), token)
        self.edge.sign_in(url)
        self.assert_done(first.finish(AT_ONCE))
        self.assertEqual(self.locks(), [])
