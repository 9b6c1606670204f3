"""The state directory: names, modes, links, and files that are left over."""
import os
import stat

from harness.case import FAILED, EdgeCase

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
        place = os.path.join(self.home.path, "place")
        os.mkdir(place, 0o700)
        os.symlink(place, self.home.state)
        self.assert_error(self.generate("--batch"), FAILED, ".cloudflared")
        self.assertEqual(os.listdir(place), [])
        os.unlink(self.home.state)
        with open(self.home.state, "w", encoding="ascii"):
            pass
        self.assert_error(self.generate("--batch"), FAILED, ".cloudflared")

    def test_directory_that_others_may_write(self):
        os.mkdir(self.home.state)
        os.chmod(self.home.state, 0o777)
        self.assert_error(self.generate("--batch"), FAILED, ".cloudflared")
        self.assertEqual(self.home.files(), [])

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
