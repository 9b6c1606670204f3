"""Two hundred processes at once: one login, one signature, and all succeed."""
import unittest

import crowd
from harness import programs
from harness.case import EdgeCase


class Crowd(EdgeCase):
    @unittest.skipIf(programs.is_instrumented(), "two hundred sanitized processes are more than a machine holds")
    def test_first_certificate(self):
        tally = crowd.start_together(self.edge, "first-certificate")
        self.assertEqual(tally.broken, [])
