"""sshd-config --check and doctor --server: whether a real sshd would let a certificate in, and why not."""
import json
import os
import unittest

from harness.accounts import ordinary_user
from harness.case import FAILED, USAGE
from harness.edge import EMAIL, USER
from harness.process import run
from harness import programs
from test_sshd_config import IS_ROOT, SshdCase


@unittest.skipUnless(IS_ROOT, "only root can ask sshd about its configuration")
class CheckCase(SshdCase):
    def setUp(self):
        super().setUp()
        self.account = ordinary_user().pw_name
        self.keys = self.folder.put("trusted.pub", self.ca_key())
        self.usual = f"UsePAM yes\nTrustedUserCAKeys {self.keys}\n"
        self.folder.configure(self.usual)

    def principals(self, text, mode=0o644):
        path = self.folder.put("principals", text)
        os.chmod(path, mode)
        return f"AuthorizedPrincipalsFile {path}\n"

    def check(self, user=USER, email=EMAIL):
        return self.sshd_config("--check", user, "--as", email)

    def doctor(self, *flags):
        return self.home.mayfly("doctor", "--server", "--file", self.folder.config, *flags)

    def assert_no(self, *words, user=USER, email=EMAIL, name):
        self.assert_error(self.check(user, email), FAILED, f"{email} may not enter as {user}", *words)
        report = self.doctor("--json", "--as", email, "--user", user)
        self.assertEqual(report.code, FAILED, report)
        report = json.loads(report.out)
        self.assertEqual(report["first_failure"], name, report)
        shown = self.doctor("--as", email, "--user", user)
        self.assertIn(f"broken: {name}: ", shown.out.decode())

    def assert_yes(self, user=USER, email=EMAIL):
        result = self.assert_done(self.check(user, email))
        self.assertEqual(result.out.decode(), f"{email} may enter as {user}\n")
        shown = self.assert_done(self.doctor("--as", email, "--user", user))
        self.assertIn(f"sshd lets {email} in as {user}", shown.out.decode())


