"""The block of ssh-config, installed and removed again, as the real ssh reads it."""
import os
import re
import shlex
import stat
import unittest

from harness import programs
from harness.case import FAILED, USAGE, EdgeCase
from harness.edge import USER
from harness.process import run
from harness.sshd import Sshd
from harness.waiting import eventually

HOST = "ssh.example.com"
BEFORE = {
    "nothing": None,
    "empty": b"",
    "one host": b"Host other\n  User somebody\n",
    "no newline at its end": b"Host other\n\tPort 2222",
    "line ends of Windows": b"Host other\r\n  User somebody\r\n",
    "comments and a Match": b"# mine\n\nMatch user root\n  Port 22\n\nHost *\n  Compression yes\n# end\n",
    "bytes that are no UTF-8": b"# caf\xe9\nHost other\n  User x\n",
}


class ConfigCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.home.path, ".ssh")
        self.config = os.path.join(self.folder, "config")
        self.own = os.path.join(self.folder, "mayfly_config")

    def ssh_config(self, *flags, host=HOST, **more):
        named = ["--hostname", host] if host else []
        return self.home.mayfly("ssh-config", *named, *flags, **more)

    def begin_with(self, content, mode=0o644):
        for path in (self.config, self.own):
            if os.path.lexists(path):
                os.unlink(path)
        if content is not None:
            with open(self.config, "wb") as file:
                file.write(content)
            os.chmod(self.config, mode)

    def read(self, path):
        with open(path, "rb") as file:
            return file.read()

    def seen_by_ssh(self, host=HOST):
        """Returns the configuration that ssh -G prints for a host: keyword -> list of its values."""
        result = run([programs.system("ssh"), "-G", "-F", self.config, host],
                     env={**self.home.environment(), "SHELL": "/bin/sh"})
        self.assertEqual(result.code, 0, result)
        seen = {}
        for line in result.out.decode("utf-8", "replace").splitlines():
            keyword, _, value = line.partition(" ")
            seen.setdefault(keyword, []).append(value)
        return seen


