"""--public-key: a key of the person's own is certified, wherever its private half is: with a real ssh, ssh-agent and
a PKCS#11 token."""
import base64
import json
import os
import re
import shutil
import struct
import unittest

from harness import faketime, programs
from harness.case import NOWHERE, REFUSED, USAGE
from harness.edge import USER
from harness.process import Running, run
from harness.waiting import eventually
from test_certificate_hardware import PIN, SOFTHSM
from test_ssh import HOST, SshCase

FILES = [f"{HOST}-own_key-cert.pub", f"{HOST}-own_key.pub"]


class OwnKeyCase(SshCase):
    def setUp(self):
        super().setUp()
        self.home.install_browser()
        self.key = os.path.join(self.scratch, "id")

    def make_key(self, *options):
        self.home.keygen("-q", "-N", "", "-C", "jdoe@laptop", "-f", self.key, *(options or ("-t", "ed25519")))
        return self.key + ".pub"

    def generate(self, public_key, *flags, **more):
        return self.home.mayfly("ssh-gen", "--public-key", public_key, *flags, HOST, **more)

    def key_files(self):
        return sorted(name for name in self.home.files() if "_key" in name or "-agent-" in name)

    def assert_no_private_key(self):
        for name in self.home.files():
            with open(os.path.join(self.home.state, name), "rb") as file:
                self.assertNotIn(b"PRIVATE KEY", file.read(), name)
        self.assertEqual(self.key_files(), FILES)

    def assert_certified(self, public_key):
        certificate = self.home.file(FILES[0])
        with open(public_key, encoding="ascii") as own, open(self.home.file(FILES[1]), encoding="ascii") as copy:
            self.assertEqual(own.read().split()[:2], copy.read().split())
        fingerprint = self.home.keygen("-l", "-f", public_key).split()[1]
        shown = self.home.keygen("-L", "-f", certificate)
        self.assertRegex(shown, rf"Public key: \S+ {re.escape(fingerprint)}")
        self.assertRegex(shown, rf"Principals:\s+{re.escape(USER)}\s")

    def start_agent(self):
        socket = os.path.join(self.home.path, "agent")
        Running([programs.system("ssh-agent"), "-D", "-a", socket], env=self.home.environment())
        eventually("the agent listens", lambda: os.path.exists(socket))
        self.home.variables["SSH_AUTH_SOCK"] = socket


class File(OwnKeyCase):
    def test_ssh_logs_in_with_it(self):
        for options in (("-t", "ed25519"), ("-t", "ecdsa", "-b", "384")):
            with self.subTest(options):
                public = self.make_key(*options)
                self.configure("--public-key", public)
                self.assertEqual(self.assert_done(self.ssh("echo hello")).out, b"hello\n")
                kind = options[1].upper()
                self.sshd.wait_log(rf"Accepted publickey for {re.escape(USER)} .*{kind}-CERT .* ID .* CA ")
                self.assert_certified(public)
                self.assert_no_private_key()
                os.remove(self.key)

    def test_second_time_needs_no_network(self):
        public = self.make_key()
        self.assert_done(self.generate(public))
        before = self.edge.stats()
        self.assert_done(self.generate(public, env=NOWHERE))
        self.assert_done(self.generate(public, "--check", env=NOWHERE))
        self.assertEqual(self.edge.stats(), before)

    def test_another_key_needs_another_certificate(self):
        public = self.make_key()
        self.assertEqual(self.generate(public, "--check").code, 1)
        self.assert_done(self.generate(public))
        os.remove(self.key)
        self.make_key()
        self.assertEqual(self.generate(public, "--check").code, 1)
        self.assert_done(self.generate(public))
        self.assert_certified(public)

    def test_flags_after_the_host_and_relative_names(self):
        self.make_key()
        self.assert_done(self.home.mayfly("ssh-gen", HOST, "--public-key", "id.pub", cwd=self.scratch))
        self.assert_no_private_key()

    def test_private_key_is_refused_and_not_read(self):
        self.make_key()
        for command in (("ssh-gen", HOST), ("ssh-config", HOST), ("connect",)):
            with self.subTest(command):
                arguments = [*command, "--public-key", self.key, *([HOST] if command == ("connect",) else [])]
                result = self.home.mayfly(*arguments)
                self.assert_error(result, USAGE, "is a private key, which mayfly does not read", ".pub")
        self.assertEqual(self.key_files(), [])

    def test_no_more_of_a_private_key_is_read_than_its_beginning(self):
        strace = shutil.which("strace")
        if not strace:
            raise unittest.SkipTest("strace is not installed")
        self.make_key()
        trace = os.path.join(self.scratch, "trace")
        Running([strace, "-f", "-y", "-s", "4096", "-e", "trace=read,pread64,readv,preadv,mmap", "-o", trace,
                 programs.mayfly(), "ssh-gen", "--public-key", self.key, HOST], env=self.home.environment()).finish()
        with open(trace, encoding="utf-8", errors="replace") as file:
            seen = [line for line in file if f"<{self.key}>" in line]
        self.assertEqual(len(seen), 1, seen)
        self.assertRegex(seen[0], r'"-----BEGIN ", 11, 0\) += 11')

    def test_private_key_stays_as_it_is(self):
        public = self.make_key()
        with open(self.key, "rb") as file:
            before = file.read(), os.stat(self.key)
        self.configure("--public-key", public)
        self.assert_done(self.ssh("true"))
        with open(self.key, "rb") as file:
            self.assertEqual((file.read(), os.stat(self.key).st_mtime_ns), (before[0], before[1].st_mtime_ns))

    def test_flags_that_contradict_it(self):
        public = self.make_key()
        for flags in (("--agent",), ("--key-type", "ecdsa"), ("--agent-confirm",)):
            with self.subTest(flags):
                self.assertEqual(self.generate(public, *flags).code, USAGE)

    def test_connect(self):
        public = self.make_key()
        for name in ("ssh", "sh"):
            os.symlink(programs.system(name), os.path.join(self.home.bin, name))
        self.home.variables["SHELL"] = "/bin/sh"
        self.configure()
        result = self.home.mayfly("connect", "--public-key", public, HOST, "-F", self.config, "echo", "hello")
        self.assertEqual(self.assert_done(result).out, b"hello\n")
        self.sshd.wait_log(r"Accepted publickey for .*ED25519-CERT ")
        self.assert_no_private_key()


