"""The same scenarios with a real cloudflared, where MAYFLY_PEER names one."""
import os
import subprocess
import sys
import unittest

DIFFERENTIAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential")
SKIPPED = 77


class Peer(unittest.TestCase):
    @unittest.skipUnless(os.environ.get("MAYFLY_PEER"), "MAYFLY_PEER names no cloudflared to compare with")
    def test_differences_are_the_listed_ones(self):
        done = subprocess.run([sys.executable, "-B", DIFFERENTIAL, "--peer", os.environ["MAYFLY_PEER"]],
                              capture_output=True, text=True, check=False)
        if done.returncode == SKIPPED:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
