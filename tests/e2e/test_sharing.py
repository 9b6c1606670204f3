"""One directory for two tools: what cloudflared stored and locked, and the faults of it that must not show."""
import json
import os
import re
import signal
import socket
import subprocess
import time

from harness.browser import Browser
from harness.case import DONE, EdgeCase
from harness.edge import USER, header
from harness.process import PIPE
from harness.programs import system
from harness.waiting import eventually

KEY = "ssh.example.com-cf_key"
AUTH_DOMAIN = "acme.cloudflareaccess.com"
NOWHERE = {"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"}
URL = r"https://\S+/cdn-cgi/access/cli\?\S+"

# A foreign holder that lives would be waited for ten minutes; nobody may wait longer than this.
AT_ONCE = 20


def start_time_ms(pid):
    """As gopsutil computes it: btime and field 22 of /proc/PID/stat, in ticks."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/stat", encoding="ascii") as file:
        boot = int(re.search(r"^btime (\d+)$", file.read(), re.M).group(1))
    return boot * 1000 + ticks * 1000 // os.sysconf("SC_CLK_TCK")


def lock_text(pid, start_time):
    """Go's encoder: no blanks, a line end."""
    return f'{{"pid":{pid},"start_time":{start_time}}}\n'


def go_jose(jwks):
    """A key set as go-jose writes it: its order of members, the known ones only, no blanks."""
    order = ("use", "kty", "kid", "alg", "n", "e")
    keys = [{name: key[name] for name in order if name in key} for key in json.loads(jwks)["keys"]]
    return json.dumps({"keys": keys}, separators=(",", ":"))


class SharedCase(EdgeCase):
    def plant_keys(self):
        browser = Browser(self.edge.connect_to, self.edge.ca)
        _, status, text = browser.follow(f"https://{AUTH_DOMAIN}/cdn-cgi/access/certs")
        self.assertEqual(status, 200)
        content = go_jose(text)
        self.home.plant(AUTH_DOMAIN + "-jwks", content)
        self.edge.ask("DELETE", "/log")
        self.edge.ask("DELETE", "/stats")
        return content

    def plant_ssh_files(self, *validity):
        """An SEC 1 PEM of P-256, its public line without a comment, and a certificate."""
        os.makedirs(self.home.state, 0o700, exist_ok=True)
        path = self.home.file(KEY)
        self.home.keygen("-q", "-t", "ecdsa", "-b", "256", "-m", "PEM", "-N", "", "-f", path)
        self.home.plant(KEY + ".pub", " ".join(self.home.text(KEY + ".pub").split()[:2]) + "\n")
        self.edge.sign_key(path + ".pub", "-I", "other", "-n", USER, *validity)
        os.chmod(path + "-cert.pub", 0o600)
        self.assertTrue(self.home.text(KEY).startswith("-----BEGIN EC PRIVATE KEY-----"))

    def holder(self):
        """A process that lives and holds no flock, as cloudflared holds none."""
        return self.home.start("1000", program=system("sleep"))

    def plant_lock(self, base, pid, start_time=None):
        start = start_time_ms(pid) if start_time is None else start_time
        self.home.plant(base + ".lock", lock_text(pid, start))

    def echoed(self, *arguments, data=b"hello", seconds=AT_ONCE):
        """stdin ends first; the edge's Close then ends the drain. What came on stderr."""
        running = self.home.start(*arguments, stdin=data)
        self.assertEqual(running.wait_out(len(data), seconds), data)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        result = self.assert_done(running.finish(AT_ONCE))
        self.assertEqual(result.out, data)
        return result.err

    def locks(self):
        return [name for name in self.home.files() if name.endswith((".lock", ".url"))]


