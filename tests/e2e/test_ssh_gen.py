"""mayfly access ssh-gen: the key, the certificate, and certificates that it refuses."""
import os
import re

from harness.case import CACHES, FAILED, LOGIN_NEEDED, NETWORK, PROTOCOL, REFUSED, USAGE, EdgeCase
from harness.edge import USER

KEY = "ssh.example.com-cf_key"
FILES = (KEY, KEY + ".pub", KEY + "-cert.pub")


class SshGen(EdgeCase):
    def setUp(self):
        super().setUp()
        self.home.install_browser()

    def generate(self, *flags, **more):
        return self.home.mayfly("access", "ssh-gen", "--hostname", "ssh.example.com", *flags, **more)

    def certificate(self, name=KEY):
        return self.home.keygen("-L", "-f", self.home.file(name + "-cert.pub"))

    def test_makes_key_and_certificate(self):
        self.assert_done(self.generate())
        shown = self.certificate()
        self.assertRegex(shown, r"Type: ecdsa-sha2-nistp256-cert-v01@openssh.com user certificate")
        self.assertRegex(shown, rf"Principals:\s+{re.escape(USER)}\s")
        from_private = self.home.keygen("-y", "-f", self.home.file(KEY))
        self.assertEqual(from_private.split()[:2], self.home.text(KEY + ".pub").split()[:2])
        fingerprint = self.home.keygen("-l", "-f", self.home.file(KEY + ".pub")).split()[1]
        self.assertIn(fingerprint, shown)

    def test_ed25519(self):
        self.assert_done(self.generate("--key-type", "ed25519"))
        self.assertIn("ssh-ed25519-cert-v01@openssh.com user certificate", self.certificate())
        self.assertTrue(self.home.text(KEY).startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n"))
        from_private = self.home.keygen("-y", "-f", self.home.file(KEY))
        self.assertEqual(from_private.split()[:2], self.home.text(KEY + ".pub").split()[:2])
        self.assert_done(self.generate())
        self.assertIn("ssh-ed25519", self.certificate(), "a valid one is not replaced when no type is asked for")

    def test_valid_certificate_of_another_key_type_does_not_count(self):
        for first, second, kind in (("ecdsa", "ed25519", "ssh-ed25519-cert"),
                                    ("ed25519", "ecdsa", "ecdsa-sha2-nistp256-cert")):
            with self.subTest(second):
                self.assert_done(self.generate("--force", "--key-type", first))
                self.assertEqual(self.generate("--check", "--key-type", second).code, 1)
                self.assert_done(self.generate("--check", "--key-type", first))
                self.assert_done(self.generate("--key-type", second))
                self.assertIn(kind, self.certificate())
                seen = len(self.edge.log())
                self.assert_done(self.generate("--key-type", second))
                self.assertEqual(len(self.edge.log()), seen)

    def test_by_its_url(self):
        """A "/" alone is not a path, and the block for ssh names the key by the host."""
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "https://SSH.example.com/"))
        self.assertLessEqual(set(FILES), set(self.home.files()))
        self.assert_done(self.generate("--check"))

    def test_silent(self):
        self.home.plant_token("ssh")
        result = self.assert_done(self.generate())
        self.assertEqual((result.out, result.err), (b"", ""))

    def test_with_and_without_access(self):
        for before in ([], ["access"], ["forward"]):
            for flags in (["--hostname", "ssh.example.com"], ["--hostname=ssh.example.com"],
                          ["-hostname", "ssh.example.com"], ["-hostname=ssh.example.com"]):
                with self.subTest(before=before, flags=flags):
                    self.assert_done(self.home.mayfly(*before, "ssh-gen", *flags))

    def test_without_a_host(self):
        self.assert_error(self.home.mayfly("ssh-gen"), USAGE, "hostname")

    def test_valid_certificate_needs_no_network(self):
        self.assert_done(self.generate())
        before, seen = self.home.snapshot(), len(self.edge.log())
        result = self.assert_done(self.generate(env={"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"}))
        self.assertEqual((result.out, result.err), (b"", ""))
        self.assert_done(self.generate())
        self.assertEqual(len(self.edge.log()), seen)
        self.assert_unchanged(before)

    def plant_expired(self):
        self.assert_done(self.generate())
        self.edge.sign_key(self.home.file(KEY + ".pub"), "-I", "old", "-n", USER,
                           "-V", "20200101:20200102")

    def test_ended_certificate_is_renewed_with_a_new_key(self):
        self.plant_expired()
        old = self.home.read(KEY)
        self.assert_done(self.generate())
        self.assertNotEqual(self.home.read(KEY), old)
        self.assertEqual(self.edge.stats()["signatures"], 2)
        self.assertNotIn("2020-01-02", self.certificate())

    def test_check(self):
        def check():
            return self.generate("--check", env={"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"})
        result = check()
        self.assertEqual((result.code, result.out), (1, b""), result)
        self.assertFalse(os.path.exists(self.home.state), "a check makes no directory")
        self.assert_done(self.generate())
        before = self.home.snapshot()
        self.assert_done(check())
        self.plant_expired_keeping(before)
        self.assertEqual(check().code, 1)

    def plant_expired_keeping(self, before):
        self.assert_unchanged(before)
        self.edge.sign_key(self.home.file(KEY + ".pub"), "-I", "old", "-n", USER,
                           "-V", "20200101:20200102")

    def test_force(self):
        self.assert_done(self.generate())
        old = self.home.read(KEY)
        self.assert_done(self.generate("--force"))
        self.assertNotEqual(self.home.read(KEY), old)

    def test_parts_that_do_not_belong_together_are_made_again(self):
        for name, content in [(KEY, None), (KEY + ".pub", None), (KEY + "-cert.pub", None),
                              (KEY, "garbage"), (KEY + ".pub", "ssh-rsa AAAA"),
                              (KEY + "-cert.pub", "garbage\n")]:
            with self.subTest(name=name, content=content):
                self.assert_done(self.generate("--force"))
                if content is None:
                    os.unlink(self.home.file(name))
                else:
                    self.home.plant(name, content)
                self.assert_done(self.generate())
                self.assertIn(USER, self.certificate())
                from_private = self.home.keygen("-y", "-f", self.home.file(KEY))
                self.assertEqual(from_private.split()[:2], self.home.text(KEY + ".pub").split()[:2])

    def test_host_with_a_path(self):
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "tools.example.com/admin"))
        self.assertTrue({f"tools.example.com-admin-cf_key{end}" for end in ("", ".pub", "-cert.pub")}
                        <= set(self.home.files()))

    def test_request_to_the_signer(self):
        self.assert_done(self.generate())
        request, = self.edge.log("acme.cloudflareaccess.com", "/cdn-cgi/access/cert_sign")
        self.assertEqual(request["method"], "POST")
        for part in ('"public_key":"ecdsa-sha2-nistp256 ', '"jwt":"', '"issuer":'):
            self.assertIn(part, request["body"].replace('": "', '":"'))

    def test_login_that_may_not_be(self):
        before = self.home.snapshot(CACHES)
        self.assert_error(self.generate("--batch"), LOGIN_NEEDED)
        self.assert_unchanged(before, besides=CACHES)

    def test_no_application(self):
        self.edge.application("ssh", policy="none")
        self.assert_error(self.generate(), FAILED, "ssh.example.com", "no Access application")

    def test_many_at_once_make_one_certificate(self):
        running = [self.home.start("ssh-gen", "--hostname", "ssh.example.com") for _ in range(6)]
        for one in running:
            self.assert_done(one.finish())
        self.assertEqual(self.edge.stats()["signatures"], 1)
        self.assertEqual(len(self.home.browsed()), 1)