class Installed(ConfigCase):
    def test_written_and_removed_byte_for_byte(self):
        for name, content in BEFORE.items():
            with self.subTest(name):
                self.begin_with(content)
                before = self.home.snapshot()
                self.assert_done(self.ssh_config("--write"))
                self.assertIn("proxycommand", self.seen_by_ssh())
                self.assertNotIn("proxycommand", self.seen_by_ssh("other"))
                after = self.read(self.config)
                self.assertTrue(after.endswith(content or b""), after)
                self.assertEqual(after.splitlines()[0], f"Include {self.own}".encode())
                self.assert_done(self.ssh_config("--remove"))
                self.assert_unchanged(before)

    def test_second_time_changes_nothing(self):
        self.begin_with(BEFORE["comments and a Match"])
        self.assert_done(self.ssh_config("--write", "--alias", "vm"))
        before = self.home.snapshot()
        result = self.assert_done(self.ssh_config("--write", "--alias", "vm"))
        self.assertEqual(result.err, "nothing to change\n")
        self.assert_unchanged(before)
        self.assert_done(self.ssh_config("--write"))
        self.assertNotIn("proxycommand", self.seen_by_ssh("vm"), "the block was replaced")

    def test_modes_and_links_stay(self):
        self.begin_with(BEFORE["one host"], mode=0o640)
        real = os.path.join(self.home.path, "dotfiles")
        os.rename(self.config, real)
        os.symlink(real, self.config)
        self.assert_done(self.ssh_config("--write"))
        self.assertTrue(os.path.islink(self.config))
        self.assertEqual(stat.S_IMODE(os.stat(real).st_mode), 0o640)
        self.assertIn("proxycommand", self.seen_by_ssh())
        self.assert_done(self.ssh_config("--remove"))
        self.assertEqual(self.read(real), BEFORE["one host"])

    def test_directory_is_made(self):
        os.rmdir(self.folder)
        self.assert_done(self.ssh_config("--write"))
        self.assertEqual(stat.S_IMODE(os.stat(self.folder).st_mode), 0o700)
        for path in (self.config, self.own):
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_dry_run(self):
        for content in (None, BEFORE["one host"]):
            with self.subTest(content):
                self.begin_with(content)
                before = self.home.snapshot()
                shown = self.assert_done(self.ssh_config("--write", "--dry-run")).out.decode()
                self.assert_unchanged(before)
                for text in (self.config, self.own, f"+Include {self.own}\n", f"ssh --hostname"):
                    self.assertIn(text, shown)
                self.assert_done(self.ssh_config("--write"))
                before = self.home.snapshot()
                shown = self.assert_done(self.ssh_config("--remove", "--dry-run")).out.decode()
                self.assertIn(f"-Include {self.own}\n", shown)
                self.assert_unchanged(before)
        self.assert_error(self.ssh_config("--dry-run"), USAGE, "--write")

    def test_home_that_no_include_line_can_name(self):
        """A relative Include is looked for in ~/.ssh and needs no quotes."""
        for name in ('so "called"', "o'brien", "50%"):
            with self.subTest(name):
                home = os.path.join(self.home.path, name)
                os.mkdir(home)
                self.assert_done(self.ssh_config("--write", env={"HOME": home}))
                self.assertEqual(self.read(os.path.join(home, ".ssh", "config")), b"Include mayfly_config\n")
                self.assert_done(self.ssh_config("--remove", env={"HOME": home}))
                self.assertEqual(os.listdir(os.path.join(home, ".ssh")), [])

    def test_home_that_ssh_does_not_use(self):
        result = self.assert_done(self.ssh_config("--write"))
        self.assertRegex(result.err, rf"warning: ssh reads \S+/\.ssh/config and not {re.escape(self.config)}")

    def test_alias_that_bypasses_the_block_is_named(self):
        self.begin_with(f"Host work\n  HostName {HOST}\nHost other\n  HostName o.example.com\n".encode())
        result = self.assert_done(self.ssh_config("--write"))
        self.assertIn("`ssh work` goes to", result.err)
        self.assertIn("--alias work", result.err)
        self.assertNotIn("other", result.err)
        self.assertNotIn("proxycommand", self.seen_by_ssh("work"))
        result = self.assert_done(self.ssh_config("--write", "--alias", "work"))
        self.assertNotIn("goes to", result.err)
        self.assertIn("proxycommand", self.seen_by_ssh("work"))

    @unittest.skipUnless(os.geteuid() == 0, "mounts need root")
    def test_configuration_that_cannot_be_replaced(self):
        for name, mount in (("a mount of its own", "{1} --bind {0} {0}"),
                            ("a read-only file system", "{1} --bind {0} {0} && {1} -o remount,ro,bind {0}")):
            with self.subTest(name):
                self.begin_with(BEFORE["one host"])
                before = self.home.snapshot()
                place = self.config if "own" in name else self.folder
                command = mount.format(shlex.quote(place), programs.system("mount")) + ' && exec "$@"'
                result = run([programs.system("unshare"), "-m", programs.system("sh"), "-c", command, "sh", programs.mayfly(),
                              "ssh-config", "--write", "--hostname", HOST], env=self.home.environment())
                self.assert_error(result, FAILED, ".ssh", "read-only", "nothing was changed")
                self.assert_unchanged(before)

    def test_several_hosts(self):
        self.begin_with(BEFORE["one host"])
        hosts = [HOST, "web.example.com", "*.wild.example.com"]
        for host in hosts:
            self.assert_done(self.ssh_config("--write", host=host))
        for host in (HOST, "web.example.com", "one.wild.example.com"):
            self.assertIn("proxycommand", self.seen_by_ssh(host))
        self.assert_done(self.ssh_config("--remove", host="web.example.com"))
        self.assertNotIn("proxycommand", self.seen_by_ssh("web.example.com"))
        self.assertIn("proxycommand", self.seen_by_ssh())
        self.assert_done(self.ssh_config("--remove", host=None))
        self.assertEqual(self.read(self.config), BEFORE["one host"])
        self.assertFalse(os.path.exists(self.own))

    def test_usage(self):
        for flags, host in ((["--write"], None), (["--write", "--remove"], HOST), (["--write"], "no host!"),
                            (["--write"], "*"), (["--user", "-x"], HOST), (["--alias", "a b"], HOST)):
            with self.subTest(flags=flags, host=host):
                before = self.home.snapshot()
                self.assert_error(self.ssh_config(*flags, host=host), USAGE)
                self.assert_unchanged(before)


