"""Two hundred at once: one login, one signature, and all of them done."""
import crowd
from harness.case import EdgeCase


class Crowd(EdgeCase):
    def test_first_certificate(self):
        tally = crowd.start_together(self.edge, "first-certificate")
        self.assertEqual(tally.broken, [])