class Stored(SharedCase):
    """Files that cloudflared wrote, by its names and in its formats, are used."""

    def test_token_and_keys(self):
        token, keys = self.home.plant_token("web"), self.plant_keys()
        result = self.assert_done(self.home.mayfly("login", "--batch", "--app", "web.example.com"))
        self.assertEqual((result.out.decode(), result.err), (token, ""))
        self.assertEqual(self.edge.stats()["jwks"], 0, "the stored keys were not used")
        self.assertEqual(self.home.text(AUTH_DOMAIN + "-jwks"), keys)
        result = self.assert_done(self.home.mayfly("token", "web.example.com"))
        self.assertEqual(result.out.decode(), token)

    def test_org_token(self):
        org = self.home.plant_org_token()
        self.plant_keys()
        result = self.assert_done(self.home.mayfly("login", "--batch", "--app", "web.example.com"))
        self.assertEqual(result.out.decode(), self.home.text(self.home.token_name("web")))
        self.assertEqual(self.edge.stats()["exchanges"], 1)
        self.assertEqual(self.home.text(AUTH_DOMAIN + "-org-token"), org)

    def test_key_and_certificate(self):
        self.plant_ssh_files("-V", "-1m:+10m")
        before = self.home.snapshot()
        result = self.assert_done(
            self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", env=NOWHERE))
        self.assertEqual((result.out, result.err), (b"", ""))
        self.assert_unchanged(before)

    def test_key_is_not_kept_beyond_its_certificate(self):
        self.plant_ssh_files("-V", "20200101:20200102")
        self.home.plant_token("ssh")
        self.plant_keys()
        old = [self.home.read(KEY + end) for end in ("", ".pub", "-cert.pub")]
        self.assert_done(self.home.mayfly("ssh-gen", "--batch", "--hostname", "ssh.example.com"))
        for before, end in zip(old, ("", ".pub", "-cert.pub")):
            self.assertNotEqual(self.home.read(KEY + end), before, end)
        # Where it only looks for the .pub, it must find the one that belongs to the key.
        from_private = self.home.keygen("-y", "-f", self.home.file(KEY))
        self.assertEqual(from_private.split()[:2], self.home.text(KEY + ".pub").split()[:2])

    def test_tunnel(self):
        self.home.plant_token("echo")
        self.plant_keys()
        self.echoed("access", "ssh", "--hostname", "echo.example.com", "--batch")

    def test_each_others_formats(self):
        """What cloudflared would read: a bare JWT, a key set, an authorized_keys line."""
        self.home.install_browser()
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com"))
        for name in (self.home.token_name("ssh"), AUTH_DOMAIN + "-org-token"):
            self.assertRegex(self.home.text(name), r"\A[\w-]+\.[\w-]+\.[\w-]+\Z")
        key, *_ = json.loads(self.home.text(AUTH_DOMAIN + "-jwks"))["keys"]
        self.assertEqual({name: type(key[name]) for name in ("kty", "kid", "n", "e")},
                         {name: str for name in ("kty", "kid", "n", "e")})
        self.assertRegex(self.home.text(KEY + ".pub"), r"\Aecdsa-sha2-nistp256 \S+\n\Z")


class ForeignLock(SharedCase):
    """cloudflared's lock: a file that says who holds it, and no more."""

    def setUp(self):
        super().setUp()
        self.plant_keys()
        self.base = self.home.token_name("web")

    def waiting_login(self):
        return self.home.start("login", "--no-verbose", "web.example.com")

    def test_is_respected_until_the_token_appears(self):
        holder = self.holder()
        self.plant_lock(self.base, holder.pid)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        self.home.install_browser()
        running = self.waiting_login()
        running.wait_err(re.escape("https://web.example.com/cdn-cgi/access/cli?aud=x"))
        self.assertIn(str(holder.pid), running.err)
        self.assertFalse(running.has_ended())
        self.assertEqual(self.home.browsed(), [])
        token = self.home.plant_token("web")
        result = self.assert_done(running.finish(AT_ONCE))
        self.assertEqual(result.out.decode(), token)
        self.assertEqual(self.edge.stats()["polls"], 0)
        self.assertEqual(sorted(self.locks()), [self.base + ".lock", self.base + ".url"],
                         "they are the holder's")

    def test_url_that_comes_later_and_changes_is_shown(self):
        self.plant_lock(self.base, self.holder().pid)
        running = self.waiting_login()
        for number in (1, 2):
            self.home.plant(self.base + ".url", f"https://web.example.com/cdn-cgi/access/cli?n={number}")
            running.wait_err(rf"cdn-cgi/access/cli\?n={number}\b")
        self.home.plant_token("web")
        self.assert_done(running.finish(AT_ONCE))

    def test_hostile_url_is_made_harmless(self):
        self.plant_lock(self.base, self.holder().pid)
        self.home.plant(self.base + ".url", b"https://web.example.com/\x1b[2J\x07x")
        running = self.waiting_login()
        running.wait_err(r"https://web\.example\.com/")
        self.home.plant_token("web")
        self.assert_printable(self.assert_done(running.finish(AT_ONCE)).err)

    def test_ssh_gen_and_ssh_wait_for_it_too(self):
        for command in ("ssh-gen", "ssh"):
            with self.subTest(command):
                self.fresh()
                self.plant_keys()
                base = self.home.token_name("ssh")
                self.plant_lock(base, self.holder().pid)
                self.home.plant(base + ".url", "https://ssh.example.com/cdn-cgi/access/cli?aud=x")
                running = self.home.start(command, "--hostname", "ssh.example.com", stdin=b"hello")
                running.wait_err(re.escape("https://ssh.example.com/cdn-cgi/access/cli?aud=x"))
                self.home.plant_token("ssh")
                if command == "ssh":
                    running.wait_out(5, AT_ONCE)
                    self.edge.ask("POST", "/close-tunnels", {"code": 1000})
                self.assert_done(running.finish(AT_ONCE))

    def test_of_the_team_is_respected(self):
        """cloudflared holds it while it gets the first org token, for whichever application."""
        holder = self.holder()
        org = AUTH_DOMAIN + "-org-token"
        self.plant_lock(org, holder.pid)
        self.home.install_browser()
        running = self.waiting_login()
        eventually("it has its own lock", lambda: self.base + ".lock" in self.home.files())
        self.home.plant_org_token()
        result = self.assert_done(running.finish(AT_ONCE))
        self.assertEqual(self.home.browsed(), [], "the org token that came was not used")
        self.assertEqual(self.edge.stats()["exchanges"], 1, result)

    def test_ends_with_its_holder(self):
        holder = self.holder()
        self.plant_lock(self.base, holder.pid)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        self.home.install_browser()
        running = self.waiting_login()
        running.wait_err(r"aud=x")
        holder.kill()
        self.assert_done(running.finish(AT_ONCE))
        self.assertEqual(len(self.home.browsed()), 1)
        self.assertEqual(self.locks(), [])

    def take_over(self, prepare):
        self.fresh()
        self.plant_keys()
        self.base = self.home.token_name("web")
        self.home.install_browser()
        prepare()
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com", seconds=AT_ONCE))
        self.assertEqual(self.locks(), [])

    def dead(self, base):
        ended = self.holder()
        start = start_time_ms(ended.pid)
        ended.kill()
        self.plant_lock(base, ended.pid, start)

    def not_waited_for(self):
        """It has ended, and its parent does not ask: cloudflared still takes it for alive."""
        ended = subprocess.Popen([system("true")])
        self.addCleanup(ended.wait)
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        self.plant_lock(self.base, ended.pid)

    def recycled(self):
        holder = self.holder()
        self.plant_lock(self.base, holder.pid, start_time_ms(holder.pid) - 1001)

    def old(self):
        self.plant_lock(self.base, self.holder().pid)
        self.home.make_older(self.base + ".lock", 601)

    def not_a_lock(self, content):
        self.home.plant(self.base + ".lock", content)
        self.home.make_older(self.base + ".lock", 2)

    def test_stale_ones_stop_nobody(self):
        for what, prepare in [
                ("process that is gone", lambda: self.dead(self.base)),
                ("team's, process that is gone", lambda: self.dead(AUTH_DOMAIN + "-org-token")),
                ("process that nobody has waited for", self.not_waited_for),
                ("pid of somebody else", self.recycled),
                ("older than ten minutes", self.old),
                ("empty", lambda: self.not_a_lock("")),
                ("garbage", lambda: self.not_a_lock("\0{{")),
                ("no pid", lambda: self.not_a_lock('{"start_time":1}\n')),
                ("negative pid", lambda: self.not_a_lock('{"pid":-1,"start_time":1}\n'))]:
            with self.subTest(what):
                self.take_over(prepare)

    def test_start_time_within_a_second_is_the_same_process(self):
        holder = self.holder()
        self.plant_lock(self.base, holder.pid, start_time_ms(holder.pid) + 900)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        running = self.waiting_login()
        running.wait_err("aud=x")
        self.home.plant_token("web")
        self.assert_done(running.finish(AT_ONCE))

    def test_young_one_of_nine_minutes_is_not_old(self):
        self.plant_lock(self.base, self.holder().pid)
        self.home.make_older(self.base + ".lock", 540)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        running = self.waiting_login()
        running.wait_err("aud=x")
        self.home.plant_token("web")
        self.assert_done(running.finish(AT_ONCE))

    def test_wait_can_be_interrupted(self):
        self.plant_lock(self.base, self.holder().pid)
        self.home.plant(self.base + ".url", "https://web.example.com/cdn-cgi/access/cli?aud=x")
        running = self.waiting_login()
        running.wait_err("aud=x")
        running.send(signal.SIGINT)
        self.assertEqual(running.finish(AT_ONCE).code, 3)
        self.assertIn(self.base + ".lock", self.home.files())

    def test_lock_that_is_held_stops_nobody_who_has_the_token(self):
        """cloudflared keeps its lock while it lives: its second connection, or a second ssh, then
        looks for the token under that lock."""
        token = self.home.plant_token("echo")
        for base in (self.home.token_name("echo"), AUTH_DOMAIN + "-org-token"):
            self.plant_lock(base, self.holder().pid)
        for _ in range(2):
            self.assertEqual(self.echoed("ssh", "--hostname", "echo.example.com"), "")
        result = self.assert_done(self.home.mayfly("login", "--app", "echo.example.com",
                                                   seconds=AT_ONCE))
        self.assertEqual(result.out.decode(), token)


class OwnLock(SharedCase):
    """What cloudflared sees of ours."""

    def start(self):
        running = self.home.start("login", "--no-verbose", "web.example.com")
        return running, running.wait_err(URL).group()

    def test_content_is_what_cloudflared_reads(self):
        running, url = self.start()
        for base in (self.home.token_name("web"), AUTH_DOMAIN + "-org-token"):
            self.assertEqual(self.home.text(base + ".lock"),
                             lock_text(running.pid, start_time_ms(running.pid)), base)
        self.assertEqual(self.home.text(self.home.token_name("web") + ".url").strip(), url)
        self.edge.sign_in(url)
        self.assert_done(running.finish())
        self.assertEqual(self.locks(), [])

    def test_is_gone_however_the_login_ends(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                self.fresh()
                running, _ = self.start()
                running.send(number)
                running.finish(AT_ONCE)
                self.assertEqual(self.locks(), [])

    def test_after_sigkill_the_next_is_not_held_up(self):
        running, _ = self.start()
        running.kill()
        self.assertEqual(len([name for name in self.locks() if name.endswith(".lock")]), 2)
        self.home.install_browser()
        began = time.monotonic()
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com", seconds=AT_ONCE))
        self.assertLess(time.monotonic() - began, AT_ONCE)
        self.assertEqual(self.locks(), [])

    def test_after_sigkill_cloudflared_is_not_held_up(self):
        """Its rule: no such process, or another start time."""
        running, _ = self.start()
        lock = json.loads(self.home.text(self.home.token_name("web") + ".lock"))
        running.kill()
        self.assertFalse(os.path.exists(f"/proc/{lock['pid']}")
                         and start_time_ms(lock["pid"]) == lock["start_time"])

    def test_waiter_leaves_when_somebody_else_stores_the_token(self):
        """Two of ours, and the token comes from a third: both the holder's wait and the lock end."""
        first, url = self.start()
        second, _ = self.start()
        token = self.home.plant_token("web")
        self.assertEqual(self.assert_done(second.finish(AT_ONCE)).out.decode(), token)
        self.edge.sign_in(url)
        self.assert_done(first.finish(AT_ONCE))
        self.assertEqual(self.locks(), [])


class Listener(SharedCase):
    """One process, many connections, more than one login."""

    def start(self):
        running = self.home.start("access", "tcp", "--hostname", "echo.example.com",
                                  "--url", "127.0.0.1:0", stdin=PIPE)
        port = running.wait_err(r"127\.0\.0\.1:([1-9]\d*)").group(1)
        return running, int(port)

    def echo(self, port):
        with socket.create_connection(("127.0.0.1", port), timeout=AT_ONCE) as connection:
            connection.sendall(b"hello")
            self.assertEqual(connection.recv(5, socket.MSG_WAITALL), b"hello")

    def test_second_connection_does_not_stall(self):
        self.home.install_browser()
        running, port = self.start()
        self.echo(port)
        self.assertEqual(self.locks(), [], "a lock that outlives its login")
        self.echo(port)
        self.assertEqual(len(self.home.browsed()), 1)
        running.send(signal.SIGTERM)
        running.finish(AT_ONCE)

    def test_second_login_of_one_process_does_not_wait_for_the_first(self):
        self.home.install_browser()
        running, port = self.start()
        self.echo(port)
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.echo(port)
        self.assertEqual(len(self.home.browsed()), 2)
        self.assertEqual(self.locks(), [])
        running.send(signal.SIGTERM)
        running.finish(AT_ONCE)


class Faults(SharedCase):
    """Faults of cloudflared in a directory that it has used."""

    def test_login_again_after_the_edge_ended_all_sessions(self):
        """It removes the token, logs in again and waits for the lock that it holds itself."""
        self.home.plant_token("web")
        self.home.plant_org_token()
        self.plant_keys()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.home.install_browser()
        result = self.home.mayfly("login", "--app", "web.example.com", seconds=AT_ONCE)
        self.assertEqual(result.code, DONE, result)
        self.assertEqual(self.home.text(self.home.token_name("web")), result.out.decode())

    def test_both_tokens_are_stored_when_the_org_token_was_no_longer_good(self):
        """It writes the org token only when none could be read: extra logins from then on."""
        old = self.home.plant_org_token()
        self.plant_keys()
        self.edge.ask("POST", "/revoke", {"kind": "org"})
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "-q", "web.example.com"))
        self.assertNotEqual(self.home.text(AUTH_DOMAIN + "-org-token"), old)
        self.assert_done(self.home.mayfly("login", "-q", "--batch", "echo.example.com"))
        self.assertEqual(len(self.home.browsed()), 1)

    def test_token_is_printed_offline(self):
        token = self.home.plant_token("web")
        self.plant_keys()
        self.assert_done(self.home.mayfly("login", "--batch", "-q", "web.example.com"))
        result = self.assert_done(self.home.mayfly("token", "web.example.com", env=NOWHERE))
        self.assertEqual((result.out.decode(), result.err), (token, ""))

    def test_expired_token_is_a_failure_of_token(self):
        self.home.plant_token("web", expires_in=-60)
        self.plant_keys()
        result = self.home.mayfly("token", "web.example.com")
        self.assertNotEqual(result.code, DONE)
        self.assertEqual(result.out, b"")

    def test_rejected_token_is_renewed_for_a_certificate(self):
        """The signer's plain `unauthorized` made users delete the directory."""
        old = self.home.plant_token("ssh")
        self.home.plant_org_token()
        self.plant_keys()
        self.edge.ask("POST", "/revoke", {"kind": "app"})
        self.assert_done(self.home.mayfly("ssh-gen", "--batch", "--hostname", "ssh.example.com"))
        self.assertNotEqual(self.home.text(self.home.token_name("ssh")), old)
        asked = self.edge.log(AUTH_DOMAIN, "/cdn-cgi/access/cert_sign")
        self.assertEqual([entry["status"] for entry in asked][-1], 200)
        self.assertLessEqual(len(asked), 2)

    def test_page_in_place_of_the_signers_answer_is_quoted(self):
        self.home.plant_token("ssh")
        self.plant_keys()
        self.edge.fault("cert_sign.html_502")
        result = self.home.mayfly("ssh-gen", "--batch", "--hostname", "ssh.example.com")
        self.assertNotEqual(result.code, DONE)
        self.assertIn("502", result.err)
        self.assertNotIn("invalid character", result.err)
        self.assert_printable(result.err)

    def test_origin_does_not_decide_a_login(self):
        self.home.install_browser()
        self.edge.fault("origin.slow", {"seconds": 20})
        result = self.assert_done(self.home.mayfly("login", "--no-verbose", "web.example.com"))
        self.assertEqual(result.out.decode(), self.home.text(self.home.token_name("web")))

    def test_last_bytes_are_not_lost(self):
        self.home.plant_token("echo")
        self.plant_keys()
        self.echoed("tcp", "--hostname", "echo.example.com", data=os.urandom(1 << 20))

    def test_org_token_is_no_header_of_a_tunnel(self):
        org = self.home.plant_org_token()
        self.home.plant_token("echo")
        self.plant_keys()
        self.echoed("ssh", "--hostname", "echo.example.com")
        for entry in self.edge.log("echo.example.com"):
            self.assertNotIn(org, json.dumps(entry["headers"]))
            self.assertLessEqual(len(header(entry, "Cf-Access-Token")), 1)
