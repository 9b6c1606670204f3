"""sshd-config: the lines that make a real sshd trust the signer, printed, written and removed."""
import os
import shutil
import socket
import unittest

from harness import programs
from harness.accounts import ordinary_user
from harness.case import FAILED, USAGE, EdgeCase
from harness.edge import USER
from harness.process import Running, run
from harness.sshd_folder import SshdFolder, keygen
from harness.waiting import eventually

HOST = "ssh.example.com"
IS_ROOT = os.geteuid() == 0
TRUSTED, PRINCIPALS = "TrustedUserCAKeys", "AuthorizedPrincipalsFile"

# An sshd that refuses mayfly's lines where they are in effect, and not where mayfly tries them first.
LATE_REFUSAL = """\
case "$*" in
*.mayfly-*) ;;
*) if cat {folder}/sshd_config {folder}/sshd_config.d/mayfly.conf 2>/dev/null | grep -q TrustedUserCAKeys; then
     echo "sshd_config line 1: no" >&2; exit 255
   fi ;;
esac
exec {sshd} "$@"
"""


class SshdCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.folder = SshdFolder()
        self.addCleanup(self.folder.remove)
        self.folder.configure(self.folder.include)

    def sshd_config(self, *flags, **more):
        return self.home.mayfly("sshd-config", "--file", self.folder.config, *flags, **more)

    def write(self, *flags, **more):
        return self.sshd_config("--ca", self.edge.ssh_ca_pub, "--write", *flags, **more)

    def ca_key(self):
        with open(self.edge.ssh_ca_pub, encoding="ascii") as file:
            return file.read()

    def assert_refused_and_unchanged(self, before, result, *words, code=FAILED):
        self.assert_error(result, code, *words)
        self.assertEqual(before, self.folder.snapshot())


class Printed(SshdCase):
    def test_lines_are_for_sshd(self):
        result = self.assert_done(self.sshd_config("--ca", self.edge.ssh_ca_pub, "--principals", "deploy=jdoe,ann"))
        self.assertEqual(result.err, "")
        self.assertIn("#   " + self.ca_key(), result.out.decode())
        self.assertIn(f"# Save this in {self.folder.path}/mayfly_principals/deploy (mode 0644):\n#   jdoe\n#   ann\n",
                      result.out.decode())
        self.folder.configure(result.out.decode())
        self.assertEqual(self.folder.test().code, 0)
        self.assertEqual(self.folder.setting(TRUSTED), self.folder.ca)
        self.assertEqual(self.folder.setting(PRINCIPALS, "deploy"), self.folder.file("mayfly_principals/deploy"))
        self.assertEqual(self.folder.setting(PRINCIPALS, "jdoe"), "none")

    def test_key_from_standard_input(self):
        result = self.assert_done(self.sshd_config("--ca", "-", stdin=self.ca_key().encode()))
        self.assertIn(self.ca_key(), result.out.decode())

    def test_default_is_the_sshd_config_of_the_system(self):
        result = self.assert_done(self.home.mayfly("sshd-config", "--ca", self.edge.ssh_ca_pub))
        self.assertTrue(result.out.decode().endswith("before any Match:\nTrustedUserCAKeys /etc/ssh/mayfly_ca.pub\n"))

    def test_only_public_keys_of_a_ca(self):
        private, pem = (os.path.join(self.home.path, name) for name in ("private", "pem"))
        keygen("-t", "ecdsa", "-f", private)
        keygen("-t", "rsa", "-m", "PEM", "-f", pem)
        exported = self.home.keygen("-e", "-m", "PKCS8", "-f", private + ".pub")
        self.home.keygen("-q", "-s", pem, "-I", "id", "-n", "jdoe", private + ".pub")
        with open(private + "-cert.pub", encoding="ascii") as file:
            certificate = file.read()
        with open(private, encoding="ascii") as file:
            openssh = file.read()
        with open(pem, encoding="ascii") as file:
            rsa = file.read()
        before = self.folder.snapshot()
        for text, word in ((openssh, "private key"), (rsa, "private key"), (self.ca_key() + rsa, "private key"),
                           (exported, "another format"), (certificate, "certificate"), ("", "empty"),
                           ("ssh-ed25519 AAAA", "no public key"), ("cert-authority " + self.ca_key(), "options"),
                           ("A" * 70000, "too large"), (self.ca_key().replace(" ", " =", 1), "no public key")):
            for way in ((), ("--write",)):
                result = self.sshd_config("--ca", "-", *way, stdin=text.encode())
                self.assert_refused_and_unchanged(before, result, word, code=USAGE)
                self.assertNotIn(rsa.splitlines()[1], result.err)
                self.assertNotIn(openssh.splitlines()[1], result.err)

    def test_wrong_usage(self):
        ca = ("--ca", self.edge.ssh_ca_pub)
        for flags in ((), (*ca, "--principals", "deploy"), (*ca, "--principals", "*=jdoe"), (*ca, "--principals", "deploy="),
                      (*ca, "--principals", "deploy=jdoe@example.com"), (*ca, "--principals", "deploy=a b"),
                      (*ca, "--principals", "../x=jdoe"), (*ca, "--principals", "deploy=#jdoe"), (*ca, "--principals", "a,b=jdoe"),
                      (*ca, "--write", "--remove"), (*ca, "--remove"), (*ca, "--file", "/etc/s s/sshd_config"),
                      ("--ca", "/nonexistent")):
            result = self.home.mayfly("sshd-config", *flags)
            self.assert_error(result, FAILED if "/nonexistent" in flags else USAGE)


