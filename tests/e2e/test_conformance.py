"""RFC 6455 case by case: the edge plays the table of websocket_cases.py to mayfly."""
from harness.case import DONE, NETWORK, PROTOCOL
from harness.echo import Echo
from harness.edge import header
from harness.process import PIPE
from harness.tunnel import ECHO, TunnelCase

import websocket_cases

CODES = {"closed": DONE, "broken": PROTOCOL, "cut": NETWORK}


class Conformance(TunnelCase):
    def play(self, case):
        self.edge.ask("DELETE", "/log")
        self.edge.application("echo", origin="script", script=case.steps)
        if case.echo:
            echo = Echo()
            running = self.home.start(*ECHO, stdin=PIPE, stdout=echo.output)
            echo.feed(running.process.stdin)
            result = running.finish()
            out = echo.finish()
        else:
            result = self.home.start(*ECHO, stdin=PIPE).finish()
            out = result.out
        played = self.edge.ended_tunnel()["script"]
        self.assertTrue(played["ok"], f"step {played['failed_step']}: {played['failure']}\n{result}")
        self.assertEqual(result.code, CODES[case.end], result)
        self.assertTrue(out == case.out, f"{len(out)} bytes came out, not {len(case.out)}: {out[:200]!r}")
        self.assert_told(case, result)

    def assert_told(self, case, result):
        """mayfly prints nothing about a clean end, and one line with a hint about every other end."""
        if case.end == "closed":
            self.assertEqual(result.err, "")
        else:
            self.assertEqual(result.err.count("mayfly: error: "), 1, result)
            self.assertIn(f" {len(case.out)} received", result.err)
        self.assert_printable(result.err)

    def test_no_extension_is_offered_or_accepted(self):
        self.play(websocket_cases.well("12", "nothing", []))
        request, = self.edge.upgrades()
        self.assertEqual(header(request, "Sec-WebSocket-Extensions"), [])
        self.edge.fault("upgrade.extension")
        self.assert_error(self.home.mayfly(*ECHO), PROTOCOL, "extension")


def test_of(cases):
    def test(self):
        numbers = [case.number for case in cases]
        self.assertEqual(len(numbers), len(set(numbers)), "a number stands for one case")
        for case in cases:
            with self.subTest(f"{case.number} {case.what}"):
                self.play(case)
    return test


for name, section in websocket_cases.sections().items():
    setattr(Conformance, "test_" + name.replace(" ", "_").replace("-", ""), test_of(section))
