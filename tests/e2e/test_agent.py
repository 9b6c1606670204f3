"""Key and certificate in a real ssh-agent until the certificate expires, with no key on disk."""
import os
import re
import subprocess
import tempfile
import unittest

from harness import programs
from harness.case import FAILED, EdgeCase
from harness.edge import USER
from harness.process import PIPE, Running, run
from harness.sshd import Sshd, client_config
from harness.waiting import eventually

HOST = "ssh.example.com"
NOWHERE = {"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"}


class AgentCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.home.install_browser()
        self.socket = os.path.join(self.home.path, "agent")
        Running([programs.system("ssh-agent"), "-D", "-a", self.socket], env=self.home.environment())
        eventually("the agent listens", lambda: os.path.exists(self.socket))
        self.home.variables["SSH_AUTH_SOCK"] = self.socket

    def add(self, *arguments):
        return run([programs.system("ssh-add"), *arguments], env=self.home.environment())

    def keys(self):
        """Returns type, key and comment of each key that ssh-add lists."""
        listed = self.add("-L")
        return [line.split(" ", 2) for line in listed.out.decode().splitlines()] if listed.code == 0 else []

    def generate(self, *flags, host=HOST, **more):
        return self.home.mayfly("ssh-gen", "--agent", "--hostname", host, *flags, **more)

    def certificate(self, key):
        path = os.path.join(self.home.path, "listed-cert.pub")
        with open(path, "w", encoding="ascii") as file:
            file.write(" ".join(key) + "\n")
        return self.home.keygen("-L", "-f", path)

    def assert_no_key_on_disk(self):
        self.assertEqual([name for name in self.home.files() if "cf_key" in name], [])


class Agent(AgentCase):
    def test_certificate_with_its_key_and_nothing_on_disk(self):
        result = self.assert_done(self.generate())
        self.assertEqual(result.out, b"")
        key, = self.keys()
        self.assertEqual((key[0], key[2]), ("ecdsa-sha2-nistp256-cert-v01@openssh.com", f"mayfly:{HOST}"))
        self.assertRegex(self.certificate(key), rf"Principals:\s+{re.escape(USER)}\s")
        self.assert_no_key_on_disk()

    def test_ed25519(self):
        self.assert_done(self.generate("--key-type", "ed25519"))
        self.assertEqual(self.keys()[0][0], "ssh-ed25519-cert-v01@openssh.com")
        self.assert_no_key_on_disk()

    def test_valid_certificate_of_another_key_type_does_not_count(self):
        self.assert_done(self.generate())
        self.assertEqual(self.generate("--check", "--key-type", "ed25519").code, 1)
        self.assert_done(self.generate("--key-type", "ed25519"))
        key, = self.keys()
        self.assertEqual(key[0], "ssh-ed25519-cert-v01@openssh.com")
        self.assert_done(self.generate("--check", "--key-type", "ed25519"))

    def test_used_again_while_it_is_valid(self):
        self.assert_done(self.generate())
        before, seen = self.keys(), len(self.edge.log())
        result = self.assert_done(self.generate(env=NOWHERE))
        self.assertEqual((result.out, result.err), (b"", ""))
        self.assertEqual(self.keys(), before)
        self.assertEqual(len(self.edge.log()), seen)

    def test_agent_drops_it_when_it_ends(self):
        self.edge.application("ssh", certificate={"validity": 8})
        self.assert_done(self.generate())
        self.assertEqual(len(self.keys()), 1)
        eventually("the agent has dropped it", lambda: not self.keys())

    def test_renewed_before_it_ends_and_not_kept_twice(self):
        self.edge.application("ssh", certificate={"validity": 9})
        self.assert_done(self.generate())
        first, = self.keys()

        def renewed():
            self.assert_done(self.generate())
            return self.edge.stats()["signatures"] == 2
        eventually("it is renewed", renewed)
        second, = self.keys()
        self.assertNotEqual(first[1], second[1])

    def test_force(self):
        self.assert_done(self.generate())
        first, = self.keys()
        self.assert_done(self.generate("--force"))
        second, = self.keys()
        self.assertNotEqual(first[1], second[1])

    def test_check(self):
        def check():
            result = self.generate("--check", env=NOWHERE)
            self.assertEqual(result.out, b"", result)
            return result.code
        self.assertEqual(check(), 1)
        self.assert_done(self.generate())
        self.assertEqual(check(), 0)
        self.assertEqual(self.home.mayfly("ssh-gen", "--check", "--hostname", HOST, env=NOWHERE).code, 1,
                         "it is not on disk")
        self.assertEqual(self.generate("--check", host="web.example.com", env=NOWHERE).code, 1)
        self.add("-D")
        self.assertEqual(check(), 1)

    def test_each_application_its_own(self):
        self.assert_done(self.generate())
        self.assert_done(self.generate(host="web.example.com"))
        self.assert_done(self.generate(host="tools.example.com/admin"))
        self.assertEqual(sorted(key[2] for key in self.keys()),
                         [f"mayfly:{HOST}", "mayfly:tools.example.com-admin", "mayfly:web.example.com"])

    def test_keys_of_the_person_stay(self):
        own = os.path.join(self.home.path, "own")
        self.home.keygen("-q", "-t", "ed25519", "-N", "", "-C", "own", "-f", own)
        self.add(own)
        self.assert_done(self.generate())
        self.assert_done(self.generate("--force"))
        self.assertEqual(sorted(key[2] for key in self.keys()), [f"mayfly:{HOST}", "own"])

    def test_no_agent(self):
        for socket in (None, "", os.path.join(self.home.path, "nobody")):
            with self.subTest(socket):
                result = self.generate(env={"SSH_AUTH_SOCK": socket})
                self.assert_error(result, FAILED, "agent")
        self.assertEqual(self.edge.log(), [], "nothing is asked for what could not be kept")

    @unittest.skipUnless(os.geteuid() == 0, "another user has to be the agent's")
    def test_agent_of_another_user(self):
        """An agent that has ended leaves its path free for other users, who would get key and certificate."""
        with tempfile.TemporaryDirectory(prefix="mayfly-agent-", dir="/tmp") as place:  # not the closed TMPDIR
            os.chmod(place, 0o777)
            socket = os.path.join(place, "agent")
            agent = subprocess.Popen([programs.system("ssh-agent"), "-D", "-a", socket], user=65534, group=65534,
                                     extra_groups=[], stdout=subprocess.DEVNULL)
            self.addCleanup(agent.wait)
            self.addCleanup(agent.kill)
            eventually("the agent listens", lambda: os.path.exists(socket))
            result = self.generate(env={"SSH_AUTH_SOCK": socket})
            self.assert_error(result, FAILED, "belongs to another user (uid 65534)", "ssh-agent")
            self.assertEqual(run([programs.system("ssh-add"), "-l"], env=self.home.environment({"SSH_AUTH_SOCK": socket})).code, 1)
        self.assertEqual(self.edge.log(), [], "nothing is asked for what could not be kept")

    def test_locked_agent(self):
        secret = self.home.script("askpass", "echo locked\n")
        lock = Running([programs.system("ssh-add"), "-x"], stdin=PIPE, env=self.home.environment(
            {"SSH_ASKPASS": secret, "SSH_ASKPASS_REQUIRE": "force"}))
        self.assert_done(lock.finish())
        self.assert_error(self.generate(), FAILED, "agent")
        self.assert_no_key_on_disk()