class Knowledge(OwnKeyCase):
    """status, logout and doctor know such certificates."""

    def test_status(self):
        self.assert_done(self.generate(self.make_key()))
        self.assertIn("certificate (own key)", self.home.mayfly("status", env=NOWHERE).out.decode())
        entries = json.loads(self.home.mayfly("status", "--json", env=NOWHERE).out)["entries"]
        entry, = [one for one in entries if one["kind"] == "certificate"]
        self.assertEqual((entry["state"], entry["file"], entry["identity"], entry["opens"]),
                         ("valid", FILES[0], USER, HOST))

    def test_logout_removes_certificate_and_copy_alone(self):
        public = self.make_key()
        self.assert_done(self.generate(public))
        self.assert_done(self.home.mayfly("logout", HOST))
        self.assertEqual(self.key_files(), [])
        self.assertTrue(os.path.exists(self.key) and os.path.exists(public))

    def test_ssh_config_takes_the_user_from_the_certificate(self):
        public = self.make_key()
        self.assert_done(self.generate(public))
        self.assert_done(self.home.mayfly("ssh-config", HOST, "--public-key", public, "--write"))
        with open(os.path.join(self.home.path, ".ssh", "mayfly_config"), encoding="utf-8") as file:
            self.assertIn(f"  User {USER}\n", file.read())

    def test_doctor(self):
        public = self.make_key()
        self.configure("--public-key", public)
        self.assert_done(self.ssh("true"))
        self.home.script("ssh", f"exec {programs.system('ssh')} -F {self.config} \"$@\"\n")
        os.symlink("/bin/sh", os.path.join(self.home.bin, "sh"))
        report = json.loads(self.home.mayfly("doctor", "--json", "--hostname", HOST, env={"SHELL": "/bin/sh"}).out)
        checks = {check["name"]: check for check in report["checks"]}
        self.assertIn("certificate for a key of your own", checks["ssh_config"]["detail"], checks["ssh_config"])
        self.assertIn(f"for {USER}, ends in", checks["ssh_certificate"]["detail"])
        self.assertEqual({checks[name]["state"] for name in ("ssh_config", "ssh_certificate")}, {"ok"})


