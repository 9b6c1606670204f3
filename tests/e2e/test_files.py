"""The state directory: names, modes, links, and files that are left over."""
import os
import pwd
import shutil
import stat

from harness import namespace, programs
from harness.case import FAILED, EdgeCase
from harness.process import run

KEY = "ssh.example.com-cf_key"


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


class Files(EdgeCase):
    def setUp(self):
        super().setUp()
        self.home.install_browser()

    def generate(self, *flags, **more):
        return self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", *flags, **more)

    def names(self):
        return sorted([self.home.token_name("ssh"), "acme.cloudflareaccess.com-org-token",
                       "acme.cloudflareaccess.com-jwks", "ssh.example.com-app",
                       KEY, KEY + ".pub", KEY + "-cert.pub"])

    def test_names(self):
        self.assert_done(self.generate())
        self.assertEqual(self.home.files(), self.names())

    def test_modes_whatever_the_umask(self):
        for umask in (0, 0o22, 0o77, 0o777):
            with self.subTest(oct(umask)):
                self.fresh()
                self.home.install_browser()
                self.assert_done(self.generate(umask=umask))
                self.assertEqual(oct(mode(self.home.state)), oct(0o700))
                for name in self.home.files():
                    self.assertEqual(oct(mode(self.home.file(name))), oct(0o600), name)

    def test_lock_and_url_files_are_private_too(self):
        self.home.install_idle_browser()
        running = self.home.start("login", "web.example.com", umask=0)
        running.wait_err("cdn-cgi/access/cli")
        for name in self.home.files():
            self.assertEqual(oct(mode(self.home.file(name))), oct(0o600), name)

    def test_mayfly_home(self):
        place = os.path.join(self.home.path, "else where", "state")
        os.mkdir(os.path.dirname(place))
        self.assert_done(self.generate(env={"MAYFLY_HOME": place}))
        self.assertEqual(sorted(set(os.listdir(place)) - {".mayfly-lock"}), self.names())
        self.assertFalse(os.path.exists(self.home.state))

    def test_links_are_never_followed(self):
        target = os.path.join(self.home.path, "precious")
        for name in self.names():
            with self.subTest(name):
                self.assert_done(self.generate("--force"))
                with open(target, "w", encoding="ascii") as file:
                    file.write("precious")
                os.chmod(target, 0o644)
                os.unlink(self.home.file(name))
                os.symlink(target, self.home.file(name))
                self.generate("--force")
                with open(target, encoding="ascii") as file:
                    self.assertEqual(file.read(), "precious")
                self.assertEqual(mode(target), 0o644)
                if os.path.islink(self.home.file(name)):
                    os.unlink(self.home.file(name))

    def test_token_behind_a_link_is_not_used(self):
        token = self.logged_in("web")
        name = self.home.token_name("web")
        elsewhere = os.path.join(self.home.path, "elsewhere")
        with open(elsewhere, "w", encoding="ascii") as file:
            file.write(token)
        os.unlink(self.home.file(name))
        os.symlink(elsewhere, self.home.file(name))
        self.assertEqual(self.home.mayfly("token", "web.example.com").out, b"")

    def test_directory_that_is_a_link_or_a_file(self):
        """A link of one's own, as tools for dotfiles make it, leads to the directory; another user's does not."""
        place = os.path.join(self.home.path, "place")
        os.mkdir(place, 0o700)
        os.symlink("place", self.home.state)
        self.assert_done(self.generate())
        self.assertIn(KEY, os.listdir(place))
        self.assertTrue(os.path.islink(self.home.state))
        if os.geteuid() == 0:
            os.lchown(self.home.state, 65534, 65534)
            self.assert_error(self.generate("--batch"), FAILED, "no symbolic link of yours")
        os.unlink(self.home.state)
        with open(self.home.state, "w", encoding="ascii"):
            pass
        self.assert_error(self.generate("--batch"), FAILED, ".cloudflared")

    def test_directory_that_others_may_write(self):
        os.mkdir(self.home.state)
        os.chmod(self.home.state, 0o777)
        self.assert_error(self.generate("--batch"), FAILED, ".cloudflared")
        self.assertEqual(self.home.files(), [])

    def test_owner_is_named_after_sudo(self):
        """A command under sudo has left files of root's in the home of another user."""
        if os.geteuid() != 0:
            self.skipTest("only root can make files of other users")
        copy = shutil.copy2(programs.mayfly(), os.path.join(self.home.path, "mayfly"))
        shutil.copy2(self.edge.ca, os.path.join(self.home.path, "ca.pem"))
        self.assert_done(self.generate())
        nobody = pwd.getpwnam("nobody")
        command = [programs.system("setpriv"), f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups",
                   "--", copy, "ssh-gen", "--batch", "--hostname", "ssh.example.com"]
        environment = self.home.environment({"SSL_CERT_FILE": os.path.join(self.home.path, "ca.pem")})

        def left(*paths):
            for folder, folders, files in os.walk(self.home.path):
                for name in [folder, *(os.path.join(folder, one) for one in folders + files)]:
                    os.lchown(name, nobody.pw_uid, nobody.pw_gid)
            for path in paths:
                os.lchown(path, 0, 0)
                os.chmod(path, 0o700)
            return run(command, env=environment)
        run_folder = os.path.dirname(self.home.path)
        self.addCleanup(os.chmod, run_folder, os.stat(run_folder).st_mode)
        os.chmod(run_folder, 0o711)  # The other user has to get to the home.
        self.assert_done(left())
        for path, words in ((self.home.state, command[-4:]), (self.home.file(self.home.token_name("ssh")), ["token", "ssh.example.com"])):
            command[command.index(copy) + 1:] = words
            result = self.assert_error(left(path), FAILED, f"{path}: it belongs to root")
            self.assertIn(f"\nhint: run: sudo chown -R nobody: {path}\n", result.err)

    def test_public_application_without_a_usable_home(self):
        """A bypassed application needs no token, and so no place for one. A protected one says what is wrong there."""
        self.edge.application("web", policy="bypass")
        self.edge.application("echo", policy="bypass", origin="source:7")
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        broken = os.path.join(self.home.path, "broken")
        os.mkdir(broken)
        with open(os.path.join(broken, ".cloudflared"), "w", encoding="ascii"):
            pass
        for home in ("/nonexistent", broken):
            with self.subTest(home):
                result = self.assert_done(self.home.mayfly("ssh", "--hostname", "echo.example.com", env={"HOME": home}))
                self.assertEqual(len(result.out), 7, result)
                self.assert_done(self.home.mayfly("curl", "-s", "https://web.example.com", env={"HOME": home}))
                self.assert_error(self.home.mayfly("ssh", "--hostname", "ssh.example.com", env={"HOME": home}), FAILED,
                                  f"{home}/.cloudflared", "MAYFLY_HOME")
        self.assertEqual(self.home.browsed(), [])

    def test_read_only_home_is_called_so(self):
        if namespace.refusal():
            self.skipTest("this computer gives no namespace")
        place = os.path.join(self.home.path, "still")
        os.mkdir(place)
        words = [word for word in namespace.alone([]) if word != "--net"]
        script = f'{programs.system("mount")} -t tmpfs -o ro tmpfs {place} && exec "$@"'
        result = run([*words, programs.system("sh"), "-c", script, "sh", programs.mayfly(), "ssh-gen", "--batch",
                      "--hostname", "ssh.example.com"], env=self.home.environment({"HOME": place}))
        self.assert_error(result, FAILED, f"cannot make the directory {place}/.cloudflared: Read-only file system")

    def test_directory_that_cannot_be_made(self):
        result = self.generate("--batch", env={"MAYFLY_HOME": "/dev/null/state"})
        self.assert_error(result, FAILED, "/dev/null")

    def test_nothing_else_in_the_home_is_touched(self):
        before = self.home.snapshot([".cloudflared"])
        self.assert_done(self.generate())
        after = {k: v for k, v in self.home.snapshot([".cloudflared"]).items()
                 if not k.startswith(".cloudflared/")}
        self.assertEqual(before, after)

    def test_whole_or_not_at_all(self):
        # A reader sees a complete file at any moment: the inode changes, and the old one stays as it was.
        self.assert_done(self.generate())
        names = (KEY, KEY + ".pub", KEY + "-cert.pub")
        handles = [open(self.home.file(name), "rb") for name in names]
        old = [self.home.read(name) for name in names]
        self.assert_done(self.generate("--force"))
        for handle, name, content in zip(handles, names, old):
            with handle:
                self.assertEqual(handle.read(), content, name)
            self.assertNotEqual(self.home.read(name), content, name)

    def test_token_of_cloudflared_is_used(self):
        token = self.edge.mint("app", "web")
        self.home.plant(self.home.token_name("web"), token)
        result = self.assert_done(self.home.mayfly("login", "--no-verbose", "--batch", "web.example.com"))
        self.assertEqual(result.out.decode(), token)
