"""ssh-config --multiplex: one connection for every ssh to a host, with real programs that call ssh."""
import os
import shlex
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest

from harness import programs
from harness.case import FAILED, USAGE
from harness.process import PIPE, Running, run
from harness.waiting import GENEROUS, eventually
from test_ssh import HOST, SshCase


class ShortCase(SshCase):
    """The path of the home of a test is too long for a socket in its state directory."""

    def setUp(self):
        super().setUp()
        self.short = tempfile.mkdtemp(prefix="mayfly-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.short, ignore_errors=True)
        self.home.state = os.path.join(self.short, "state")
        self.home.variables["MAYFLY_HOME"] = self.home.state


class MultiplexCase(ShortCase):
    block = ("--short-lived-cert", "--multiplex", "10m")

    def setUp(self):
        super().setUp()
        self.home.install_browser()
        self.sockets = os.path.join(self.home.state, "ssh")
        self.addCleanup(self.end_master)
        self.configure(*self.block)

    def end_master(self):
        for name in self.masters():
            run([programs.system("ssh"), "-F", "none", "-S", os.path.join(self.sockets, name), "-O", "exit", HOST],
                env=self.home.environment())

    def masters(self):
        return os.listdir(self.sockets) if os.path.isdir(self.sockets) else []

    def assert_no_connection(self, action):
        """Runs the action, and holds that the edge sees no TLS connection meanwhile. Returns the action's result."""
        before = self.edge.stats()
        result = action()
        after = self.edge.stats()
        self.assertEqual((after["tls_connections"], after["open_tunnels"]), (before["tls_connections"], 1))
        return result

    def opened(self):
        self.assertEqual(self.assert_done(self.ssh("echo first")).out, b"first\n")
        self.assertEqual(self.edge.stats()["open_tunnels"], 1)

    def forget_certificate(self):
        os.remove(os.path.join(self.home.state, f"{HOST}-cf_key-cert.pub"))


class Multiplex(MultiplexCase):
    def test_second_ssh_costs_no_connection(self):
        self.opened()
        for i in range(3):
            result = self.assert_no_connection(lambda: self.ssh("cat; exit 7", stdin=b"in and out"))
            self.assertEqual((result.code, result.out, result.err), (7, b"in and out", ""))

    def test_second_ssh_needs_no_certificate(self):
        self.opened()
        self.forget_certificate()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.assert_done(self.assert_no_connection(lambda: self.ssh("true")))
        self.assertEqual((self.edge.stats()["signatures"], len(self.home.browsed())), (1, 1))

    def test_ssh_that_shares_nothing_gets_a_certificate(self):
        self.opened()
        for flags in (("-o", "ControlPath=none"), ("-S", "none")):
            with self.subTest(flags):
                self.forget_certificate()
                before = self.edge.stats()["signatures"]
                self.assert_done(self.start(*flags, HOST, "--", "true").finish())
                self.assertEqual(self.edge.stats()["signatures"], before + 1)

    def test_certificate_is_renewed_after_the_master_has_ended(self):
        self.opened()
        self.end_master()
        eventually("the tunnel has ended", lambda: self.edge.stats()["open_tunnels"] == 0)
        self.forget_certificate()
        self.opened()
        self.assertEqual(self.edge.stats()["signatures"], 2)

    def test_killed_master_is_replaced(self):
        self.opened()
        answer = self.start("-O", "check", HOST).finish()
        os.kill(int(answer.err.split("pid=")[1].split(")")[0]), 9)
        eventually("the tunnel has ended", lambda: self.edge.stats()["open_tunnels"] == 0)
        self.assertEqual(len(self.masters()), 1)  # its socket stays
        self.forget_certificate()
        self.opened()
        self.assertEqual(self.edge.stats()["signatures"], 2)

    def test_first_ssh_lets_go_of_its_callers_pipes(self):
        """As git and CI wait for the end of standard output and standard error, and not only for the process."""
        env = {**self.home.environment(), "SHELL": "/bin/sh"}
        done = subprocess.run([programs.system("ssh"), "-F", self.config, HOST, "--", "echo out; echo err >&2"], env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=GENEROUS, check=True)
        self.assertEqual(done.stdout, b"out\n")
        self.assertIn(b"err", done.stderr)
        self.assertEqual(self.edge.stats()["open_tunnels"], 1)

    def test_end_of_the_master_ends_the_tunnel(self):
        self.opened()
        self.end_master()
        eventually("the tunnel has ended", lambda: self.edge.stats()["open_tunnels"] == 0)
        self.assertEqual(self.masters(), [])

    def test_refusal_is_seen_at_the_terminal(self):
        """With ControlPersist, ssh takes the standard error of its ProxyCommand away."""
        self.opened()
        self.end_master()
        self.edge.fault("upgrade.403", application="ssh")
        result = self.ssh("true")
        self.assertEqual(result.code, 255)
        self.assertIn("mayfly: error: ", result.err)
        self.assertIn("hint: ", result.err)

    def test_refusal_is_appended_to_a_file(self):
        self.opened()
        self.end_master()
        self.edge.fault("upgrade.403", application="ssh")
        log = os.path.join(self.scratch, "log")
        with open(log, "w", encoding="ascii") as file:
            file.write("before\n")
        command = f"{programs.system('ssh')} -F {shlex.quote(self.config)} {HOST} true 2>> {shlex.quote(log)}"
        self.assertEqual(run(["/bin/sh", "-c", command], env={**self.home.environment(), "SHELL": "/bin/sh"}).code, 255)
        text = self.content("log").decode()
        self.assertTrue(text.startswith("before\n"), text)
        self.assertIn("mayfly: error: ", text)

    def test_copies_share_the_connection(self):
        path, data = self.random_file("copied", 1 << 20)
        self.opened()

        def copies():
            for source, target in [(path, f"{HOST}:{self.scratch}/up"), (f"{HOST}:{path}", f"{self.scratch}/down")]:
                self.assert_done(self.start("-q", source, target, program="scp").finish())
        self.assert_no_connection(copies)
        self.assert_same(self.content("up"), data)
        self.assert_same(self.content("down"), data)


class Names(MultiplexCase):
    """ssh computes the name of the socket from the host and the user, also while it asks ssh-gen."""
    block = ("--short-lived-cert", "--multiplex", "1h30m", "--alias", "vm")

    def test_alias(self):
        self.opened()
        self.forget_certificate()
        self.assert_done(self.assert_no_connection(lambda: self.start("vm", "--", "true").finish()))
        self.assertEqual(self.edge.stats()["signatures"], 1)

    def test_user_of_the_block(self):
        user = run([programs.system("id"), "-un"], env={"PATH": "/usr/bin:/bin"}).out.decode().strip()
        self.configure(*self.block, "--user", user, "--write")
        with open(os.path.join(self.home.path, ".ssh", "mayfly_config"), encoding="utf-8") as file:
            block = file.read()
        self.assertLess(block.index(f"User {user}"), block.index("exec"), block)

    def configure(self, *flags):
        if "--write" not in flags:
            return super().configure(*flags)
        return self.assert_done(self.home.mayfly("ssh-config", "--hostname", HOST, *flags))


class OwnKey(MultiplexCase):
    """A block without certificates."""
    block = ("--multiplex", "2h")

    def test_second_ssh_costs_no_connection(self):
        key = os.path.join(self.scratch, "own_key")
        self.home.keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
        shutil.copyfile(key + ".pub", self.sshd.authorized_keys)
        self.assert_done(self.start("-i", key, HOST, "--", "true").finish())
        self.assert_done(self.assert_no_connection(lambda: self.start(HOST, "--", "true").finish()))

    def test_login_is_seen_although_ssh_takes_standard_error(self):
        self.home.install_idle_browser()
        running = self.start(HOST, "--", "true")
        running.wait_err("https://ssh.example.com/cdn-cgi/access/cli")
        running.kill()


class Directory(MultiplexCase):
    def mode(self):
        return stat.S_IMODE(os.stat(self.sockets).st_mode)

    def test_only_the_user_can_use_it(self):
        self.assert_done(self.start(HOST, "--", "true", umask=0).finish())
        self.assertEqual(self.mode(), 0o700)
        self.assertEqual(len(self.masters()), 1)

    def test_one_that_others_can_use_is_refused(self):
        os.makedirs(self.sockets)
        os.chmod(self.sockets, 0o755)
        result = self.ssh("true")
        self.assertEqual(result.code, 255, result)
        self.assertIn(f"mayfly: error: cannot use {self.sockets}: other users could use it, too", result.err)
        self.assertIn(f"chmod 700 {self.sockets}", result.err)
        self.assertEqual((self.masters(), self.edge.upgrades(HOST)), ([], []))

    def test_a_link_is_refused(self):
        os.makedirs(self.home.state, mode=0o700)
        os.symlink(self.scratch, self.sockets)
        result = self.ssh("true")
        self.assertEqual(result.code, 255, result)
        self.assertIn("mayfly: error: ", result.err)
        self.assertEqual(self.edge.upgrades(HOST), [])


class LongNames(ShortCase):
    """The name of a Unix socket has at most 107 bytes, and ssh appends 17 while it binds."""

    def config(self, state, **variables):
        self.home.variables["MAYFLY_HOME"] = state
        return self.home.mayfly("ssh-config", "--hostname", HOST, "--multiplex", "10m",
                                env={"XDG_RUNTIME_DIR": None, **variables})

    def state_of(self, length):
        """Returns the path of a state directory, so that the directory of the sockets has the length."""
        start = self.short + "/"
        return start + "d" * (length - len("/ssh") - len(start))

    def test_longest_name_works(self):
        self.home.install_browser()
        key = os.path.join(self.scratch, "own_key")
        self.home.keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
        shutil.copyfile(key + ".pub", self.sshd.authorized_keys)
        state = self.state_of(107 - 17 - 41)
        self.home.variables["MAYFLY_HOME"] = state
        self.configure("--multiplex", "10m")
        self.assert_done(self.start("-i", key, HOST, "--", "true").finish())
        name, = os.listdir(f"{state}/ssh")
        self.assert_done(self.start("-O", "exit", HOST).finish())
        self.assertEqual(len(f"{state}/ssh/{name}"), 107 - 17)

    def test_longer_names_lead_to_the_directory_of_the_session(self):
        state = self.state_of(107 - 17 - 41 + 1)
        block = self.assert_done(self.config(state, XDG_RUNTIME_DIR="/run/user/1000")).out.decode()
        self.assertIn("  ControlPath /run/user/1000/mayfly/%C\n", block)
        self.assertIn(" --control-directory /run/user/1000/mayfly ", block)

    def test_without_a_short_name_there_is_no_block(self):
        state = self.state_of(107 - 17 - 41 + 1)
        self.assert_error(self.config(state), FAILED, state, "MAYFLY_HOME")

    def test_what_is_no_duration_is_refused(self):
        for text in ("0", "ten", "10 m", "yes", "no", "-1", "10m\n  ProxyCommand x"):
            with self.subTest(text):
                result = self.home.mayfly("ssh-config", "--multiplex", text, HOST)
                self.assert_error(result, USAGE, "duration")


class Callers(MultiplexCase):
    """Programs that call ssh with options of their own."""

    def environment(self, **more):
        return {**self.home.environment(), "SHELL": "/bin/sh", "PATH": f"{self.home.bin}:/usr/bin:/bin", **more}

    def program(self, name, package):
        path = shutil.which(name)
        if path is None:
            raise unittest.SkipTest(f"{package} is not installed")
        return path

    def test_editor_with_a_long_lived_shell(self):
        """VS Code runs `ssh -T -D PORT -o ConnectTimeout=15 HOST bash`, and speaks with the shell for hours."""
        self.opened()
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        arguments = ("-T", "-D", f"127.0.0.1:{port}", "-o", "ConnectTimeout=15", HOST, "sh")
        running = self.start(*arguments, stdin=PIPE)
        for word in (b"one", b"two"):
            seen = len(running.out)
            running.write(b"printf " + word + b"\n")
            self.assertTrue(running.wait_out(seen + 3).endswith(word))
            self.assert_done(self.assert_no_connection(lambda: self.ssh("true")))
        running.close_stdin()
        self.assert_done(running.finish())

    def test_editor_that_opens_the_connection(self):
        running = self.start("-T", "-o", "ConnectTimeout=15", HOST, "sh", stdin=PIPE)
        running.write(b"printf one\n")
        running.wait_out(3)
        self.assert_done(self.assert_no_connection(lambda: self.ssh("true")))
        running.close_stdin()
        self.assert_done(running.finish())
        self.assert_done(self.assert_no_connection(lambda: self.ssh("true")))  # ControlPersist

    def test_git(self):
        git = self.program("git", "git")
        env = self.environment(GIT_SSH_COMMAND=f"{programs.system('ssh')} -F {shlex.quote(self.config)}",
                               GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="J", GIT_AUTHOR_EMAIL="j@example.com",
                               GIT_COMMITTER_NAME="J", GIT_COMMITTER_EMAIL="j@example.com")
        bare, work = os.path.join(self.scratch, "bare.git"), os.path.join(self.scratch, "work")

        def do(*arguments):
            return self.assert_done(Running([git, *arguments], env=env).finish())
        do("init", "-q", "--bare", bare)
        do("clone", "-q", f"{HOST}:{bare}", work)

        def push():
            do("-C", work, "commit", "-q", "--allow-empty", "-m", "one")
            do("-C", work, "push", "-q", "origin", "HEAD:refs/heads/main")
            do("-C", work, "fetch", "-q")
        self.assert_no_connection(push)
        self.assertIn(b"refs/heads/main", do("ls-remote", f"{HOST}:{bare}").out)

    def ansible(self, arguments):
        program = self.program("ansible", "ansible-core")
        env = self.environment(ANSIBLE_SSH_ARGS=arguments, ANSIBLE_LOCAL_TEMP=self.scratch, ANSIBLE_NOCOLOR="1",
                               ANSIBLE_SSH_CONTROL_PATH_DIR=os.path.join(self.scratch, "cp"))
        result = self.assert_done(Running([program, "all", "-i", f"{HOST},", "-m", "raw", "-a", "echo in"], env=env,
                                          cwd=self.scratch).finish())
        self.assertIn("in", result.out.decode().splitlines())

    def test_ansible_with_the_blocks_connection(self):
        self.opened()
        self.assert_no_connection(lambda: self.ansible(f"-F {self.config}"))

    def test_ansible_with_its_own_connection(self):
        """Ansible's default: it shares a connection at a path of its own, and needs a certificate for that."""
        self.opened()
        self.forget_certificate()
        self.ansible(f"-F {self.config} -C -o ControlMaster=auto -o ControlPersist=60s")
        self.assertEqual(self.edge.stats()["signatures"], 2)
        for name in os.listdir(os.path.join(self.scratch, "cp")):
            self.start("-S", os.path.join(self.scratch, "cp", name), "-O", "exit", HOST).finish()