class Block(ConfigCase):
    def test_block_as_ssh_reads_it(self):
        self.assert_done(self.ssh_config("--write", "--short-lived-cert", "--user", "deploy", "--alias", "vm"))
        for typed in ("vm", HOST):
            with self.subTest(typed):
                seen = self.seen_by_ssh(typed)
                self.assertEqual((seen["hostname"], seen["user"]), ([HOST], ["deploy"]))
                self.assertEqual(seen["proxycommand"],
                                 [f"{programs.mayfly()} access ssh --hostname {HOST}"])
                self.assertEqual(seen["identityfile"], [f"~/.cloudflared/{HOST}-cf_key"])
                self.assertEqual(seen["certificatefile"], [f"~/.cloudflared/{HOST}-cf_key-cert.pub"])

    def test_user_is_the_principal_that_is_known(self):
        self.assert_done(self.ssh_config("--write", "--short-lived-cert"))
        self.assertNotIn(b"User", self.read(self.own))
        self.home.install_browser()
        self.edge.application("ssh", certificate={"principals": ["jdoe"]})
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", HOST))
        self.assert_done(self.ssh_config("--write", "--short-lived-cert"))
        self.assertEqual(self.seen_by_ssh()["user"], ["jdoe"])
        self.assert_done(self.ssh_config("--write", "--short-lived-cert", "--user", "deploy"))
        self.assertEqual(self.seen_by_ssh()["user"], ["deploy"])

    def test_user_is_not_guessed_from_several(self):
        self.home.install_browser()
        self.edge.application("ssh", certificate={"principals": ["jdoe", "deploy"]})
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", HOST))
        self.assert_done(self.ssh_config("--write", "--short-lived-cert"))
        self.assertNotIn(b"User", self.read(self.own))

    def test_application_on_a_path(self):
        self.assert_done(self.ssh_config("--write", "--short-lived-cert", "--alias", "admin",
                                         host="tools.example.com/admin"))
        self.home.install_browser()
        seen = self.seen_by_ssh("admin")
        self.assertEqual(seen["proxycommand"],
                         [f"{programs.mayfly()} access ssh --hostname tools.example.com/admin"])
        self.assertEqual(seen["identityfile"], ["~/.cloudflared/tools.example.com-admin-cf_key"])
        self.assertNotIn("proxycommand", self.seen_by_ssh("tools.example.com"))

    def test_type_of_the_key_stays_when_it_is_renewed(self):
        self.home.install_browser()
        certificate = self.home.file(f"{HOST}-cf_key-cert.pub")
        # The last third of eight seconds is too short to start a connection with.
        self.edge.application("ssh", certificate={"validity": 8})
        self.assert_done(self.ssh_config("--write", "--short-lived-cert", "--key-type", "ed25519"))
        seen = []
        for _ in range(2):
            # ssh decides about the Match by running ssh-gen, before it starts the ProxyCommand.
            run([programs.system("ssh"), "-F", self.config, "-o", "ProxyCommand=false", HOST],
                env={**self.home.environment(), "SHELL": "/bin/sh"})
            shown = self.home.keygen("-L", "-f", certificate)
            self.assertIn("ssh-ed25519-cert-v01@openssh.com user certificate", shown)
            seen.append(self.home.read(f"{HOST}-cf_key-cert.pub"))
            check = ("ssh-gen", "--hostname", HOST, "--check")
            eventually("it is time for another", lambda: self.home.mayfly(*check).code == 1)
        self.assertNotEqual(*seen)

    def test_type_of_the_key_without_a_key(self):
        self.assert_error(self.ssh_config("--key-type", "ed25519"), USAGE, "--short-lived-cert")

    def test_flags_of_the_connection_are_repeated(self):
        secret = os.path.join(self.home.path, "the secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("s3cret\n")
        os.chmod(secret, 0o600)
        self.assert_done(self.home.start(
            "ssh-config", "--write", "--hostname", HOST, "--service-token-id", "id.access",
            "--service-token-secret-file", "the secret", "--batch", cwd=self.home.path).finish())
        command, = self.seen_by_ssh()["proxycommand"]
        self.assertIn("--batch", command)
        self.assertIn(secret, command)
        self.assertNotIn("s3cret", command)


class ServiceToken(ConfigCase):
    VARIABLES = {"TUNNEL_SERVICE_TOKEN_ID": "id.access", "TUNNEL_SERVICE_TOKEN_SECRET": "s3cret"}

    def test_secret_has_no_place_in_a_block(self):
        for flags in (["--service-token-id", "id.access", "--service-token-secret", "s3cret"],
                      ["--service-token-secret", "s3cret"], ["--id", "id.access", "--secret=s3cret", "--write"]):
            for env in ({}, {**self.VARIABLES, "TUNNEL_SERVICE_TOKEN_SECRET": "another"}):
                with self.subTest(flags=flags, env=env):
                    before = self.home.snapshot()
                    result = self.home.mayfly("ssh-config", "--hostname", HOST, *flags, env=env)
                    self.assert_error(result, USAGE, "--service-token-secret-file", "TUNNEL_SERVICE_TOKEN_SECRET")
                    self.assertNotIn("s3cret", result.err)
                    self.assert_unchanged(before)

    def test_password_of_a_proxy_has_no_place_in_a_block(self):
        for proxy in ("http://me:s3cret@proxy.example.com:3128", "me:s3cret@proxy.example.com", "http://s3cret@p"):
            for flags in (["--write"], []):
                with self.subTest(proxy=proxy, flags=flags):
                    before = self.home.snapshot()
                    result = self.ssh_config("--proxy", proxy, *flags)
                    self.assert_error(result, USAGE, "HTTPS_PROXY")
                    self.assertNotIn("s3cret", result.err)
                    self.assert_unchanged(before)
        result = self.assert_done(self.ssh_config("--proxy", "http://proxy.example.com:3128"))
        self.assertIn(b"--proxy http://proxy.example.com:3128", result.out)

    def test_pin_of_a_token_has_no_place_in_a_block(self):
        uri = "pkcs11:token=work;object=me?module-path=/usr/lib/x.so&pin-value=s3cret"
        for flags, env in ((["--cert", uri], {}), (["--cert", "me.pem", "--key", uri], {}), ([], {"MAYFLY_CERT": uri}),
                           (["--cert", "pkcs11:token=work;pin-value=s3cret"], {})):
            with self.subTest(flags=flags, env=env):
                result = self.home.mayfly("ssh-config", "--hostname", HOST, *flags, env=env)
                self.assert_error(result, USAGE, "--cert-password-file", "pin-source")
                self.assertNotIn("s3cret", result.err)
        kept = "pkcs11:token=work?pin-source=/home/me/pin"
        self.assertIn(kept.encode(), self.assert_done(self.ssh_config("--cert", kept)).out)

    def test_environment_is_left_to_ssh(self):
        result = self.home.mayfly("ssh-config", "--hostname", HOST, "--write", "--short-lived-cert", env=self.VARIABLES)
        self.assert_done(result)
        block = self.read(self.own)
        for word in (b"id.access", b"s3cret", b"service-token"):
            self.assertNotIn(word, block)
        self.edge.application("ssh", policy="service", certificate={"service_principals": ["robot"]},
                              service_tokens=[{"id": "id.access", "secret": "s3cret"}])
        self.home.variables.update(self.VARIABLES)
        self.assertIn("certificatefile", self.seen_by_ssh(), "Match ran ssh-gen, which had the token")

    def test_id_without_a_secret_is_written(self):
        result = self.assert_done(self.ssh_config("--service-token-id", "id.access"))
        self.assertIn(b"--service-token-id id.access", result.out)


class Fallback(ConfigCase):
    def test_ssh_stays_in_the_tunnel_without_a_certificate(self):
        """ssh must not connect to port 22 of the public name, which gives a second and false reason, or hangs."""
        for flags in (["--short-lived-cert"], ["--short-lived-cert", "--alias", "vm"], ["--agent"]):
            with self.subTest(flags):
                self.begin_with(None)
                self.assert_done(self.ssh_config("--write", "--batch", *flags))
                result = run([programs.system("ssh"), "-v", "-F", self.config, "-o", "BatchMode=yes", HOST, "true"],
                             env={**self.home.environment(), "SHELL": "/bin/sh"})
                self.assertEqual(result.code, 255, result)
                self.assertRegex(result.err, rf"Executing proxy command: exec \S+ access ssh .*--hostname {HOST}")
                self.assertIn(f"mayfly: error: a login to {HOST} is needed", result.err)
                self.assertNotIn("Connecting to", result.err)
                self.assertNotIn("Could not resolve", result.err)


class Connection(ConfigCase):
    def test_real_ssh_through_the_installed_block(self):
        sshd = Sshd(self.edge.ssh_ca_pub)
        self.addCleanup(sshd.stop)
        self.home.install_browser()
        self.home.variables["MAYFLY_HOME"] = self.home.state
        for application, host, typed in (("ssh", HOST, HOST), ("ssh", HOST, "vm"),
                                         ("wild", "*.wild.example.com", "one.wild.example.com"),
                                         ("path", "tools.example.com/admin", "admin")):
            with self.subTest(typed):
                self.begin_with(b"Host *\n  LogLevel ERROR\n")
                self.edge.application(application, origin=f"tcp:127.0.0.1:{sshd.port}")
                alias = ["--alias", typed] if "." not in typed else []
                self.assert_done(self.ssh_config("--write", "--short-lived-cert", "--user", USER, *alias,
                                                 host=host))
                result = run([programs.system("ssh"), "-F", self.config, "-o", "PreferredAuthentications=publickey",
                              "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                              "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", typed, "--", "echo hello"],
                             env={**self.home.environment(), "SHELL": "/bin/sh"})
                self.assertEqual(self.assert_done(result).out, b"hello\n")


