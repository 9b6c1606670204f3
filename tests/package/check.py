#!/usr/bin/env python3
"""Checks a Debian package of mayfly: check.py PACKAGE.deb CHANGES [--install].

--install puts it into a fresh Debian of this machine's release, runs it and takes it out again.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ELF = os.path.join(HERE, "..", "source", "elf.py")
NETWORK = 5  # the exit code
COMMANDS = ("access", "completion", "curl", "doctor", "http", "login", "logout", "rdp", "smb", "socks", "ssh",
            "ssh-config", "ssh-gen", "status", "tcp", "token")


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, check=False, **more)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="mayfly-package-")
        cls.addClassCleanup(shutil.rmtree, cls.root)
        subprocess.run(["dpkg", "-x", PACKAGE, cls.root], check=True)

    def field(self, name):
        return run("dpkg-deb", "-f", PACKAGE, name).stdout.strip()

    def test_lintian_finds_no_error(self):
        result = run("lintian", "--fail-on", "error", "--suppress-tags", "initial-upload-closes-no-bugs",
                     "--allow-root", CHANGES)
        print(result.stdout + result.stderr, end="")
        self.assertEqual(result.returncode, 0)

    def test_its_version_is_the_programs(self):
        result = run(os.path.join(self.root, "usr/bin/mayfly"), "--version")
        self.assertEqual(result.stdout, f"mayfly {self.field('Version')}\n", result)

    def test_the_program_is_hardened(self):
        result = run(sys.executable, ELF, os.path.join(self.root, "usr/bin/mayfly"), "hardened")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_libraries_loaded_on_demand_are_dependencies(self):
        self.assertRegex(self.field("Depends"), r"\blibcurl4\b")
        self.assertRegex(self.field("Depends"), r"\blibc6\b")
        for library in ("libidn2-0", "libqrencode4"):
            self.assertIn(library, self.field("Recommends"))

    def test_everything_is_in_its_place(self):
        found = set()
        for folder, _, files in os.walk(self.root):
            found |= {os.path.relpath(os.path.join(folder, name), self.root) for name in files}
        expected = {"usr/bin/mayfly", "usr/share/bash-completion/completions/mayfly",
                    "usr/share/fish/vendor_completions.d/mayfly.fish", "usr/share/zsh/vendor-completions/_mayfly"}
        expected |= {f"usr/lib/systemd/user/mayfly-ssh-gen@.{end}" for end in ("service", "timer")}
        expected |= {f"usr/share/man/man1/mayfly{name}.1.gz" for name in ("", *(f"-{one}" for one in COMMANDS))}
        self.assertLessEqual(expected, found)
        rest = found - expected
        self.assertLessEqual({"usr/share/doc/mayfly/copyright", "usr/share/doc/mayfly/changelog.gz"}, rest)
        odd = [path for path in rest if not re.match("usr/share/doc/mayfly/", path)]
        self.assertEqual(odd, [])


class Chroot:
    """A fresh Debian, with /proc, that is removed afterwards."""

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="mayfly-debian-", dir=os.environ.get("TMPDIR", "/var/tmp"))
        release = re.search(r"^VERSION_CODENAME=(\S+)", open("/etc/os-release", encoding="utf-8").read(), re.MULTILINE)[1]
        mirror = run("apt-get", "indextargets", "--format", "$(SITE)").stdout.split()[0]
        subprocess.run(["debootstrap", "--variant=minbase", release, self.root, mirror], check=True,
                       stdout=subprocess.DEVNULL)
        os.chmod(self.root, 0o755)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)

    def run(self, *argv, **environment):
        # In a mount namespace of its own nothing stays mounted, whatever happens.
        script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        return run("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, self.root, *argv,
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                        "DEBIAN_FRONTEND": "noninteractive", **environment})


class Installed(unittest.TestCase):
    def done(self, result):
        self.assertEqual(result.returncode, 0, result)
        return result

    def test_installs_runs_and_is_removed(self):
        with Chroot() as debian:
            shutil.copy(PACKAGE, os.path.join(debian.root, "mayfly.deb"))
            self.done(debian.run("apt-get", "install", "-y", "--no-install-recommends", "/mayfly.deb"))
            os.unlink(os.path.join(debian.root, "mayfly.deb"))
            self.assertRegex(self.done(debian.run("mayfly", "--version")).stdout, r"^mayfly \d")
            block = self.done(debian.run("mayfly", "ssh-config", "--hostname", "vm.example.com")).stdout
            self.assertIn("ProxyCommand /usr/bin/mayfly access ssh", block)
            # The command gets as far as the network, and so loads everything that is loaded on demand.
            login = debian.run("mayfly", "login", "--batch", "vm.example.com", MAYFLY_CONNECT_TO=":443:127.0.0.1:1")
            self.assertEqual(login.returncode, NETWORK, login)
            shutil.rmtree(os.path.join(debian.root, "root/.cloudflared"), ignore_errors=True)
            self.done(debian.run("apt-get", "purge", "-y", "--autoremove", "mayfly"))
            left = debian.run("find", "/", "-xdev", "-path", "/proc", "-prune", "-o", "-name", "*mayfly*", "-print")
            self.assertEqual(self.done(left).stdout, "")


def main():
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Package)
    if "--install" in sys.argv:
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(Installed))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    PACKAGE, CHANGES = sys.argv[1], sys.argv[2]
    sys.exit(main())
