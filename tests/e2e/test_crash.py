"""Killed, or given an error, at the calls that change files: no incomplete file, no stale lock, no repair by hand.

This is a part; tests/reliability/run kills at every system call.
"""
import os
import re
import unittest

import crash_sweep
import login_sweep
from crash_scenarios import SCENARIOS
from harness import programs
from harness.case import EdgeCase
from harness.process import run


def gives_or_takes_names(call):
    return bool(re.match(r"rename|unlink|link|mkdir|bind", call.name))


class Killed(EdgeCase):
    def sweep(self, name):
        tally = crash_sweep.sweep_kills(self.edge, name, gives_or_takes_names)
        self.assertGreater(tally.happened, 0)
        self.assertEqual(tally.broken, [])


class Lines(EdgeCase):
    """Lines of the log stay complete if a program is killed between two system calls."""

    @unittest.skipIf(programs.is_instrumented(), "a sanitizer cannot be traced when it looks for leaks")
    def test_each_is_one_call(self):
        log, trace = (os.path.join(self.home.path, name) for name in ("log", "trace"))
        with open(log, "w", encoding="ascii"):
            pass
        self.home.plant_token("web")
        words = [programs.system("strace"), "-qq", "-y", "-s", "65536", "-e", "trace=write,writev,pwrite64", "-o", trace,
                 programs.mayfly(), "login", "-q", "--log-level", "debug", "--logfile", log, "web.example.com"]
        self.assert_done(run(words, env=self.home.environment()))
        with open(trace, encoding="utf-8") as file:
            calls = [line for line in file if f"<{log}>" in line]
        self.assertGreater(len(calls), 1)
        for call in calls:
            self.assertRegex(call, r'^write\(\d+<[^>]*>, "\{.*\}\\n", \d+\)')


class KilledLogin(EdgeCase):
    @unittest.skipUnless(os.geteuid() == 0, "nobody else can trace what cannot be dumped")
    @unittest.skipIf(programs.is_instrumented(), "a sanitizer cannot be traced when it looks for leaks")
    def test_of_a_listener(self):
        tally = login_sweep.sweep_kills(self.edge, lambda call: call.name.startswith("rename"))
        self.assertGreater(tally.happened, 0)
        self.assertEqual(tally.broken, [])


class Failed(EdgeCase):
    """Each kind of call fails once in each scenario, in turn with each error."""

    def sweep(self, name):
        seen = {}

        def first_of_its_kind(call, error):
            turn = seen.setdefault((call.name, error), call)
            return turn is call
        tally = crash_sweep.sweep_errors(self.edge, name, first_of_its_kind)
        self.assertGreater(tally.happened, 0)
        self.assertEqual(tally.broken, [])


# These are slow and similar to others; tests/reliability/run includes them.
LEFT_OUT = {Killed: {"ssh-gen-agent"}, Failed: {"ssh-gen-agent", "ssh-gen-agent-renewal", "curl"}}


def add_tests():
    for case, left_out in LEFT_OUT.items():
        for name in sorted(SCENARIOS.keys() - left_out):
            def test(self, name=name):
                self.sweep(name)
            setattr(case, "test_" + name.replace("-", "_"), test)


add_tests()
