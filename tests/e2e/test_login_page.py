"""The login page in a real Chromium, from the URL that mayfly prints to the token."""
import os
import signal
import tempfile
import unittest.mock

from harness.case import DONE, LOGIN_NEEDED, EdgeCase
from harness.chromium import Chromium, needed
from harness.edge import EMAIL, claims

URL = r"https://\S+/cdn-cgi/access/cli\?\S+"


def picture(name):
    """Returns the path for a picture that a person can look at after the test."""
    folder = os.path.join(os.environ["MAYFLY_BUILD"], "pictures")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, name + ".png")


class FailedStart(EdgeCase):
    def test_browser_that_does_not_start_leaves_nothing(self):
        needed("certutil", "libnss3-tools")
        stand_in = self.home.script("chromedriver", "echo 'cannot start'; exit 1\n")
        self.home.script("chromium", "exit 1\n")
        path, folders = os.environ["PATH"], {tempfile.gettempdir(), "/tmp"}
        before = {folder: set(os.listdir(folder)) for folder in folders}
        with unittest.mock.patch.dict(os.environ, PATH=f"{os.path.dirname(stand_in)}:{path}"), \
             unittest.mock.patch("harness.chromium.STARTS_WITHIN", 2):
            self.assertRaises(AssertionError, Chromium, self.edge)
        for folder, names in before.items():
            new = {name for name in set(os.listdir(folder)) - names if name.startswith(("c-", "mayfly-chromium-"))}
            self.assertEqual(new, set(), folder)


class LoginPage(EdgeCase):
    def setUp(self):
        super().setUp()
        self.chromium = Chromium(self.edge)
        self.addCleanup(self.chromium.end)

    def start(self, *arguments):
        running = self.home.start("login", "--no-verbose", *arguments)
        return running, running.wait_err(URL).group()

    def sign_in(self, email):
        self.chromium.fill_in("#email", email)
        self.chromium.click("#sign-in")

    def test_person_signs_in(self):
        running, url = self.start("https://web.example.com/wiki")
        self.chromium.open(url)
        self.chromium.wait_for("#email")
        self.assertEqual(self.chromium.address.split("?")[0],
                         "https://acme.cloudflareaccess.com/cdn-cgi/access/login/web.example.com")
        self.assertIn("web.example.com", self.chromium.text())
        self.chromium.take_picture(picture("login-page"))
        self.assertFalse(running.has_ended())
        self.sign_in("jdoe@example.com")
        self.chromium.wait_for("#success")
        self.chromium.take_picture(picture("login-done"))
        self.assertIn("close this window", self.chromium.text())
        result = self.assert_done(running.finish())
        token = result.out.decode()
        self.assertEqual(claims(token)["email"], "jdoe@example.com")
        self.assertEqual(self.home.text(self.home.token_name("web")), token)
        org = claims(self.home.text("acme.cloudflareaccess.com-org-token"))
        self.assertEqual(org["email"], "jdoe@example.com")

    def test_browser_that_has_signed_in_already_shows_no_form(self):
        first, url = self.start("web.example.com")
        self.chromium.open(url)
        self.sign_in(EMAIL)
        self.assert_done(first.finish())
        for name in self.home.files():
            if name.endswith("-token"):
                os.unlink(self.home.file(name))
        second, url = self.start("echo.example.com")
        self.chromium.open(url)
        self.chromium.wait_for("#success")
        self.assertEqual(claims(self.assert_done(second.finish()).out.decode())["email"], EMAIL)
        self.assertEqual(self.edge.stats()["logins"], 1)

    def test_person_that_is_not_let_in(self):
        self.edge.application("web", allow=["boss@example.com"])
        running, url = self.start("web.example.com")
        self.chromium.open(url)
        self.sign_in("jdoe@example.com")
        self.chromium.wait_for("#refused")
        self.assertIn("does not have access", self.chromium.text())
        self.chromium.take_picture(picture("login-refused"))
        self.assertFalse(running.has_ended())
        running.send(signal.SIGINT)
        self.assertEqual(running.finish().code, LOGIN_NEEDED)

    def test_application_on_a_path_with_a_page_that_closes(self):
        running, url = self.start("--auto-close", "tools.example.com/admin")
        self.chromium.open(url)
        self.sign_in(EMAIL)
        self.assertEqual(running.finish().code, DONE)
        self.assertIn(self.home.token_name("path"), self.home.files())
