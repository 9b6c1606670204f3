"""A disk that is full or cannot be written, a clock that jumps, locks from another time."""
import base64
import json
import os
import socket
import subprocess
import time
import unittest

from crash_checks import check_nothing_left_over, check_whole
from crash_sweep import install_quick_browser
from harness import faketime, programs
from harness.case import FAILED, LOGIN_NEEDED, EdgeCase
from harness.edge import header
from harness.listener import STARTED, receive
from harness.process import PIPE
from harness.waiting import GENEROUS, eventually

ECHO, SSH, WEB = "echo.example.com", "ssh.example.com", "web.example.com"
HOUR, DAY = 3600, 86400


class AdversityCase(EdgeCase):
    def setUp(self):
        super().setUp()
        install_quick_browser(self.home)

    def generate(self, *flags, **more):
        return self.home.mayfly("ssh-gen", "--hostname", SSH, *flags, **more)

    def login(self, **more):
        return self.home.mayfly("login", "--no-verbose", WEB, **more)


def mount(*words):
    return subprocess.run([programs.system("mount"), *words], capture_output=True, text=True, check=False)


@unittest.skipUnless(os.geteuid() == 0, "only root mounts file systems")
class FullDisk(AdversityCase):
    def setUp(self):
        super().setUp()
        os.mkdir(self.home.state, 0o700)
        mounted = mount("-t", "tmpfs", "-o", "size=64k,mode=0700", "mayfly-test", self.home.state)
        if mounted.returncode:
            self.skipTest(mounted.stderr.strip())
        self.addCleanup(subprocess.run, [programs.system("umount"), self.home.state], check=True)

    def fill(self, leave):
        path = self.home.file("filler")
        with open(path, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        os.truncate(path, max(0, os.path.getsize(path) - leave * 4096))

    def test_at_any_fill(self):
        """Leaves room for one file more each time, until there is enough."""
        for command in (self.login, self.generate):
            for leave in range(12):
                with self.subTest(command=command.__name__, pages=leave):
                    for name in self.home.files():
                        os.unlink(self.home.file(name))
                    self.fill(leave)
                    result = command()
                    if result.code:
                        self.assert_error(result, FAILED, "no space left", self.home.state)
                    os.unlink(self.home.file("filler"))
                    check_whole(self.home)
                    self.assert_done(command())
                    check_whole(self.home)
                    check_nothing_left_over(self.home)

    def test_stored_files_stay_usable(self):
        token = self.assert_done(self.login()).out
        self.assert_done(self.generate())
        self.fill(0)
        before = self.home.snapshot()
        self.assertEqual(self.assert_done(self.home.mayfly("token", WEB)).out, token)
        self.assert_done(self.generate())
        self.assert_error(self.generate("--force"), FAILED, "no space left")
        self.assert_unchanged(before)
        self.assert_done(self.generate("--check"))


class ReadOnlyCase(AdversityCase):
    """The state directory as it is on a read-only disk, or after a chmod."""

    def lock_up(self):
        if os.geteuid() != 0:
            os.chmod(self.home.state, 0o500)
            self.addCleanup(os.chmod, self.home.state, 0o700)
            return
        # Root can write wherever the file system permits it.
        os.makedirs(self.home.state, 0o700, exist_ok=True)
        for words in (("--bind", self.home.state, self.home.state), ("-o", "remount,bind,ro", self.home.state)):
            mounted = mount(*words)
            if mounted.returncode:
                self.skipTest(mounted.stderr.strip())
        # A child may be ending.
        self.addCleanup(subprocess.run, [programs.system("umount"), "--lazy", self.home.state],
                        check=True)


class NoWriting(ReadOnlyCase):
    def test_stored_files_are_used(self):
        token = self.assert_done(self.login()).out
        self.home.plant_token("echo")
        self.assert_done(self.home.mayfly("login", "-q", ECHO))
        self.assert_done(self.generate())
        self.lock_up()
        before = self.home.snapshot()
        self.assertEqual(self.assert_done(self.home.mayfly("token", WEB)).out, token)
        self.assertEqual(self.assert_done(self.login()).out, token)
        self.assert_done(self.generate())
        running = self.home.start("ssh", "--hostname", ECHO, stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())
        self.assert_unchanged(before)

    def test_failure_to_store_is_an_error(self):
        os.mkdir(self.home.state, 0o700)
        self.lock_up()
        for command in (self.login, self.generate, lambda: self.generate("--force")):
            result = command()
            self.assert_error(result, FAILED, self.home.state)
            self.assertRegex(result.err, "(Read-only file system|Permission denied)")
            self.assertEqual(self.home.files(), [])

    def test_directory_that_is_missing_and_cannot_be_made(self):
        os.mkdir(self.home.state, 0o700)
        self.lock_up()
        place = os.path.join(self.home.state, "in", "here")
        self.assert_error(self.login(env={"MAYFLY_HOME": place}), FAILED, place)


SERVICE_TOKEN = {"TUNNEL_SERVICE_TOKEN_ID": "0123456789abcdef.access", "TUNNEL_SERVICE_TOKEN_SECRET": "the-s3cret"}


class NothingKept(ReadOnlyCase):
    """A machine in a container, with an identity of its own and without a writable home."""

    def setUp(self):
        super().setUp()
        self.token = [{"id": SERVICE_TOKEN["TUNNEL_SERVICE_TOKEN_ID"],
                       "secret": SERVICE_TOKEN["TUNNEL_SERVICE_TOKEN_SECRET"]}]
        for name in ("echo", "web"):
            self.edge.application(name, policy="service", service_tokens=self.token)
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))

    def places(self):
        """Yields changes of the environment, and the directory that mayfly names then."""
        yield {"HOME": "/nonexistent"}, "/nonexistent/.cloudflared"
        yield {"MAYFLY_HOME": "/nonexistent/in/here"}, "/nonexistent/in/here"
        os.makedirs(self.home.state, 0o700, exist_ok=True)
        self.home.plant_token("web", expires_in=-5)  # The token has expired and cannot be removed.
        self.lock_up()
        yield {}, self.home.state

    def test_tunnel(self):
        for place, _ in self.places():
            with self.subTest(place):
                running = self.home.start("ssh", "--hostname", ECHO, env={**SERVICE_TOKEN, **place}, stdin=PIPE)
                running.write(b"through")
                self.assertEqual(running.wait_out(7), b"through")
                self.edge.ask("POST", "/close-tunnels", {"code": 1000})
                self.assertEqual(self.assert_done(running.finish()).err, "")

    def test_listener(self):
        for place, _ in self.places():
            with self.subTest(place):
                running = self.home.start("tcp", "--hostname", ECHO, "--url", "127.0.0.1:0",
                                          env={**SERVICE_TOKEN, **place})
                port = int(running.wait_err(STARTED).group(1).rsplit(":", 1)[1])
                with socket.create_connection(("127.0.0.1", port), GENEROUS) as connection:
                    connection.sendall(b"through")
                    self.assertEqual(receive(connection, 7), b"through")
                running.kill()

    def test_curl(self):
        for place, _ in self.places():
            with self.subTest(place):
                page = self.home.mayfly("curl", "-s", f"https://{WEB}", env={**SERVICE_TOKEN, **place})
                self.assertEqual(self.assert_done(page).out[:14], b"hello from web")

    def test_refused_token_is_not_tried_for_ever(self):
        self.home.plant_token("web", common_name=self.token[0]["id"])
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.lock_up()
        page = self.home.mayfly("curl", "-s", f"https://{WEB}", env=SERVICE_TOKEN)
        self.assertEqual(self.assert_done(page).out[:14], b"hello from web")

    def test_token_prints_nothing(self):
        for place, _ in self.places():
            with self.subTest(place):
                result = self.home.mayfly("token", WEB, env=place)
                self.assertEqual((result.code, result.out), (LOGIN_NEEDED, b""), result)

    def test_commands_that_store_files_fail(self):
        for place, directory in self.places():
            with self.subTest(place):
                self.assert_error(self.login(env={**SERVICE_TOKEN, **place}), FAILED, directory)
                self.assert_error(self.generate(env={**SERVICE_TOKEN, **place}), FAILED, directory)


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(b".")[1] + b"=="))


