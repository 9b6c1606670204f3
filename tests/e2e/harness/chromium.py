"""A real Chromium, controlled by chromedriver over WebDriver (W3C). Every host resolves to the edge."""
import base64
import http.client
import json
import os
import re
import shutil
import socket
import tempfile
import unittest

from . import namespace
from .process import GENEROUS, Running, run
from .waiting import eventually

STARTS_WITHIN = 2 * GENEROUS  # seconds
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver section 12.1
_CHANGED = ("stale element reference", "no such element", "no such execution context")  # WebDriver section 6.6
_FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
          "--no-first-run", "--disable-background-networking", "--disable-component-update",
          "--disable-sync", "--window-size=900,640"]


def needed(name, package):
    path = shutil.which(name)
    if not path:
        raise unittest.SkipTest(f"{name} is not installed (Debian package: {package})")
    return path


def _short_folder():
    """Returns the folder of this run, which is removed at its end, or /tmp if its name is too long: Chromium makes a
    Unix socket in its home (unix(7): 107 bytes)."""
    folder = tempfile.gettempdir()
    return folder if len(folder) + len("/c-abcdefgh/.org.chromium.Chromium.abcdef/SingletonSocket") < 107 else "/tmp"


class PageChanged(AssertionError):
    """The page that was asked about has gone, or is only half there: the browser is on its way to another one."""


class Chromium:
    """A browser with a home of its own for the profile and the trust in the edge's CA. The home is removed after the
    test, and if the browser cannot be started."""

    def __init__(self, edge):
        binary, driver = needed("chromium", "chromium"), needed("chromedriver", "chromium-driver")
        self.driver = self.session = None
        self.home = tempfile.mkdtemp(prefix="c-", dir=_short_folder())
        try:
            self._start(edge, binary, driver)
        except BaseException:
            self.end()
            raise

    def _start(self, edge, binary, driver):
        self.variables = {"HOME": self.home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
                          "TMPDIR": self.home, "XDG_RUNTIME_DIR": self.home}
        self._trust(edge.ca)
        self.driver = Running([*self._with_localhost(), driver, "--port=0"], env=self.variables)
        self.port = int(eventually("chromedriver listens", lambda: re.search(
            rb"started successfully on port (\d+)", bytes(self.driver.out)), STARTS_WITHIN).group(1))
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": binary, "args": [
                *_FLAGS, f"--user-data-dir={self.home}/profile",
                f"--host-resolver-rules=MAP *:443 127.0.0.1:{edge.port}"]}}}})
        self.session = answer["sessionId"]

    def _with_localhost(self):
        """Returns the words before chromedriver, which asks the system for "localhost": on a bare computer, they name
        it."""
        try:
            socket.getaddrinfo("localhost", None)
            return []
        except socket.gaierror:
            hosts = os.path.join(self.home, "hosts")
            with open(hosts, "w", encoding="ascii") as file:
                file.write("127.0.0.1 localhost\n")
            return namespace.with_files_at(hosts, "/etc/hosts")

    def _trust(self, ca):
        certutil = needed("certutil", "libnss3-tools")
        store = os.path.join(self.home, ".pki", "nssdb")
        os.makedirs(store)
        for arguments in (["-N", "--empty-password"], ["-A", "-n", "edge", "-t", "C,,", "-i", ca]):
            result = run([certutil, "-d", f"sql:{store}", *arguments], env=self.variables)
            assert result.code == 0, result

    def _ask(self, method, path, body=None):
        if self.session:
            path = f"/session/{self.session}{path}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * GENEROUS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = json.loads(answer.read())["value"]
        finally:
            connection.close()
        if answer.status != 200:
            kind = PageChanged if value["error"] in _CHANGED else AssertionError
            raise kind(f"chromedriver: {method} {path}: {value['error']}: {value['message']}")
        return value

    def end(self):
        try:
            if self.session:
                self._ask("DELETE", "")
        finally:
            if self.driver:
                self.driver.kill()
            eventually("the browser has let go of its home", self._home_is_removed)

    def _home_is_removed(self):
        """The browser's processes may still write while the folder is removed."""
        shutil.rmtree(self.home, ignore_errors=True)
        return not os.path.exists(self.home)

    def open(self, url):
        self._ask("POST", "/url", {"url": url})

    @property
    def address(self):
        return self._ask("GET", "/url")

    @property
    def title(self):
        return self._ask("GET", "/title")

    def find(self, selector):
        """Returns the first element that a CSS selector matches, or None."""
        try:
            found = self._ask("POST", "/elements", {"using": "css selector", "value": selector})
        except PageChanged:
            return None
        return found[0][_ELEMENT] if found else None

    def _with(self, selector, method, command, body=None):
        """Sends a command about the first element that matches, once there is such an element. A page that changes in
        between has another element, and the command has not been carried out."""
        def answer():
            element = self.find(selector)
            try:
                return element and (self._ask(method, f"/element/{element}/{command}", body),)
            except PageChanged:
                return None
        return eventually(f"the page has {selector}", answer)[0]

    def wait_for(self, selector):
        try:
            return eventually(f"the page has {selector}", lambda: self.find(selector))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.address}\n{self.text()}") from None

    def text(self, selector="body"):
        return self._with(selector, "GET", "text")

    def frame_text(self, selector):
        """Returns the text of a frame of the page."""
        self._ask("POST", "/frame", {"id": {_ELEMENT: self.find(selector)}})
        try:
            return self.text()
        finally:
            self._ask("POST", "/frame/parent", {})

    def fill_in(self, selector, text):
        self._with(selector, "POST", "clear", {})
        self._with(selector, "POST", "value", {"text": text})

    def click(self, selector):
        self.wait_for(selector)
        self._with(selector, "POST", "click", {})

    def run(self, script):
        """Returns the result of a script in the page (WebDriver section 13.2.1). The script has no user activation."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": []})

    def take_picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._ask("GET", "/screenshot")))
