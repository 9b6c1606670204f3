"""The base of all test cases: an edge that is reset for each test, a fresh home, and a watchdog."""
import signal
import unittest

from .edge import Edge
from .home import Home
from .process import end_all
from .waiting import stretched

# An address that does not answer, for commands that must not need the network.
NOWHERE = {"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"}

DONE, FAILED, USAGE, LOGIN_NEEDED, REFUSED, NETWORK, PROTOCOL = range(7)

# Files that are written as soon as an application has been verified.
CACHES = ("-jwks", "-app", ".cloudflared")

_edge = None


def shared_edge():
    """Starts a new edge if an earlier test has ended it."""
    global _edge
    if _edge is not None and _edge.process.poll() is not None:
        stop_shared_edge()
    if _edge is None:
        _edge = Edge()
    return _edge


def stop_shared_edge():
    global _edge
    if _edge is not None:
        _edge.stop()
        _edge = None


def _bark(_number, _frame):
    raise AssertionError("the test took too long")


class EdgeCase(unittest.TestCase):
    seconds = 300  # the longest time that a test may take

    def setUp(self):
        signal.signal(signal.SIGALRM, _bark)
        signal.alarm(int(stretched(self.seconds)))
        self.addCleanup(signal.alarm, 0)
        self.addCleanup(end_all)
        self.edge = shared_edge()
        self.addCleanup(self.assert_edge_lives)
        self.fresh()

    def assert_edge_lives(self):
        code = self.edge.process.poll()
        self.assertIsNone(code, f"the edge ended with {code}: {self.edge.complaints()}")

    def fresh(self):
        """Restores the state at the start of a test, for the next row of a table."""
        self.edge.reset()
        self.home = Home(self.edge)
        self.addCleanup(self.home.remove)
        return self.home

    def assert_done(self, result):
        self.assertEqual(result.code, DONE, result)
        return result

    def assert_error(self, result, code, *words):
        """Checks that there is `mayfly: error: what failed: why` and a hint, no stdout, and no control character. If
        the local system refuses something, the hint may be missing."""
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.out, b"", result)
        lines = result.err.splitlines()
        errors = [i for i, line in enumerate(lines) if line.startswith("mayfly: error: ")]
        self.assertEqual(len(errors), 1, result)
        message = lines[errors[0]]
        self.assertFalse(message.endswith("."), result)
        following = lines[errors[0] + 1:]
        if following or code != FAILED:
            self.assertTrue(following and following[0].startswith("hint: "), f"no hint: {result}")
        self.assert_printable(result.err)
        for word in words:
            self.assertIn(word.lower(), result.err.lower(), result)
        return result

    def assert_printable(self, text):
        self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f]", "control characters got through")

    def assert_unchanged(self, before, home=None, besides=()):
        besides = (*besides, ".mayfly-lock")  # The lock of the state directory stays.
        after = (home or self.home).snapshot(besides)
        before = {k: v for k, v in before.items() if not k.endswith(tuple(besides))}
        self.assertEqual(sorted(before), sorted(after), "files came or went")
        for name, facts in before.items():
            self.assertEqual(facts, after[name], f"{name} changed")

    def logged_in(self, application="echo", host=None):
        """Prepares a home that knows the application and holds tokens, through the real login page."""
        self.home.install_browser()
        host = host or self.edge.application(application)["hostname"]
        result = self.assert_done(self.home.mayfly("access", "login", "--no-verbose", host))
        return result.out.decode()
