"""The main job: a real ssh and scp, to a real sshd, with short-lived certificates, through the edge."""
import hashlib
import os
import random
import re
import shlex

from harness import programs
from harness.case import EdgeCase
from harness.edge import USER
from harness.process import PIPE, Running
from harness.sshd import Sshd, client_config
from harness.waiting import eventually

HOST = "ssh.example.com"
MIB_24 = 24 << 20


class SshCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.sshd = Sshd(self.edge.ssh_ca_pub)
        self.addCleanup(self.sshd.stop)
        self.edge.application("ssh", origin=f"tcp:127.0.0.1:{self.sshd.port}")
        # ssh expands ~ from the account and not from HOME, so the block has to name the directory.
        self.home.variables["MAYFLY_HOME"] = self.home.state
        self.scratch = os.path.join(self.home.path, "scratch")
        os.mkdir(self.scratch)

    def configure(self, *flags):
        advice = self.assert_done(self.home.mayfly("access", "ssh-config", "--hostname", HOST, *flags))
        head, block = advice.out.decode().split(":\n\n", 1)
        self.assertEqual(head, f"\nAdd to your {self.home.path}/.ssh/config")
        self.config = client_config(block, HOST, self.sshd, self.scratch)

    def start(self, *arguments, program="ssh", **more):
        env = {**self.home.environment(), "SHELL": "/bin/sh"}
        return Running([programs.system(program), "-F", self.config, *arguments], env=env, **more)

    def ssh(self, command, **more):
        return self.start(HOST, "--", command, **more).finish()

    def random_file(self, name, size=MIB_24):
        path = os.path.join(self.scratch, name)
        data = random.Random(name).randbytes(size)
        with open(path, "wb") as file:
            file.write(data)
        return path, data

    def content(self, name):
        with open(os.path.join(self.scratch, name), "rb") as file:
            return file.read()

    def assert_same(self, one, other):
        digests = [hashlib.sha256(data).hexdigest() for data in (one, other)]
        self.assertEqual((len(one), digests[0]), (len(other), digests[1]))


