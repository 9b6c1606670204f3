"""Answers other than a good 101: the exit code, the cause, the cf-ray, the hint, and no changed file."""
from harness.case import LOGIN_NEEDED, NETWORK, PROTOCOL, REFUSED
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import eventually


class Upgrade(TunnelCase):
    def refused(self, fault, codes, *words, value=True):
        with self.subTest(fault):
            self.fresh()
            self.know("echo")
            self.edge.fault("upgrade." + fault, value)
            before = self.home.snapshot()
            result = self.home.mayfly(*ECHO)
            self.assertIn(result.code, codes, result)
            self.assert_error(result, result.code, *words)
            self.assert_unchanged(before)
            self.assertEqual(len(self.edge.upgrades()), 1, "it dialled again")
            return result

    def assert_names_the_request(self, result):
        self.assertRegex(result.err, r"(?i)ray", "cf-ray is what an administrator searches for")

    def test_refusals_by_access_and_before_access(self):
        self.assert_names_the_request(self.refused("403", [REFUSED], "403", "echo.example.com"))
        self.assert_names_the_request(self.refused("403_challenge", [REFUSED], "challenge"))
        self.refused("429", [REFUSED, NETWORK], "429")

    def test_origin_or_tunnel_down(self):
        for fault, status in [("500", "500"), ("502", "502"), ("503", "503"), ("530_1033", "1033")]:
            self.assert_names_the_request(self.refused(fault, [NETWORK], status))

    def test_answers_of_a_host_without_websockets(self):
        self.refused("200", [PROTOCOL], "200")
        self.refused("404", [PROTOCOL, REFUSED], "404")
        self.refused("redirect_elsewhere", [PROTOCOL, REFUSED], "elsewhere.example",
                     value={"value": "https://elsewhere.example/x"})
        self.assertNotIn("elsewhere.example", self.edge.hosts())

    def test_bad_switching_of_protocols(self):
        for fault in ("bad_accept", "missing_accept", "wrong_upgrade", "missing_upgrade",
                      "missing_connection", "extension", "subprotocol", "http_1_0"):
            self.refused(fault, [PROTOCOL])

    def test_heads_without_end(self):
        for fault in ("huge_headers", "many_headers"):
            self.refused(fault, [PROTOCOL])

    def test_connection_that_breaks(self):
        for fault in ("truncated_head", "close", "reset"):
            self.refused(fault, [NETWORK])

    def test_origin_down_behind_a_good_edge(self):
        self.edge.application("echo", origin="tcp:127.0.0.1:1")
        self.assert_error(self.home.mayfly(*ECHO), NETWORK, "502")

    def test_page_in_place_of_a_tunnel(self):
        self.know("web")
        self.assert_error(self.home.mayfly("ssh", "--hostname", "web.example.com"), PROTOCOL, "200")

    def test_bastion_without_a_destination(self):
        self.edge.application("echo", origin="bastion")
        result = self.home.mayfly(*ECHO)
        self.assert_error(result, result.code, "400", "--destination")
        self.assertNotEqual(result.code, 0)

    def test_host_that_does_not_exist(self):
        result = self.home.mayfly("ssh", "--batch", "--hostname", "unknown.example.net")
        self.assert_error(result, NETWORK, "530")

    def test_binding_cookie(self):
        self.edge.application("echo", binding_cookie=True)
        self.home.install_browser()
        result = self.home.mayfly(*ECHO)
        self.assertIn(result.code, (REFUSED, LOGIN_NEEDED), result)
        self.assert_error(result, result.code, "binding cookie")
        self.assertLessEqual(len(self.home.browsed()), 2)

    def test_refusal_with_stdin_open(self):
        self.edge.fault("upgrade.403")
        running = self.open()
        self.assert_error(running.finish(20), REFUSED)
        eventually("the connection is gone", lambda: self.edge.stats()["open_tunnels"] == 0)
