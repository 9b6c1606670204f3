"""The same scenarios with a real cloudflared, if MAYFLY_PEER names one."""
import os
import subprocess
import sys
import unittest

from harness import programs

DIFFERENTIAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential")
SKIPPED = 77


class Peer(unittest.TestCase):
    def compare(self, peer, *scenarios):
        done = subprocess.run([sys.executable, "-B", DIFFERENTIAL, "--peer", peer, *scenarios],
                              capture_output=True, text=True, check=False)
        if done.returncode == SKIPPED:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_mayfly_does_not_differ_from_itself(self):
        """Runs without a cloudflared too, so that the comparison itself is known to work."""
        said = self.compare(programs.mayfly(), "login", "ssh-gen", "ssh")
        self.assertEqual(said.count(": the same"), 3, said)

    @unittest.skipUnless(os.environ.get("MAYFLY_PEER"), "MAYFLY_PEER names no cloudflared to compare with")
    def test_differences_are_the_listed_ones(self):
        self.compare(os.environ["MAYFLY_PEER"])