class Check(CheckCase):
    def test_person_of_the_same_name(self):
        self.assert_yes()
        self.assert_no("certificate is for other", f"--principals {USER}=other", email="other@example.com", name="principals")

    def test_principals(self):
        self.folder.configure(self.usual + f"Match User {self.account}\n" + self.principals("# x\nann\nno-pty jdoe\n"))
        self.assert_yes(self.account, "jdoe@example.com")
        self.assert_yes(self.account, "ann@example.com")
        self.assert_no("does not list", user=self.account, email=f"{self.account}@example.com", name="principals")
        self.principals("jdoe\n", 0o600)
        self.assert_no(f"{self.account} may not read", user=self.account, email="jdoe@example.com", name="principals")
        self.principals("jdoe\n", 0o666)
        self.assert_no("others can write", user=self.account, email="jdoe@example.com", name="principals")
        os.remove(self.folder.file("principals"))
        self.assert_no("no such file", user=self.account, email="jdoe@example.com", name="principals")

    def test_what_mayfly_has_written(self):
        self.folder.configure("UsePAM yes\n" + self.folder.include)
        self.assert_no("TrustedUserCAKeys is not set", "sshd-config --ca", name="trusted_keys")
        self.assert_done(self.write("--principals", f"{self.account}=jdoe"))
        self.assert_yes(self.account, "jdoe@example.com")
        self.assert_yes()

    def test_keys(self):
        self.folder.put("trusted.pub", "nonsense\n")
        self.assert_no("holds no key of a CA", name="trusted_keys")
        os.remove(self.keys)
        self.assert_no("cannot read", self.keys, name="trusted_keys")

    def test_match_that_does_not_reach_the_user(self):
        self.folder.configure(f"UsePAM yes\nMatch User {self.account}\n  TrustedUserCAKeys {self.keys}\n")
        self.assert_no("TrustedUserCAKeys is not set", name="trusted_keys")
        self.assert_yes(self.account, f"{self.account}@example.com")

    def test_settings(self):
        for text, name in (("PubkeyAuthentication no\n", "public_keys"), ("AuthenticationMethods password\n", "methods"),
                           ("CASignatureAlgorithms ecdsa-sha2-nistp256\n", "trusted_keys"),
                           ("PubkeyAcceptedAlgorithms ssh-ed25519\n", "public_keys"), ("PermitRootLogin no\n", "allowed_users"),
                           (f"DenyUsers {USER}\n", "allowed_users"), ("AllowUsers somebody\n", "allowed_users")):
            self.folder.configure(text + self.usual)
            self.assert_no(name=name)
        self.folder.configure("AuthenticationMethods publickey,password\n" + self.usual)
        self.assertIn("wants more than a certificate", self.check().err)

    def test_accounts(self):
        self.assert_no("there is no account", user="nosuchuser", email="nosuchuser@example.com", name="account")
        self.assert_no("ends each login", user="nobody", email="nobody@example.com", name="account")
        self.folder.configure("UsePAM no\n" + self.usual)
        state = run([programs.system("passwd"), "-S", self.account], env={"PATH": "/usr/bin:/bin:/usr/sbin"})
        self.assertEqual(state.out.split()[1], b"L", state)
        self.assert_no("is locked", user=self.account, email=f"{self.account}@example.com", name="account")

    def test_configuration_that_sshd_refuses(self):
        self.folder.configure("Nonsense yes\n")
        self.assert_error(self.check(), FAILED, "does not accept", "Nonsense")
        self.assertEqual(self.doctor().code, FAILED)

    def test_usage(self):
        for flags in (("--check", USER), ("--as", EMAIL), ("--check", USER, "--as", "nobody"), ("--check", "a,addr=1", "--as", EMAIL),
                      ("--check", USER, "--as", EMAIL, "--write"), ("--check", USER, "--as", EMAIL, "--ca", "x")):
            self.assert_error(self.sshd_config(*flags), USAGE)
        for flags in (("--as", EMAIL, "vm.example.com"), ("--server", "vm.example.com"), ("--server", "--as", "nobody"),
                      ("--server", "--hostname", "vm.example.com")):
            self.assert_error(self.home.mayfly("doctor", *flags), USAGE)


class Doctor(CheckCase):
    def test_lines(self):
        result = self.assert_done(self.doctor("--as", EMAIL))
        lines = result.out.decode().splitlines()
        for name in ("sshd", "public_keys", "methods", "account", "allowed_users", "trusted_keys", "principals"):
            self.assertEqual([line.split()[0] for line in lines if line[12:].startswith(name + " ")], ["ok"], result)
        self.assertRegex(result.out.decode(), r"OpenSSH_\d\S* accepts ")

    def test_without_a_person(self):
        result = self.assert_done(self.doctor())
        self.assertIn("sshd accepts short-lived certificates", result.out.decode())
        self.assertEqual(result.out.decode().count("skipped"), 3 + result.out.decode().count("the system does not say"))

    def test_json(self):
        report = json.loads(self.assert_done(self.doctor("--json", "--as", EMAIL)).out)
        self.assertEqual((report["user"], report["ok"], report["first_failure"]), (USER, True, None))
        self.assertEqual(report["checks"][0]["name"], "sshd")

    def test_the_variable_of_other_commands_is_no_question(self):
        self.assert_done(self.home.mayfly("doctor", "--server", "--file", self.folder.config,
                                          env={"TUNNEL_SERVICE_HOSTNAME": "vm.example.com"}))


@unittest.skipIf(IS_ROOT, "root may ask sshd")
class OrdinaryUser(SshdCase):
    def test_is_refused(self):
        self.assert_error(self.sshd_config("--check", USER, "--as", EMAIL), FAILED, "only root", "sudo")
        result = self.home.mayfly("doctor", "--server")
        self.assertEqual(result.code, FAILED)
        self.assertIn("only root can ask sshd", result.out.decode())
