"""The block of a wildcard with the real ssh: it serves the hosts behind the wildcard, and no text that only ends alike."""
import os
import time

from harness import programs
from harness.case import EdgeCase
from harness.process import run
from harness.stranger import Stranger

HOST, EVIL = "a.wild.example.com", "evil.example.net"
ID, SECRET = "0123456789abcdef.access", "the-s3cret"
ENDING_ALIKE = (f"{EVIL}#.wild.example.com", f"{EVIL}?.wild.example.com", f"{EVIL}/x.wild.example.com",
                f"{EVIL}:443/.wild.example.com", f"https://{EVIL}/.wild.example.com")


class WildcardBlock(EdgeCase):
    def setUp(self):
        super().setUp()
        self.home.install_idle_browser()
        self.secret = self.home.plant("service-secret", SECRET + "\n")

    def stranger(self):
        """A server of the attacker's own with valid metadata of the attacker's own team."""
        self.edge.application("evil", hostname=EVIL, team="evil", origin="page")
        metadata = self.edge.mint("meta", "evil", claims={
            "type": "match", "hostname": EVIL, "aud": self.edge.audience("evil"), "app_hostname": EVIL,
            "auth_domain": "evil.cloudflareaccess.com", "iat": int(time.time()) - 3600})
        stranger = Stranger(self.edge, EVIL, answer=(
            f"HTTP/1.1 200 OK\r\ncf-access-metadata: {metadata}\r\nContent-Length: 5\r\nConnection: close\r\n\r\n").encode())
        self.addCleanup(stranger.stop)
        self.connect_to = f"{EVIL}:443:127.0.0.1:{stranger.port},{self.edge.connect_to}"
        return stranger

    def ssh(self, config, name):
        environment = self.home.environment({"MAYFLY_CONNECT_TO": self.connect_to, "SHELL": "/bin/sh",
                                             "PATH": self.home.bin + ":/usr/bin:/bin"})
        return run([programs.system("ssh"), "-F", config, "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", name, "true"],
                   env=environment)

    def test_text_that_ends_as_the_pattern(self):
        stranger = self.stranger()
        for flags in ([], ["--short-lived-cert"]):
            block = self.assert_done(self.home.mayfly(
                "ssh-config", *flags, "--hostname", "*.wild.example.com", "--service-token-id", ID,
                "--service-token-secret-file", self.home.file("service-secret"))).out.decode().split(":\n\n", 1)[1]
            config = os.path.join(self.home.path, "config")
            with open(config, "w", encoding="ascii") as file:
                file.write(block)
            for name in ENDING_ALIKE:
                with self.subTest(name=name, flags=flags):
                    self.assertNotEqual(self.ssh(config, name).code, 0)
                    self.assertEqual(stranger.requests, [])
                    self.assertEqual(self.home.browsed(), [])
            self.edge.ask("DELETE", "/log")
            self.ssh(config, HOST)
            self.assertTrue(self.edge.log(HOST), "a host behind the wildcard is served")