@unittest.skipUnless(faketime.library(), "libfaketime is not installed")
@unittest.skipIf(programs.is_instrumented(), "a sanitizer's library wants to be loaded before libfaketime")
class Clock(AdversityCase):
    """The time of day differs from one run to the next, or jumps during a run. Waits and deadlines do not depend on
    it."""

    def setUp(self):
        super().setUp()
        self.addCleanup(faketime.clear)

    def at(self, offset):
        """Sets the time of mayfly. The edge has the same time, unless the test keeps the edge right."""
        return faketime.settings(FAKETIME=f"{offset:+d}s")

    def travel(self, offset):
        self.edge.configure(clock_skew=offset)
        return self.at(offset)

    def test_clock_that_jumps_there_and_back(self):
        """Tokens and certificates from the future and from the past are replaced without a message."""
        for offset in (0, 20 * DAY, 0, -20 * HOUR, HOUR, -HOUR, 0):  # The edge's own root is a day old.
            with self.subTest(offset):
                env = self.travel(offset)
                self.assert_done(self.generate(env=env))
                self.assert_done(self.generate("--check", env=env))
                token = self.assert_done(self.login(env=env)).out
                self.assertGreater(claims_of(token)["exp"], time.time() + offset)
                self.assertEqual(self.assert_done(self.home.mayfly("token", WEB, env=env)).out, token)
                check_nothing_left_over(self.home)
                self.assert_no_token_sent_after_its_end(offset)

    def assert_no_token_sent_after_its_end(self, offset):
        entries = self.edge.log()
        sent = [(entry, value) for entry in entries for value in header(entry, "Cf-Access-Token")]
        sent += [(entry, json.loads(entry["body"])["jwt"]) for entry in entries if entry["path"].endswith("/cert_sign")]
        self.assertTrue(sent)
        for entry, token in sent:
            self.assertGreater(claims_of(token.encode())["exp"], entry["time"] + offset, entry["target"])
        self.edge.ask("DELETE", "/log")

    def test_this_computer_alone_is_wrong(self):
        """An hour is too much: what does not fit is refused, and the message names the clock."""
        for offset in (HOUR, -HOUR):
            with self.subTest(offset):
                self.fresh()
                install_quick_browser(self.home)
                result = self.generate(env=self.at(offset))
                if result.code:
                    self.assertIn("clock", result.err)
                check_whole(self.home)
                self.assert_done(self.generate())
                self.assert_done(self.generate("--check"))

    def plant_lock(self, base, **more):
        self.home.plant(base + ".lock", json.dumps({"pid": 1 << 22, "start_time": 1, **more}))
        self.home.plant(base + ".url", "https://web.example.com/")

    def test_locks_from_another_time(self):
        for age in (-400 * DAY, -DAY, -1, 0, 1, DAY, 20000 * DAY):
            for content in ({}, {"start_time": 1 << 52}):
                with self.subTest(age=age, content=content):
                    self.plant_lock(self.home.token_name("web"), **content)
                    self.home.make_older(self.home.token_name("web") + ".lock", age)
                    self.assert_done(self.home.mayfly("login", "-q", WEB, seconds=20))
                    check_nothing_left_over(self.home)
                    os.unlink(self.home.file(self.home.token_name("web")))

    def jumping(self):
        """Returns a clock that can be set while the program runs."""
        path = os.path.join(self.home.path, "clock")
        self.set_clock(path, 0)
        return path, faketime.settings(FAKETIME_TIMESTAMP_FILE=path, FAKETIME_NO_CACHE="1")

    @staticmethod
    def set_clock(path, offset):
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(f"{offset:+d}s\n")
        os.rename(path + ".new", path)

    def test_jump_in_a_running_tunnel(self):
        self.home.plant_token("echo")
        path, env = self.jumping()
        # The jump comes after the measured time has begun. A tunnel in the sandbox could not read the file with the
        # clock.
        running = self.home.start("ssh", "--hostname", ECHO, "--ping-interval", "1", stdin=PIPE, env={**env, "MAYFLY_SANDBOX": "off"})
        running.write(b"before")
        running.wait_out(6)
        for offset in (10 * DAY, -10 * DAY, 0):
            self.set_clock(path, offset)
            pings = self.edge.upgrades()[-1]["tunnel"]["pings_in"]
            eventually("pings go on", lambda: self.edge.upgrades()[-1]["tunnel"]["pings_in"] > pings + 1)
            running.write(b"after")
        running.wait_out(6 + 3 * 5)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())

    def test_jump_while_a_login_is_waited_for(self):
        self.home.install_idle_browser()
        path, env = self.jumping()
        running = self.home.start("login", "--no-verbose", WEB, env=env)
        eventually("the browser is open, and the wait has begun", lambda: self.home.browsed() and self.edge.stats()["polls"])
        for offset in (5 * DAY, -5 * DAY):
            self.set_clock(path, offset)
            polls = self.edge.stats()["polls"]
            eventually("it is still polled for", lambda: self.edge.stats()["polls"] > polls)
            self.assertFalse(running.has_ended())
        self.set_clock(path, 0)
        self.edge.sign_in(self.home.browsed()[0]["url"])
        self.assert_done(running.finish())
