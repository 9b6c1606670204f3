"""Secrets in memory: there are none once they have done their work."""
import base64
import os
import re
import unittest
import urllib.parse

from harness import memory, programs
from harness.process import PIPE, Running
from harness.secrets_case import ID, SECRET, SecretsCase, as_root
from harness.visit import VISITS, visit
from harness.waiting import eventually

ECHO, SSH, WEB = "echo.example.com", "ssh.example.com", "web.example.com"


@unittest.skipIf(programs.is_instrumented(), "a sanitizer maps terabytes, and has handlers of its own")
@as_root("a process's memory is root's to read")
class Memory(SecretsCase):
    """The memory as a core image would contain it."""

    def assert_clean(self, pid, control):
        pieces = memory.image(pid)
        self.assertTrue(memory.holds(pieces, control.encode()), "the image holds nothing at all")
        found = {name: places for name, secret in self.secrets.items() if (places := memory.holds(pieces, secret))}
        self.assertEqual(found, {})
        return pieces

    def tunnel(self, *flags, **more):
        running = self.home.start("ssh", "--hostname", ECHO, *flags, stdin=PIPE, **more)
        running.write(b"through the tunnel, and back")
        running.wait_out(20)
        self.learn()
        return running

    def test_tunnel_after_a_browser_login(self):
        running = self.tunnel()
        self.assertEqual(len(self.home.browsed()), 1)
        pieces = self.assert_clean(running.pid, ECHO)
        public = self.edge.log("login.cloudflareaccess.org")[-1]["path"].rpartition("/")[2]
        self.assertEqual(memory.holds_private_key_of(pieces, base64.urlsafe_b64decode(public)), [])

    def test_tunnel_after_an_exchange(self):
        self.home.plant_org_token()
        self.assert_clean(self.tunnel("--batch").pid, ECHO)

    def test_tunnel_with_a_stored_token(self):
        self.home.plant_org_token()
        self.assert_done(self.home.mayfly("login", "-q", "--batch", ECHO))
        self.assert_clean(self.tunnel("--batch").pid, ECHO)

    def test_tunnel_with_a_service_token(self):
        for flags, variables in ((self.service, {}), ((), {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET})):
            for _ in ("earns a token", "has one"):
                self.assert_clean(self.tunnel(*flags, env=variables).pid, ECHO)

    def test_login_while_it_waits_and_when_it_is_over(self):
        """The private key is in memory during the wait for the tokens, which also shows that the test would find it."""
        self.home.install_idle_browser()
        running = self.stopped_at_its_end("login", "-q", WEB)
        url = eventually("the URL is shown", lambda: re.search(r"https://\S+/cdn-cgi/access/cli\?\S+", running.err)).group()
        public = base64.urlsafe_b64decode(urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["token"][0])
        pid = self.pid_of_traced()
        self.assertTrue(memory.holds_private_key_of(memory.image(pid), public))
        self.edge.sign_in(url)
        self.assertEqual(self.pid_at_its_end(), pid)
        self.learn()
        pieces = self.assert_clean(pid, WEB)
        self.assertEqual(memory.holds_private_key_of(pieces, public), [])

    def test_commands_at_their_end(self):
        self.home.plant_org_token()
        for command in (("ssh-gen", "--hostname", SSH), ("ssh-gen", "--hostname", SSH, "--force", "--key-type", "ed25519"),
                        ("ssh-gen", "--hostname", SSH), ("token", SSH), ("status",), ("doctor", "--hostname", SSH),
                        ("login", "-q", *self.service, ECHO), ("logout", SSH)):
            with self.subTest(command):
                running = self.stopped_at_its_end(*command)
                pid = self.pid_at_its_end()
                if "ed25519" not in command:
                    self.learn()
                self.assert_clean(pid, command[-1] if "example.com" in command[-1] else self.home.path)
                running.kill()

    def stopped_at_its_end(self, *arguments):
        """Stops a command at its end, when its memory contains everything that it left there."""
        self.trace = os.path.join(self.home.path, "strace.log")
        if os.path.exists(self.trace):
            os.unlink(self.trace)
        words = [programs.system("strace"), "-qq", "-o", self.trace, "-e", "trace=exit_group",
                 "-e", "inject=exit_group:delay_enter=600000000", programs.mayfly(), *arguments]
        self.traced = Running(words, env=self.home.environment())
        return self.traced

    def pid_at_its_end(self):
        def look():
            with open(self.trace, encoding="utf-8") as file:
                return "exit_group(" in file.read()
        eventually("it has come to its end", lambda: os.path.exists(self.trace) and look())
        return self.pid_of_traced()

    def pid_of_traced(self):
        return eventually("it runs", lambda: [pid for pid in memory.children_of(self.traced.pid) if memory.name_of(pid) == "mayfly"])[0]

    def test_listeners_keep_only_the_token_for_their_tunnels(self):
        """SECURITY.md says so. The login process keeps nothing."""
        for kind, one in VISITS.items():
            with self.subTest(kind):
                running = self.home.start(kind, "--hostname", one.host, "--url", "127.0.0.1:0")
                port = int(running.wait_err(r"host=127\.0\.0\.1:(\d+)").group(1))
                # The first visit waited for the token of the login; for the second the listener has kept it.
                with visit(self.edge, kind, port), visit(self.edge, kind, port):
                    self.learn()
                    everything, mine = self.secrets, self.home.read(self.home.token_name(one.of))
                    self.assertTrue(any("org-token" in name for name in everything))
                    login_process, = memory.children_of(running.pid)
                    self.assert_clean(login_process, one.host)
                    self.secrets = {name: secret for name, secret in everything.items() if secret not in mine}
                    self.assert_clean(running.pid, one.host)
                    self.secrets = everything
                    self.assertTrue(memory.holds(memory.image(running.pid), mine.strip()), "the token would not be found")
