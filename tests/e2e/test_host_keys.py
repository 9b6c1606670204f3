"""ssh-config --pin-host-key and --host-ca: a real ssh accepts the server's key of the first connection, and no other
one later."""
import os

from harness import programs
from harness.case import USAGE
from harness.edge import USER
from harness.process import run
from harness.sshd import Sshd
from harness.sshd_folder import keygen
from test_ssh import HOST, SshCase


class HostKeyCase(SshCase):
    def setUp(self):
        super().setUp()
        self.home.install_browser()
        self.known_hosts = os.path.join(self.home.path, ".ssh", "mayfly_known_hosts")

    def write(self, *flags):
        self.assert_done(self.home.mayfly("ssh-config", HOST, "--short-lived-cert", "--write", *flags))
        self.config = os.path.join(self.scratch, "config")
        with open(self.config, "w", encoding="utf-8") as file:
            # The person's own file says nothing of this server; the settings would accept any key.
            file.write(f"Include {self.home.path}/.ssh/mayfly_config\nHost *\n  User {USER}\n  IdentityAgent none\n"
                       "  IdentitiesOnly yes\n  BatchMode yes\n  StrictHostKeyChecking no\n  GlobalKnownHostsFile /dev/null\n"
                       f"  UserKnownHostsFile {self.scratch}/nothing\n")

    def pinned(self):
        with open(self.known_hosts, encoding="ascii") as file:
            return file.read()

    def other_server(self, key_type="ed25519"):
        """Puts a server with another key behind the application: somebody has taken the tunnel over."""
        self.sshd.stop()
        self.sshd = Sshd(self.edge.ssh_ca_pub, key_type)
        self.addCleanup(self.sshd.stop)
        self.edge.application("ssh", origin=f"tcp:127.0.0.1:{self.sshd.port}")

    def assert_key_refused(self, what="HOST IDENTIFICATION HAS CHANGED"):
        result = self.ssh("echo reached")
        self.assertEqual((result.code, result.out), (255, b""), result)
        self.assertIn(what, result.err)
        self.assertIn("Host key verification failed", result.err)


class Pinned(HostKeyCase):
    def test_key_of_the_first_connection_and_no_other(self):
        self.write("--pin-host-key")
        self.assertFalse(os.path.exists(self.known_hosts))
        self.assertEqual(self.assert_done(self.ssh("echo reached")).out, b"reached\n")
        self.assertIn(self.sshd.host_public_key, self.pinned())
        self.assertTrue(all(line.startswith(HOST + " ") for line in self.pinned().splitlines()), self.pinned())
        self.assert_done(self.ssh("true"))
        before = self.pinned()
        for key_type in ("ed25519", "ecdsa"):  # The same algorithm, and one of which no key is known.
            self.other_server(key_type)
            self.assert_key_refused()
        self.assertEqual(self.pinned(), before)

    def test_pin_outlives_the_block(self):
        self.write("--pin-host-key")
        self.assert_done(self.ssh("true"))
        self.assert_done(self.home.mayfly("ssh-config", HOST, "--remove"))
        self.other_server()
        self.write("--pin-host-key")
        self.assert_key_refused()
        self.assert_done(run([programs.system("ssh-keygen"), "-R", HOST, "-f", self.known_hosts], env=self.home.environment()))
        self.assert_done(self.ssh("true"))

    def test_without_it_the_settings_of_the_person_count(self):
        self.write()
        self.assert_done(self.ssh("true"))
        self.assertFalse(os.path.exists(self.known_hosts))

    def test_without_a_certificate_too(self):
        """The part of the block for the case that ssh-gen fails pins the same key."""
        self.write("--pin-host-key")
        self.assert_done(self.ssh("true"))
        self.other_server()
        self.edge.fault("cert_sign.403")
        self.assert_done(self.home.mayfly("login", "-q", HOST))
        for name in self.home.files():
            if "-cf_key" in name:
                os.remove(self.home.file(name))
        self.assert_key_refused()


class Certified(HostKeyCase):
    def setUp(self):
        super().setUp()
        self.authorities = os.path.join(self.home.path, ".ssh", "mayfly_host_authorities")
        self.ca = os.path.join(self.scratch, "host_ca")
        keygen("-t", "ed25519", "-f", self.ca)

    def test_only_keys_that_the_ca_has_certified(self):
        self.write("--host-ca", self.ca + ".pub")
        with open(self.ca + ".pub", encoding="ascii") as file:
            ca = file.read()
        with open(self.authorities, encoding="ascii") as file:
            self.assertEqual(file.read(), f"@cert-authority {HOST} {ca}")
        self.assert_key_refused("")
        self.sshd.stop()
        self.sshd = Sshd(self.edge.ssh_ca_pub, host_ca=self.ca, host_name=HOST)
        self.addCleanup(self.sshd.stop)
        self.edge.application("ssh", origin=f"tcp:127.0.0.1:{self.sshd.port}")
        self.assertEqual(self.assert_done(self.ssh("echo reached")).out, b"reached\n")

    def test_certificate_for_another_host(self):
        self.write("--host-ca", self.ca + ".pub", "--pin-host-key")
        self.sshd.stop()
        self.sshd = Sshd(self.edge.ssh_ca_pub, host_ca=self.ca, host_name="other.example.com")
        self.addCleanup(self.sshd.stop)
        self.edge.application("ssh", origin=f"tcp:127.0.0.1:{self.sshd.port}")
        self.assert_key_refused("")

    def test_keys_that_were_pinned_or_are_known_to_all_count_no_more(self):
        self.write("--pin-host-key")
        self.assert_done(self.ssh("true"))
        self.write("--host-ca", self.ca + ".pub")
        self.assert_key_refused("")
        with open(self.config, encoding="utf-8") as file:
            config = file.read()
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(config.replace("GlobalKnownHostsFile /dev/null", f"GlobalKnownHostsFile {self.known_hosts}"))
        self.assert_key_refused("")

    def test_lines_come_and_go_with_the_block(self):
        before = self.home.snapshot()
        self.write("--host-ca", self.ca + ".pub")
        self.assert_done(self.home.mayfly("ssh-config", "--remove"))
        after = self.home.snapshot()
        self.assertEqual({name for name in after if name.startswith(".ssh")}, {name for name in before if name.startswith(".ssh")})

    def test_printed(self):
        result = self.assert_done(self.home.mayfly("ssh-config", HOST, "--host-ca", self.ca + ".pub"))
        text = result.out.decode()
        self.assertIn(f"  HostKeyAlias {HOST}\n  UserKnownHostsFile {self.authorities}\n"
                      "  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n", text)
        self.assertIn(f"Add to your {self.authorities}:\n\n@cert-authority {HOST} ssh-ed25519 ", text)

    def test_a_private_key_is_refused(self):
        for way in ((), ("--write",)):
            self.assert_error(self.home.mayfly("ssh-config", HOST, "--host-ca", self.ca, *way), USAGE, "private key")
        self.assert_error(self.home.mayfly("ssh-config", "--host-ca", self.ca + ".pub"), USAGE, "needs the host")