class Ssh(AgentCase):
    def setUp(self):
        super().setUp()
        self.sshd = Sshd(self.edge.ssh_ca_pub)
        self.addCleanup(self.sshd.stop)
        self.edge.application("ssh", origin=f"tcp:127.0.0.1:{self.sshd.port}")
        self.home.variables["MAYFLY_HOME"] = self.home.state

    def configure(self, *flags):
        advice = self.assert_done(self.home.mayfly("ssh-config", "--agent", "--hostname", HOST, *flags))
        block = advice.out.decode().split(":\n\n", 1)[1]
        # After the block, this configuration says "IdentityAgent none" and "IdentitiesOnly yes".
        return client_config(block, HOST, self.sshd, self.home.path)

    def connect(self, config, *options):
        return run([programs.system("ssh"), "-F", config, *options, HOST, "--", "echo hello"],
                   env={**self.home.environment(), "SHELL": "/bin/sh"})

    def test_user_is_the_principal_that_is_known(self):
        installed = os.path.join(self.home.path, ".ssh", "mayfly_config")
        for known in (False, True):
            if known:
                self.assert_done(self.generate())
            self.assert_done(self.home.mayfly("ssh-config", "--agent", "--hostname", HOST, "--write"))
            with open(installed, encoding="utf-8") as file:
                self.assertEqual(f"  User {USER}\n" in file.read(), known)

    def test_real_ssh_by_the_block(self):
        for flags, kind in (([], "ECDSA-CERT"), (["--key-type", "ed25519"], "ED25519-CERT")):
            with self.subTest(flags):
                self.add("-D")
                if flags:
                    self.assert_done(self.generate(*flags))
                config = self.configure()
                self.assertEqual(self.assert_done(self.connect(config)).out, b"hello\n")
                self.sshd.wait_log(rf"Accepted publickey for {re.escape(USER)} .*{kind} ")
                self.assert_no_key_on_disk()
        self.assertEqual(len(self.home.browsed()), 1)

    def test_certificate_is_offered_before_many_other_keys(self):
        """sshd closes the connection after six keys (MaxAuthTries)."""
        for number in range(7):
            key = os.path.join(self.home.path, f"own-{number}")
            self.home.keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
            self.assert_done(self.add("-q", key))
        config = self.configure()
        self.assertEqual(self.assert_done(self.connect(config)).out, b"hello\n")
        for only in ("no", "yes"):
            with self.subTest(IdentitiesOnly=only):
                result = self.connect(config, "-o", f"IdentitiesOnly={only}")
                self.assertEqual(self.assert_done(result).out, b"hello\n")

    def test_keys_on_disk_are_not_added_to_the_agent(self):
        advice = self.assert_done(self.home.mayfly("ssh-config", "--short-lived-cert", "--hostname", HOST))
        config = client_config(advice.out.decode().split(":\n\n", 1)[1], HOST, self.sshd, self.home.path)
        with open(config, encoding="utf-8") as file:
            text = file.read()
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.replace("IdentityAgent none", f"IdentityAgent {self.socket}\n  AddKeysToAgent yes"))
        for _ in range(2):
            self.assert_done(self.home.mayfly("ssh-gen", "--force", "--hostname", HOST))
            self.assertEqual(self.assert_done(self.connect(config)).out, b"hello\n")
        self.assertEqual(self.keys(), [])
