"""One state directory for two programs: files that cloudflared stored, and faults of cloudflared that must not appear.

Each row is a fault that users of cloudflared see, and the test that shows that mayfly does not have it:

| login hangs on its own lock | Faults.test_login_again_after_the_edge_ended_all_sessions |
| a second ssh or connection stalls though the token is there | Listener, test_sharing_locks.ForeignLock.test_held_lock_stops_no_process_that_has_the_token |
| lock files of dead processes stop everything | test_sharing_locks.ForeignLock.test_stale_locks_stop_no_process, OwnLock.test_after_sigkill_the_next_is_not_held_up |
| a new org token is not saved | Faults.test_both_tokens_are_stored_when_the_org_token_was_no_longer_good |
| a rejected service token opens a browser | test_service_token: test_refused_is_the_end, test_refused_within_a_second_of_the_answer |
| ssh-gen takes no service token; the signer's refusal | test_service_token: test_certificate_for_a_machine, test_words_of_its_refusal |
| `invalid character 'u'` | Faults.test_page_in_place_of_the_signers_answer_is_quoted, test_rejected_token_is_renewed_for_a_certificate |
| token needs the network, and exits with 0 when expired | Faults.test_token_is_printed_offline, test_expired_token_is_a_failure_of_token |
| login fails when the origin is slow | Faults.test_origin_does_not_decide_a_login |
| connections for each Match exec and ssh | test_ssh.Ssh.test_second_time_needs_no_login_and_no_signature |
| one P-256 key is kept for ever, without an agent | Stored.test_key_is_not_kept_beyond_its_certificate, test_ssh_gen |
| the last bytes are lost when stdin ends first; a cut exits with 0 | Faults.test_last_bytes_are_not_lost, test_tunnel.Ends.test_abnormal_close_codes |
"""
import json
import os
import signal
import socket

from harness.case import DONE, NOWHERE
from harness.edge import header
from harness.process import PIPE
from harness.shared_case import AT_ONCE, AUTH_DOMAIN, KEY, SharedCase


class Stored(SharedCase):
    """mayfly uses files that cloudflared wrote, with its names and in its formats."""

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
        # If mayfly only looks for the .pub, it must find the one that belongs to the key.
        from_private = self.home.keygen("-y", "-f", self.home.file(KEY))
        self.assertEqual(from_private.split()[:2], self.home.text(KEY + ".pub").split()[:2])

    def test_tunnel(self):
        self.home.plant_token("echo")
        self.plant_keys()
        self.echoed("access", "ssh", "--hostname", "echo.example.com", "--batch")

    def test_each_others_formats(self):
        """cloudflared could read these formats: a bare JWT, a key set, an authorized_keys line."""
        self.home.install_browser()
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com"))
        for name in (self.home.token_name("ssh"), AUTH_DOMAIN + "-org-token"):
            self.assertRegex(self.home.text(name), r"\A[\w-]+\.[\w-]+\.[\w-]+\Z")
        key, *_ = json.loads(self.home.text(AUTH_DOMAIN + "-jwks"))["keys"]
        self.assertEqual({name: type(key[name]) for name in ("kty", "kid", "n", "e")},
                         {name: str for name in ("kty", "kid", "n", "e")})
        self.assertRegex(self.home.text(KEY + ".pub"), r"\Aecdsa-sha2-nistp256 \S+\n\Z")


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
        """cloudflared removes the token, logs in again and waits for the lock that it holds itself."""
        self.home.plant_token("web")
        self.home.plant_org_token()
        self.plant_keys()
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.home.install_browser()
        result = self.home.mayfly("login", "--app", "web.example.com", seconds=AT_ONCE)
        self.assertEqual(result.code, DONE, result)
        self.assertEqual(self.home.text(self.home.token_name("web")), result.out.decode())

    def test_both_tokens_are_stored_when_the_org_token_was_no_longer_good(self):
        """cloudflared writes the org token only if it could read none, which causes additional logins from then on."""
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
        """The plain `unauthorized` of the signer made users delete the directory."""
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
