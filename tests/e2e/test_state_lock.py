"""A process that holds a lock for ever: no command waits for it without limit, and each that waits says for what."""
import contextlib
import fcntl
import os

from harness.agent_case import KEYS, AgentCase
from harness.case import DONE, FAILED
from harness.http_case import HOST as WIKI
from harness.http_case import HttpCase
from harness.waiting import GENEROUS

WEB = "web.example.com"


@contextlib.contextmanager
def held(path, flags=os.O_RDONLY):
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class HeldForEver(HttpCase, AgentCase):
    def setUp(self):
        super().setUp()
        self.home.script("curl", 'exec /usr/bin/curl "$@"\n')
        self.home.install_browser()
        self.home.plant_org_token()
        self.lock = self.home.file(".mayfly-lock")

    def assert_waited_in_vain(self, result, path):
        self.assert_error(result, FAILED, f"another process has held {path} for too long", "try again")

    def test_directory(self):
        """flock(2) needs no more than the right to read it."""
        with held(self.home.state):
            for command in (["login", "-q", WEB], ["curl", "-s", f"https://{WEB}/"], ["token", "--app", f"https://{WEB}"],
                            ["ssh-gen", "--hostname", "ssh.example.com"], ["status"], ["doctor", "--hostname", "echo.example.com"],
                            ["logout", WEB], ["logout", "--all"]):
                with self.subTest(command):
                    self.assert_done(self.home.mayfly(*command))
            self.assert_done(self.home.mayfly("login", "-q", WIKI))
            self.assertEqual(self.get(self.at_free_port()[1])[0], 200)

    def test_lock_of_the_directory_by_commands_that_store(self):
        commands = (["login", "-q", WEB], ["curl", "-s", f"https://{WEB}/"], ["ssh-gen", "--hostname", "ssh.example.com"],
                    ["http", "--hostname", WIKI])
        with held(self.lock, os.O_RDWR | os.O_CREAT):
            running = [self.home.start(*command) for command in commands]
            for command, one in zip(commands, running):
                with self.subTest(command):
                    self.assert_waited_in_vain(one.finish(GENEROUS), self.lock)
        self.assertFalse(set(KEYS) & set(self.home.files()))

    def test_lock_of_the_directory_by_a_listener_that_logs_in(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        running, port = self.at_free_port()
        with held(self.lock, os.O_RDWR | os.O_CREAT):
            status, _, content = self.get(port)
            self.assertEqual(status, 502)
            self.assertIn(f"another process has held {self.lock} for too long".encode(), content)
            running.wait_err("another process has held")

    def test_lock_of_the_directory_by_a_logout(self):
        """It removes what there is, and says what it could not prevent."""
        with held(self.lock, os.O_RDWR | os.O_CREAT):
            self.assert_waited_in_vain(self.logout("--all"), self.lock)
        self.assertEqual(self.home.files(), [])
        self.assertEqual(self.home.logout_marks(), [".mayfly-logout"])

    def test_lock_of_the_directory_by_commands_that_store_nothing(self):
        self.at_own_address().terminate()
        with held(self.lock, os.O_RDWR | os.O_CREAT):
            for command in (["status"], ["curl", "-s", f"https://{WIKI}/"], ["login", "--batch", "-q", WIKI],
                            ["token", "--app", f"https://{WIKI}"],
                            ["doctor", "--hostname", "echo.example.com"]):
                with self.subTest(command):
                    self.assertEqual(self.home.mayfly(*command).code, DONE)
            self.at_own_address()

    def at_own_address(self):
        """A listener at the port that belongs to the application, once it listens."""
        running = self.home.start("http", "--hostname", WIKI)
        self.places(running)
        return running.process

    def test_directory_of_ssh(self):
        folder = os.path.join(self.home.path, ".ssh")
        command = ["ssh-config", "--hostname", "ssh.example.com", "--write"]
        with held(folder):
            self.assert_waited_in_vain(self.home.mayfly(*command), folder)
            self.assertEqual(os.listdir(folder), [])
        self.assert_done(self.home.mayfly(*command))
        with held(folder):
            self.assert_waited_in_vain(self.home.mayfly("ssh-config", "--hostname", "ssh.example.com", "--remove"),
                                       folder)