class OrdinaryUser(SshdCase):
    def test_is_refused(self):
        """Root runs a copy of mayfly as somebody else."""
        words = [programs.mayfly()]
        if IS_ROOT:
            copy = shutil.copy2(programs.mayfly(), self.folder.path)
            words = [programs.system("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", copy]
        before = self.folder.snapshot()
        for flags in (("--ca", "-", "--write"), ("--remove",)):
            result = run([*words, "sshd-config", "--file", self.folder.config, *flags], env=self.home.environment(),
                         stdin=self.ca_key().encode())
            self.assert_refused_and_unchanged(before, result, "only root can change", "sudo")


@unittest.skipUnless(IS_ROOT, "only root can change the configuration of sshd")
class RootCase(SshdCase):
    def assert_effective(self, user="", **principals):
        self.assertEqual(self.folder.test().code, 0)
        self.assertEqual(self.folder.setting(TRUSTED, user), self.folder.ca)
        self.assertTrue(self.folder.read("mayfly_ca.pub").endswith(self.ca_key()))
        for name, names in principals.items():
            path = self.folder.file(f"mayfly_principals/{name}")
            self.assertEqual(self.folder.setting(PRINCIPALS, name), path)
            self.assertEqual(self.folder.read(path).splitlines()[1:], names)

    def assert_no_leftovers(self):
        self.assertEqual([name for name in self.folder.snapshot() if "/.mayfly-" in "/" + name], [])


class Written(RootCase):
    def test_into_the_folder_that_sshd_config_includes(self):
        before = self.folder.snapshot()
        result = self.assert_done(self.write("--principals", "deploy=jdoe,ann", "--principals", "deploy=kim"))
        self.assertIn("systemctl reload ssh", result.err)
        self.assertIn("there is no account deploy", result.err)
        self.assert_effective(deploy=["jdoe", "ann", "kim"])
        after = self.folder.snapshot()
        self.assertEqual(after["sshd_config"], before["sshd_config"])
        for name, mode in (("mayfly_ca.pub", 0o100644), ("sshd_config.d/mayfly.conf", 0o100644),
                           ("mayfly_principals", 0o40755), ("mayfly_principals/deploy", 0o100644)):
            self.assertEqual(after[name][:3], (mode, 0, 0), name)
        self.assert_done(self.sshd_config("--remove"))
        self.assertEqual(self.folder.snapshot(), before)

    def test_whatever_the_umask(self):
        self.assert_done(self.write("--principals", "deploy=jdoe", umask=0o077))
        after = self.folder.snapshot()
        self.assertEqual([after[name][0] & 0o777 for name in ("mayfly_ca.pub", "mayfly_principals", "mayfly_principals/deploy")],
                         [0o644, 0o755, 0o644])

    def test_into_sshd_config_where_it_does_not_include_the_folder(self):
        include = self.folder.include
        for text in ("", "UsePAM yes\n", "UsePAM yes", "Match User x\n  X11Forwarding no\n",
                     "UsePAM yes\n# Some people.\nMatch User x\n  X11Forwarding no",
                     f"Match User x\n  {include}", "Include /run/elsewhere/*.conf\n",
                     f"Include {self.folder.drop_ins}/*.other\n", f"#{include}", "\r\nUsePAM yes\r\n"):
            self.folder.configure(text)
            os.chmod(self.folder.config, 0o640)
            os.chown(self.folder.config, 0, 4)
            before = self.folder.snapshot()
            self.assert_done(self.write("--principals", "deploy=jdoe"))
            with self.subTest(text):
                self.assert_effective(deploy=["jdoe"])
                self.assertNotIn("sshd_config.d/mayfly.conf", self.folder.snapshot())
                self.assertEqual(self.folder.snapshot()["sshd_config"][:3], before["sshd_config"][:3])
                self.assertEqual(self.folder.setting("X11Forwarding", "x"), "no")
                self.assert_done(self.sshd_config("--remove"))
                self.assertEqual(self.folder.snapshot(), before)

    def test_again(self):
        other = os.path.join(self.home.path, "other")
        keygen("-t", "ed25519", "-f", other)
        for text in (self.folder.include, "UsePAM yes"):
            self.folder.configure(text)
            before = self.folder.snapshot()
            self.assert_done(self.write("--principals", "deploy=jdoe", "--principals", "web=jdoe"))
            once = self.folder.snapshot()
            self.assertEqual(self.assert_done(self.write("--principals", "deploy=jdoe", "--principals", "web=jdoe")).err,
                             "mayfly: warning: there is no account deploy on this machine\n"
                             "mayfly: warning: there is no account web on this machine\nnothing to change\n")
            self.assertEqual(self.folder.snapshot(), once)
            self.assert_done(self.sshd_config("--ca", other + ".pub", "--principals", "web=ann", "--write"))
            self.assertIn("ssh-ed25519", self.folder.read("mayfly_ca.pub"))
            self.assertEqual(self.folder.setting(PRINCIPALS, "deploy"), "none")
            self.assertNotIn("mayfly_principals/deploy", self.folder.snapshot())
            self.assertTrue(self.folder.read("mayfly_principals/web").endswith("\nann\n"))
            self.assert_done(self.sshd_config("--remove"))
            self.assertEqual(self.folder.snapshot(), before)

    def test_lines_move_when_the_include_comes_or_goes(self):
        self.folder.configure("UsePAM yes\n")
        self.assert_done(self.write())
        self.folder.configure(self.folder.read("sshd_config")[len(self.folder.head):] + self.folder.include)
        # The Include is behind the lines of mayfly, but before any Match.
        self.assert_done(self.write())
        self.assertEqual(self.folder.read("sshd_config"), self.folder.head + "UsePAM yes\n" + self.folder.include)
        self.assert_effective()
        self.folder.configure("UsePAM yes\n")
        self.assert_done(self.write())
        self.assertNotIn("sshd_config.d/mayfly.conf", self.folder.snapshot())
        self.assert_effective()

    def test_folder_that_is_not_there_yet(self):
        os.rmdir(self.folder.drop_ins)
        before = self.folder.snapshot()
        self.assert_done(self.write())
        self.assert_effective()
        self.assert_done(self.write())
        self.assert_done(self.sshd_config("--remove"))
        self.assertEqual(self.folder.snapshot(), before)

    def test_symbolic_link_stays_one(self):
        self.folder.configure("UsePAM yes\n")
        os.mkdir(self.folder.file("real"))
        os.rename(self.folder.config, self.folder.file("real/config"))
        os.symlink("real/config", self.folder.config)
        before = self.folder.snapshot()
        self.assert_done(self.write())
        self.assertEqual(os.readlink(self.folder.config), "real/config")
        self.assert_effective()
        self.assert_done(self.sshd_config("--remove"))
        self.assertEqual(self.folder.snapshot(), before)

    def test_lines_of_the_administrator_in_our_file_stay(self):
        self.assert_done(self.write())
        text = self.folder.read("sshd_config.d/mayfly.conf")
        self.folder.put("sshd_config.d/mayfly.conf", "MaxAuthTries 3\n" + text)
        self.assert_done(self.write("--principals", "deploy=jdoe"))
        self.assert_done(self.sshd_config("--remove"))
        self.assertEqual(self.folder.read("sshd_config.d/mayfly.conf"), "MaxAuthTries 3\n")


class Refused(RootCase):
    """Rather than be without effect, or take the effect of the administrator's own lines."""

    def test_administrators_own_keys(self):
        include, own = self.folder.include, "TrustedUserCAKeys /etc/ssh/own.pub\n"
        for name, text, where in ((None, own + include, "sshd_config:3"), (None, include + own, "sshd_config:4"),
                                  (None, own, "sshd_config:3"), ("10-own.conf", include, "10-own.conf:1"),
                                  ("zz.conf", include, "zz.conf:1")):
            self.folder.configure(text)
            if name:
                self.folder.put("sshd_config.d/" + name, own)
            before = self.folder.snapshot()
            self.assert_refused_and_unchanged(before, self.write(), "one value only", where, "/etc/ssh/own.pub")
            if name:
                os.remove(self.folder.file("sshd_config.d/" + name))

    def test_administrators_own_principals(self):
        for text in ("AuthorizedPrincipalsFile /etc/ssh/own/%u\n", "Match User deploy\n AuthorizedPrincipalsFile /etc/ssh/own/%u\n",
                     "Match User deploy\n TrustedUserCAKeys /etc/ssh/own/%u\n"):
            for config in (text, self.folder.include + text):
                self.folder.configure(config)
                before = self.folder.snapshot()
                self.assert_refused_and_unchanged(before, self.write("--principals", "deploy=jdoe"), "one value only",
                                                  "for deploy", "/etc/ssh/own/%u")
                result = self.assert_done(self.write("--principals", "web=jdoe") if "Match" in text else self.write())
                self.assertIn("/etc/ssh/own/%u", result.err)
                self.assert_done(self.sshd_config("--remove"))
                self.assertEqual(self.folder.snapshot(), before)

    def test_keys_do_not_count(self):
        self.folder.configure("PubkeyAuthentication no\n" + self.folder.include)
        before = self.folder.snapshot()
        self.assert_refused_and_unchanged(before, self.write(), "no effect", "PubkeyAuthentication no", "sshd_config:3")

    def test_present_configuration_that_sshd_does_not_accept(self):
        self.folder.configure(self.folder.include + "Nonsense yes\n")
        before = self.folder.snapshot()
        self.assert_refused_and_unchanged(before, self.write(), "present configuration", "Nonsense")

    def test_files_of_others(self):
        for name in ("mayfly_ca.pub", "mayfly_principals/deploy"):
            path = self.folder.file(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as file:
                file.write("mine\n")
            before = self.folder.snapshot()
            self.assert_refused_and_unchanged(before, self.write("--principals", "deploy=jdoe"), "mayfly did not write it")
            os.rename(path, path + ".real")
            os.symlink(path + ".real", path)
            before = self.folder.snapshot()
            self.assert_refused_and_unchanged(before, self.write("--principals", "deploy=jdoe"), "symbolic link")
            os.remove(path)
        shutil.rmtree(self.folder.file("mayfly_principals"))
        os.symlink("/run", self.folder.file("mayfly_principals"))
        before = self.folder.snapshot()
        self.assert_refused_and_unchanged(before, self.write("--principals", "deploy=jdoe"), "symbolic link")

    def test_folder_that_others_can_write(self):
        os.chmod(self.folder.path, 0o775)
        before = self.folder.snapshot()
        self.assert_refused_and_unchanged(before, self.write(), "others than root can write")
        os.chmod(self.folder.path, 0o755)
        os.chmod(self.folder.drop_ins, 0o777)
        before = self.folder.snapshot()
        self.assert_refused_and_unchanged(before, self.write(), "others than root can write", "sshd_config.d")
        os.chown(self.folder.path, 65534, -1)
        self.assert_refused_and_unchanged(before, self.write(), "others than root can write")

    def test_no_such_configuration(self):
        os.remove(self.folder.config)
        before = self.folder.snapshot()
        self.assert_refused_and_unchanged(before, self.write(), "there is no", self.folder.config)

    def test_everything_is_taken_back_when_sshd_refuses_it_in_the_end(self):
        self.home.script("sshd", LATE_REFUSAL.format(folder=self.folder.path, sshd=programs.system("sshd")))
        os.symlink(programs.system("grep"), os.path.join(self.home.bin, "grep"))
        os.symlink(programs.system("cat"), os.path.join(self.home.bin, "cat"))
        for text in (self.folder.include, "UsePAM yes"):
            self.folder.configure(text)
            before = self.folder.snapshot()
            self.assert_refused_and_unchanged(before, self.write("--principals", "deploy=jdoe"), "does not accept",
                                              "sshd_config line 1: no", "nothing was changed")
        os.rmdir(self.folder.drop_ins)
        self.folder.configure(self.folder.include)
        before = self.folder.snapshot()
        self.assert_refused_and_unchanged(before, self.write(), "nothing was changed")

    def test_sshd_is_asked_before_the_lines_are_in_their_place(self):
        """A kill at that moment would leave a configuration that sshd refuses."""
        seen = os.path.join(self.home.path, "seen")
        self.home.script("sshd", f"""\
for at in {self.folder.config} {self.folder.drop_in}; do
  if [ -e $at ]; then while read -r line; do case $line in TrustedUserCAKeys*) echo >{seen} ;; esac; done <$at; fi
done
case "$*" in
*.mayfly-*) echo "no such lines" >&2; exit 255 ;;
esac
exec {programs.system("sshd")} "$@"
""")
        for text in (self.folder.include, "UsePAM yes\n"):
            self.folder.configure(text)
            before = self.folder.snapshot()
            self.assert_refused_and_unchanged(before, self.write(), "does not accept", "no such lines")
            self.assertFalse(os.path.exists(seen))

    def test_removal_is_taken_back_when_sshd_refuses_it(self):
        self.assert_done(self.write("--principals", "deploy=jdoe"))
        before = self.folder.snapshot()
        self.home.script("sshd", f'[ -e {self.folder.drop_in} ] || {{ echo "no more" >&2; exit 255; }}\n'
                                 f'exec {programs.system("sshd")} "$@"\n')
        self.assert_refused_and_unchanged(before, self.sshd_config("--remove"), "no more", "nothing was changed")

    def test_removal_needs_no_sound_configuration(self):
        before = self.folder.snapshot()
        self.assert_done(self.write())
        with open(self.folder.config, "a", encoding="ascii") as file:
            file.write("Nonsense yes\n")
        result = self.assert_done(self.sshd_config("--remove"))
        self.assertIn("Nonsense", result.err)
        self.assertEqual(before.keys(), self.folder.snapshot().keys())


class Login(RootCase):
    """A real sshd with the configuration that mayfly wrote, and certificates that the edge's signer made."""

    def configure(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder.configure(f"""\
ListenAddress 127.0.0.1
Port {self.port}
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile none
LogLevel VERBOSE
SetEnv SHLVL=2
""" + self.folder.include)
        self.log = self.folder.file("log")

    def listen(self):
        self.folder.put("log", "")
        self.sshd = Running([programs.system("sshd"), "-D", "-f", self.folder.config, "-E", self.log],
                            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        eventually("sshd listens", lambda: self.sshd.has_ended() or "Server listening on" in self.folder.read("log"))
        self.assertFalse(self.sshd.has_ended(), self.folder.read("log"))

    def enter(self, user):
        key = self.home.file(f"{HOST}-cf_key")
        return run([programs.system("ssh"), "-F", "none", "-p", str(self.port), "-i", key, "-o", "IdentitiesOnly=yes",
                    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
                    f"{user}@127.0.0.1", "id -un"], env=self.home.environment())

    def test_certificates_open_the_accounts_of_their_principals(self):
        self.configure()
        account = ordinary_user().pw_name
        self.home.install_browser()
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", HOST))
        self.assert_done(self.write("--principals", f"{account}={USER},ann"))
        self.listen()
        self.assertEqual(self.assert_done(self.enter(USER)).out.decode(), USER + "\n")
        self.assertEqual(self.assert_done(self.enter(account)).out.decode(), account + "\n")
        self.sshd.kill()
        self.assert_done(self.write("--principals", f"{account}=ann"))
        self.listen()
        self.assertEqual(self.enter(account).code, 255)
        self.assertIn("Certificate does not contain an authorized principal", self.folder.read("log"))
        self.sshd.kill()
        self.assert_done(self.sshd_config("--remove"))
        self.listen()
        self.assertEqual(self.enter(USER).code, 255)