class Elsewhere(OwnKeyCase):
    """The private half is not in a file."""

    def test_key_in_the_agent(self):
        self.start_agent()
        public = self.make_key()
        run([programs.system("ssh-add"), self.key], env=self.home.environment())
        os.remove(self.key)
        self.configure("--public-key", public)
        self.assertEqual(self.assert_done(self.start("-o", f"IdentityAgent={self.home.variables['SSH_AUTH_SOCK']}", HOST,
                                                     "--", "echo hello").finish()).out, b"hello\n")
        self.sshd.wait_log(r"Accepted publickey for .*ED25519-CERT ")
        self.assert_no_private_key()

    def test_key_in_a_pkcs11_token(self):
        module = next(filter(os.path.exists, SOFTHSM), None)
        if not module or not shutil.which("softhsm2-util") or not shutil.which("pkcs11-tool"):
            raise unittest.SkipTest("softhsm2 and opensc are not installed")
        tokens = os.path.join(self.scratch, "tokens")
        os.mkdir(tokens)
        conf = os.path.join(self.scratch, "softhsm.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"directories.tokendir = {tokens}\n")
        env = {"SOFTHSM2_CONF": conf, "PATH": "/usr/bin:/bin"}
        for words in (["softhsm2-util", "--init-token", "--free", "--label", "piv", "--pin", PIN, "--so-pin", PIN],
                      ["pkcs11-tool", "--module", module, "--login", "--pin", PIN, "--keypairgen", "--key-type",
                       "EC:prime256v1", "--id", "01", "--label", "auth"]):
            self.assert_done(run([programs.system(words[0]), *words[1:]], env=env))
        printed = self.assert_done(run([programs.system("ssh-keygen"), "-D", module], env=env)).out.decode()
        public = os.path.join(self.scratch, "piv.pub")
        with open(public, "w", encoding="ascii") as file:
            file.write(printed)
        self.configure("--public-key", public)
        askpass = self.home.script("askpass", f"echo {PIN}\n")
        self.home.variables |= {"SOFTHSM2_CONF": conf, "SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force"}
        result = self.start("-o", "BatchMode=no", "-o", f"PKCS11Provider={module}", HOST, "--", "echo hello").finish()
        self.assertEqual(self.assert_done(result).out, b"hello\n")
        self.sshd.wait_log(r"Accepted publickey for .*ECDSA-CERT ")
        self.assert_certified(public)
        self.assert_no_private_key()


class SecurityKey(OwnKeyCase):
    """A FIDO key, whose public half needs no token (PROTOCOL.u2f)."""

    def make_key(self, *_options):
        kind = b"sk-ssh-ed25519@openssh.com"
        blob = b"".join(struct.pack(">I", len(part)) + part for part in (kind, b"p" * 32, b"ssh:"))
        with open(self.key + ".pub", "w", encoding="ascii") as file:
            file.write(f"{kind.decode()} {base64.b64encode(blob).decode()} token\n")
        return self.key + ".pub"

    def test_refusal_of_the_signer_is_explained(self):
        result = self.generate(self.make_key())
        self.assert_error(result, REFUSED, "unsupported public key type", "ECDSA, Ed25519 and RSA",
                          "of the type sk-ssh-ed25519@openssh.com")
        self.assertEqual(self.key_files(), [])

    def test_signer_that_takes_it(self):
        self.edge.application("ssh", certificate={"any_key_type": True})
        public = self.make_key()
        self.assert_done(self.generate(public))
        self.assert_certified(public)
        self.assert_done(self.generate(public, "--check"))
        self.assertIn(USER, self.home.mayfly("status", env=NOWHERE).out.decode())


class RenewBefore(OwnKeyCase):
    def remaining(self, *flags):
        return self.home.mayfly("ssh-gen", "--check", *flags, HOST).code

    def test_certificate_that_ends_soon_is_renewed(self):
        self.edge.application("ssh", certificate={"validity": 3600})
        self.assert_done(self.home.mayfly("ssh-gen", HOST))
        self.assertEqual((self.remaining(), self.remaining("--renew-before", "20m")), (0, 0))
        self.edge.application("ssh", certificate={"validity": 7200})
        self.assert_done(self.home.mayfly("ssh-gen", "--renew-before", "20m", HOST))
        self.assertEqual(self.edge.stats()["signatures"], 1)

    def test_certificate_in_its_second_half_is_renewed(self):
        """faketime moves the clock of mayfly: of a validity of an hour, 15 minutes are left."""
        if not faketime.library():
            raise unittest.SkipTest("libfaketime is not installed")
        self.addCleanup(faketime.clear)
        self.edge.application("ssh", certificate={"validity": 3600})
        self.assert_done(self.home.mayfly("ssh-gen", HOST))

        def later(*flags):
            result = self.home.mayfly("ssh-gen", "--check", *flags, HOST, env=faketime.settings(FAKETIME="+45m"))
            self.assertNotIn("faketime", result.err)
            return result.code
        self.assertEqual((later(), later("--renew-before", "10m"), later("--renew-before", "20m")), (0, 0, 1))
        self.assertEqual(later("--renew-before", "10d"), 1)

    def test_longer_than_the_validity_does_not_renew_each_time(self):
        for flags in ((), ("--public-key", self.make_key())):
            with self.subTest(flags):
                before = self.edge.stats()["signatures"]
                for _ in range(3):
                    self.assert_done(self.home.mayfly("ssh-gen", *flags, "--renew-before", "1d", HOST))
                self.assertEqual(self.edge.stats()["signatures"], before + 1)

    def test_what_is_no_duration_is_refused(self):
        for text in ("0", "soon", "-1"):
            self.assert_error(self.home.mayfly("ssh-gen", "--renew-before", text, HOST), USAGE, "duration")


class Timer(OwnKeyCase):
    """The command of the systemd unit, as the unit's file has it."""

    def unit(self, name):
        with open(os.path.join(programs.E2E, "..", "..", "systemd", name), encoding="utf-8") as file:
            return file.read()

    def run_unit(self):
        command, = re.findall(r"^ExecStart=(.*)$", self.unit("mayfly-ssh-gen@.service.in"), re.MULTILINE)
        program, *words = command.replace("@MAYFLY@", programs.mayfly()).replace("%i", HOST).split()
        return self.home.start(*words, program=program).finish()

    def test_certificate_is_renewed_without_a_person(self):
        self.home.plant_org_token()
        self.assert_done(self.run_unit())
        self.assertEqual(self.home.browsed(), [])
        self.assertIn(f"{HOST}-cf_key-cert.pub", self.key_files())

    def test_no_browser_opens(self):
        result = self.run_unit()
        self.assert_error(result, 3)
        self.assertEqual((self.home.browsed(), self.key_files()), ([], []))
        self.assertEqual(self.edge.stats()["polls"], 0)

    def test_systemd_takes_the_units(self):
        analyze = shutil.which("systemd-analyze")
        if not analyze:
            raise unittest.SkipTest("systemd is not installed")
        folder = os.path.join(self.scratch, "units")
        os.mkdir(folder)
        for name in ("mayfly-ssh-gen@.service", "mayfly-ssh-gen@.timer"):
            source = name + ".in" if name.endswith(".service") else name
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(self.unit(source).replace("@MAYFLY@", programs.mayfly()))
        result = run([analyze, "--user", "--man=no", "verify", *(os.path.join(folder, f"mayfly-ssh-gen@{HOST}.{end}")
                                                    for end in ("service", "timer"))],
                     env={**self.home.environment(), "SYSTEMD_UNIT_PATH": folder + ":",
                          "XDG_RUNTIME_DIR": self.scratch})
        self.assertEqual((result.code, [line for line in result.err.splitlines() if "mayfly" in line]), (0, []), result)


class Confirmation(OwnKeyCase):
    """--agent-confirm, with a real agent, which asks through SSH_ASKPASS."""

    def setUp(self):
        super().setUp()
        self.asked = os.path.join(self.scratch, "asked")

    def agent_with(self, answer):
        askpass = self.home.script("askpass", f"echo \"$1\" >> {self.asked}\nexit {answer}\n")
        self.home.variables |= {"SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force", "SHELL": "/bin/sh"}
        self.start_agent()

    def questions(self):
        try:
            with open(self.asked, encoding="utf-8") as file:
                return file.read().count("Allow use of key")
        except FileNotFoundError:
            return 0

    def test_each_use_is_asked_for(self):
        self.agent_with(0)
        self.configure("--agent-confirm")
        for uses in (1, 2):
            self.assertEqual(self.assert_done(self.ssh("echo hello")).out, b"hello\n")
            self.assertEqual(self.questions(), uses)
        self.assertEqual(self.key_files(), [f"{HOST}-agent-cert.pub"])

    def test_refused_use(self):
        self.agent_with(1)
        self.configure("--agent-confirm")
        self.assertEqual(self.ssh("true").code, 255)
        self.assertEqual(self.questions(), 1)

    def test_without_it_nothing_is_asked(self):
        self.agent_with(1)
        self.configure("--agent")
        self.assert_done(self.ssh("true"))
        self.assertEqual(self.questions(), 0)
