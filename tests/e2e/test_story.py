"""The description of a connection that -v prints."""
import re
import socket

from harness.edge import EMAIL
from harness.origin import Proxy
from harness.process import PIPE
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import eventually

RAY = r"cf-ray [0-9a-f]{16}(-[A-Z]{3})?$"


class Story(TunnelCase):
    """With -v, mayfly prints each step of a connection in a line, without any secret."""

    def told(self, result):
        """Returns (message, fields) of each line."""
        lines = []
        for line in result.err.splitlines():
            found = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ DBG (.*)", line)
            if found:
                message, *fields = re.split(r" (?=[a-z][a-z-]*=)", found.group(1))
                lines.append((message, dict(field.split("=", 1) for field in fields)))
        return lines

    def test_of_a_known_application(self):
        running = self.ready("-v", env={"MAYFLY_CONNECT_TO": f":443:localhost:{self.edge.port}"})
        result = self.hang_up(running)
        self.assertEqual(result.out, b"ready")
        told = self.told(result)
        self.assertEqual([message for message, _ in told if message not in ("confined", "not confined")],
                         ["application remembered", "token from the state directory", "name looked up", "connected",
                          "TLS established", "tunnel opened", "tunnel ended"])
        fields = dict(told)
        self.assertEqual(fields["application remembered"],
                         {"hostname": "echo.example.com", "team": "acme.cloudflareaccess.com"})
        self.assertEqual(fields["token from the state directory"]["identity"], EMAIL)
        self.assertRegex(fields["token from the state directory"]["until"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(fields["name looked up"]["host"], "localhost")
        self.assertIn("127.0.0.1", fields["name looked up"]["addresses"].split())
        self.assertEqual(fields["connected"]["address"], f"127.0.0.1:{self.edge.port}")
        self.assertEqual(fields["TLS established"]["version"], "TLSv1.3")
        self.assertEqual(fields["TLS established"]["session"], "new")
        self.assertRegex(fields["TLS established"]["cipher"], "^TLS_")
        self.assertRegex(fields["tunnel opened"]["answer"], "^HTTP 101, " + RAY)
        self.assertRegex(fields["tunnel ended"]["how"],
                         r"^closed after \d+\.\d s, 5 bytes sent, 5 received, close code 1000$")
        for message in ("name looked up", "connected", "TLS established", "tunnel opened"):
            self.assertRegex(fields[message]["took"], r"^\d+\.\d ms$")
        for part in self.token.split("."):
            self.assertNotIn(part, result.err)

    def test_of_a_login(self):
        self.fresh()
        self.home.install_browser()
        running = self.home.start(*ECHO, "-v", stdin=PIPE)
        running.write(b"ready")
        running.wait_out(5)
        result = self.hang_up(running)
        told = self.told(result)
        messages = [message for message, _ in told]
        for earlier, later in (("asked echo.example.com for the application's metadata",
                                "asked acme.cloudflareaccess.com for the team's keys"),
                               ("asked acme.cloudflareaccess.com for the team's keys", "application found"),
                               ("application found", "asked login.cloudflareaccess.org for the login's answer"),
                               ("asked login.cloudflareaccess.org for the login's answer", "token from the browser"),
                               ("token from the browser", "connected"), ("connected", "tunnel opened")):
            self.assertLess(messages.index(earlier), messages.index(later), messages)
        fields = dict(told)
        self.assertRegex(fields["asked echo.example.com for the application's metadata"]["answer"], "^HTTP 302, " + RAY)
        self.assertEqual(fields["token from the browser"]["identity"], EMAIL)
        url, = re.findall(r"https://\S+/cdn-cgi/access/cli\?\S+", result.err)
        key = re.search("[?&]token=([A-Za-z0-9_-]+)", url).group(1)
        self.assertEqual(result.err.replace(url, "").count(key), 0, "the key that fetches the tokens is in the log")

    def test_of_a_session_that_is_resumed_and_of_the_end(self):
        running = self.home.start("tcp", "-v", "--hostname", "echo.example.com", "--url", "127.0.0.1:0")
        port = int(running.wait_err(r"host=127.0.0.1:(\d+)").group(1))
        for session in ("new", "resumed"):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall(b"x")
                self.assertEqual(connection.recv(1), b"x")
            running.wait_err(f"TLS established .* session={session} ")
        eventually("both have ended", lambda: running.err.count("DBG tunnel ended") == 2)

    def test_of_a_refusal(self):
        self.edge.fault("upgrade.403")
        result = self.home.mayfly(*ECHO, "-v")
        self.assertRegex(dict(self.told(result))["no tunnel"]["answer"], "^HTTP 403, " + RAY)

    def test_by_a_proxy(self):
        proxy = Proxy("jdoe:s3cret")
        self.addCleanup(proxy.stop)
        running = self.ready("-v", "--proxy", f"http://jdoe:s3cret@127.0.0.1:{proxy.port}")
        result = self.hang_up(running)
        self.assertEqual(dict(self.told(result))["connected by a proxy"]["address"], f"127.0.0.1:{proxy.port}")
        self.assertNotIn("s3cret", result.err)

    def test_nothing_without_the_flag(self):
        self.assertEqual(self.hang_up(self.ready()).err, "")