class Ssh(SshCase):
    def setUp(self):
        super().setUp()
        self.home.install_browser()
        self.configure("--short-lived-cert")

    def test_from_nothing_to_a_command_on_the_server(self):
        result = self.assert_done(self.ssh("printf 'hello from %s' \"$(id -un)\""))
        self.assertEqual(result.out.decode(), f"hello from {USER}")
        accepted = self.sshd.wait_log(rf"Accepted publickey for {re.escape(USER)} .*-CERT .* ID .* CA ")
        self.assertIn("ECDSA-CERT", accepted.group())
        shown = self.home.keygen("-L", "-f", self.home.file(f"{HOST}-cf_key-cert.pub"))
        self.assertRegex(shown, rf"Principals:\s+{re.escape(USER)}\s")
        self.assertEqual(len(self.home.browsed()), 1)

    def test_ed25519(self):
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", HOST, "--key-type", "ed25519"))
        self.assertEqual(self.assert_done(self.ssh("echo hello")).out, b"hello\n")
        self.sshd.wait_log(rf"Accepted publickey for {re.escape(USER)} .*ED25519-CERT ")

    def test_second_time_needs_no_login_and_no_signature(self):
        self.assert_done(self.ssh("true"))
        before = self.edge.stats()
        self.assert_done(self.ssh("true"))
        after = self.edge.stats()
        for what in ("signatures", "logins", "metadata", "jwks", "polls", "exchanges"):
            self.assertEqual(after[what], before[what], what)
        self.assertEqual(after["tls_connections"], before["tls_connections"] + 1)

    def test_exit_code_and_stderr_are_those_of_the_command(self):
        result = self.ssh("echo to-stderr >&2; exit 42")
        self.assertEqual((result.code, result.out), (42, b""), result)
        self.assertIn("to-stderr", result.err)

    def test_24_mib_through_cat_come_back(self):
        _, data = self.random_file("both-ways")
        self.assert_done(self.ssh("true"))
        result = self.assert_done(self.ssh("cat", stdin=data))
        self.assert_same(result.out, data)

    def test_24_mib_down(self):
        path, data = self.random_file("down")
        result = self.assert_done(self.ssh(f"cat {shlex.quote(path)}"))
        self.assert_same(result.out, data)

    def test_24_mib_up(self):
        _, data = self.random_file("up")
        there = os.path.join(self.scratch, "arrived")
        self.assert_done(self.ssh(f"cat > {shlex.quote(there)}", stdin=data))
        self.assert_same(self.content("arrived"), data)

    def test_scp_up_and_down(self):
        path, data = self.random_file("copied", 3 << 20)
        for source, target in [(path, f"{HOST}:{self.scratch}/up"),
                               (f"{HOST}:{path}", f"{self.scratch}/down")]:
            self.assert_done(self.start("-q", source, target, program="scp").finish())
        self.assert_same(self.content("up"), data)
        self.assert_same(self.content("down"), data)

    def test_several_at_once_log_in_once(self):
        running = [self.start(HOST, "--", f"echo {i}") for i in range(4)]
        for i, one in enumerate(running):
            self.assertEqual(self.assert_done(one.finish()).out, f"{i}\n".encode())
        self.assertEqual(len(self.home.browsed()), 1)
        self.assertEqual(self.edge.stats()["signatures"], 1)

    def test_token_revoked_between_two_connections(self):
        self.assert_done(self.ssh("true"))
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        result = self.assert_done(self.ssh("echo still here"))
        self.assertEqual(result.out, b"still here\n")
        self.assertEqual(len(self.home.browsed()), 2)
        self.assertEqual([e["status"] for e in self.edge.upgrades(HOST)], [101, 302, 101])

    def test_nothing_is_left_running(self):
        running = self.start(HOST, "--", "echo ready; cat", stdin=PIPE)
        running.wait_out(6)
        self.assertEqual(self.edge.stats()["open_tunnels"], 1)
        running.close_stdin()
        self.assert_done(running.finish())
        eventually("the tunnel has ended", lambda: self.edge.stats()["open_tunnels"] == 0)

    def test_killed_ssh_takes_its_tunnel_along(self):
        running = self.start(HOST, "--", "echo ready; cat", stdin=PIPE)
        running.wait_out(6)
        running.process.kill()
        eventually("the tunnel has ended", lambda: self.edge.stats()["open_tunnels"] == 0)

    def test_refusal_is_seen_at_the_terminal(self):
        self.assert_done(self.ssh("true"))
        self.edge.fault("upgrade.403", application="ssh")
        result = self.ssh("true")
        self.assertEqual(result.code, 255)
        self.assertIn("mayfly: error: ", result.err)
        self.assertIn("hint: ", result.err)

    def test_certificate_of_another_person_is_refused(self):
        self.edge.application("ssh", certificate={"principals": ["somebody-else"]})
        result = self.ssh("true")
        self.assertEqual(result.code, 255, result)
        self.sshd.wait_log("(?i)certificate invalid: name is not a listed principal")


class SshWithOwnKey(SshCase):
    def test_block_without_certificate(self):
        key = os.path.join(self.scratch, "own_key")
        self.home.keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
        with open(key + ".pub", "rb") as public, open(self.sshd.authorized_keys, "wb") as file:
            file.write(public.read())
        self.home.install_browser()
        self.configure()
        result = self.assert_done(self.start("-i", key, HOST, "--", "echo hello").finish())
        self.assertEqual(result.out, b"hello\n")
        self.assertFalse([f for f in self.home.files() if "cf_key" in f])


class ManagedOauth(SshCase):
    """An application that answers programs by a 401 in place of the redirect to the login page."""

    def test_certificate_and_tunnel_by_the_token_of_the_team(self):
        self.edge.application("ssh", managed_oauth=True)
        self.home.install_idle_browser()
        self.home.plant_org_token()
        self.configure("--short-lived-cert")
        result = self.assert_done(self.ssh("printf through"))
        self.assertEqual((result.out, self.home.browsed()), (b"through", []))
        # A revoked token is renewed while ssh waits.
        self.edge.ask("POST", "/revoke", {"kind": "app"})
        self.assertEqual(self.assert_done(self.ssh("printf again")).out, b"again")
        self.assertEqual((self.edge.stats()["exchanges"], self.home.browsed()), (2, []))
