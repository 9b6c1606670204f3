"""Twelve ssh at once, from an empty directory: one login, one signature, and all of them connect."""
import time

from harness.edge import USER
from harness.waiting import eventually, stretched
from test_ssh import HOST, SshCase

TWELVE = 12
# The time from the login to the end of the last ssh: a process that waits for another's login checks for its end very
# often, and does not wait for a lock of a dead process.
MOST_SECONDS = 15


class Twelve(SshCase):
    def start_all(self):
        self.configure("--short-lived-cert")
        self.assertEqual(self.home.files(), [])
        return [self.start(HOST, "--", f"printf {number}") for number in range(TWELVE)]

    def assert_all_got_in(self, running):
        for number, one in enumerate(running):
            result = self.assert_done(one.finish())
            self.assertEqual(result.out.decode(), str(number))
        stats = self.edge.stats()
        self.assertEqual((stats["logins"], stats["signatures"], stats["transfers"]), (1, 1, 1))
        self.sshd.wait_log(f"Accepted publickey for {USER} .*-CERT ")
        self.assertEqual(self.sshd.log().count("Accepted publickey"), TWELVE)
        self.assertEqual([n for n in self.home.files() if n.endswith((".lock", ".url"))], [])

    def test_browser_that_opens_by_itself(self):
        self.home.install_browser()
        self.assert_all_got_in(self.start_all())
        self.assertEqual(len(self.home.browsed()), 1)

    def test_person_who_logs_in_when_all_wait(self):
        self.home.install_idle_browser()
        running = self.start_all()
        eventually("the browser is open", self.home.browsed)
        eventually("the login is polled for", lambda: self.edge.ask("GET", "/pending"))
        self.assertFalse(any(one.has_ended() for one in running))
        self.edge.sign_in(self.home.browsed()[0]["url"])
        begin = time.monotonic()
        self.assert_all_got_in(running)
        self.assertLess(time.monotonic() - begin, stretched(MOST_SECONDS))
        self.assertEqual(len(self.home.browsed()), 1)