class Signer(EdgeCase):
    """Answers of the signer that must not be used: no file of key or certificate changes."""

    def setUp(self):
        super().setUp()
        self.prepare()

    def prepare(self):
        self.home.plant_token("ssh")
        self.home.mayfly("login", "--batch", "-q", "ssh.example.com")

    def refused(self, fault, code, *words, value=True):
        with self.subTest(fault):
            self.fresh()
            self.prepare()
            self.edge.fault("cert_sign." + fault, value)
            before = self.home.snapshot(CACHES)
            result = self.home.mayfly("ssh-gen", "--batch", "--hostname", "ssh.example.com")
            self.assert_error(result, code, *words)
            self.assert_unchanged(before, besides=CACHES)
            self.assertFalse(set(FILES) & set(self.home.files()))

    def test_certificates_that_must_not_be_used(self):
        for fault in ("foreign_key", "expired", "not_yet_valid", "host_certificate",
                      "extra_critical_option", "no_principals", "bad_signature", "trailing_garbage",
                      "two_lines", "huge"):
            self.refused(fault, PROTOCOL)

    def test_answers_that_are_no_certificate(self):
        for fault in ("empty", "garbage"):
            self.refused(fault, PROTOCOL)
        self.refused("html_502", NETWORK, "502")

    def test_refusals(self):
        # mayfly drops a rejected token and may fail to get a new one; nothing else changes.
        for fault in ("401", "403"):
            with self.subTest(fault):
                self.fresh()
                self.prepare()
                self.edge.fault("cert_sign." + fault)
                result = self.home.mayfly("ssh-gen", "--batch", "--hostname", "ssh.example.com")
                self.assertIn(result.code, (REFUSED, LOGIN_NEEDED), result)
                self.assert_error(result, result.code)
                self.assertFalse(set(FILES) & set(self.home.files()))

    def test_refusal_of_a_fresh_token_is_final_and_quoted(self):
        for fault, word in (("401", "unauthorized"), ("403", "unauthorized")):
            with self.subTest(fault):
                self.fresh()
                self.home.install_browser()
                self.edge.fault("cert_sign." + fault)
                result = self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com")
                self.assertEqual(result.code, REFUSED, result)
                self.assertIn(word, result.err.lower())
                self.assertIn("hint: ", result.err)
                self.assertLessEqual(len(self.edge.log(path="/cdn-cgi/access/cert_sign")), 2)

    def test_words_of_the_signer_are_shown(self):
        self.home.install_browser()
        self.edge.fault("cert_sign.json_error", {"value": "certificate signing is not enabled here"})
        result = self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com")
        self.assertIn("certificate signing is not enabled here", result.err)
        self.assertIn(result.code, (REFUSED, PROTOCOL))

    def test_control_characters_are_not(self):
        self.home.install_browser()
        self.edge.fault("cert_sign.control_characters")
        result = self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com")
        self.assertNotEqual(result.code, 0)
        self.assert_printable(result.err)

    def test_bad_answer_changes_no_file(self):
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com"))
        before = self.home.snapshot()
        self.edge.fault("cert_sign.foreign_key")
        result = self.home.mayfly("ssh-gen", "--force", "--hostname", "ssh.example.com")
        self.assert_error(result, PROTOCOL)
        self.assert_unchanged(before, besides=CACHES)

    def test_token_the_signer_rejects_is_renewed_once(self):
        self.home.plant_org_token()
        self.edge.fault("cert_sign.403", 1)
        self.assert_done(self.home.mayfly("ssh-gen", "--batch", "--hostname", "ssh.example.com"))
        stats = self.edge.stats()
        self.assertEqual((stats["exchanges"], stats["signatures"]), (1, 1))

    def test_token_goes_to_its_own_issuer_only(self):
        self.home.plant_token("ssh", claims={"iss": "https://evil.cloudflareaccess.com"})
        result = self.home.mayfly("ssh-gen", "--batch", "--hostname", "ssh.example.com")
        self.assertIn(result.code, (LOGIN_NEEDED, PROTOCOL))
        self.assert_error(result, result.code)
        self.assertEqual(self.edge.stats()["signatures"], 0)
        self.assertNotIn("evil.cloudflareaccess.com", self.edge.hosts())
        self.assertEqual(self.edge.log(path="/cdn-cgi/access/cert_sign"), [])
