"""The test case of all tests that look for secrets: the secrets of a run, and the places where they must not be."""
import base64
import os
import re
import unittest
import urllib.parse

from . import programs
from .authority import Authority
from .case import EdgeCase
from .process import run
from .visit import add_bastion

ID, SECRET = "0123456789abcdef0123456789abcdef.access", "5ecre7-0f-7he-5ervice-70ken-in-this-run"
PASSWORD = "the password of the certificate's key"


def as_root(reason):
    return unittest.skipUnless(os.geteuid() == 0, reason)


class SecretsCase(EdgeCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        cls.ca.root("root")
        cls.ca.device("device", "root")
        cls.ca.openssl("pkcs8", "-topk8", "-in", "device.key", "-out", "locked.key", "-v2", "aes256",
                       "-passout", "pass:" + PASSWORD)
        cls.ca.write("password", PASSWORD + "\n")
        cls.locked = ("--cert", cls.ca.path("device.pem"), "--key", cls.ca.path("locked.key"),
                      "--cert-password-file", cls.ca.path("password"))

    def setUp(self):
        super().setUp()
        self.home.install_browser()
        self.secrets = {"service secret": SECRET.encode(), "key password": PASSWORD.encode()}
        self.service = ("--service-token-id", ID, "--service-token-secret-file", self.home.plant("../secret", SECRET + "\n"))
        add_bastion(self.edge)
        for name in ("echo", "ssh", "web", "bastion"):
            self.edge.application(name, service_tokens=[{"id": ID, "secret": SECRET}],
                                  certificate={"service_principals": ["deploy"]})

    def learn(self):
        """Collects the secrets that are on disk by now. The signature of a token alone does not help an attacker, but
        shows a leak."""
        for name in self.home.files():
            content = self.home.read(name).strip()
            if name.endswith("-token"):
                self.secrets[f"token {name} {len(self.secrets)}"] = content
                self.secrets[f"signature {name} {len(self.secrets)}"] = content.rpartition(b".")[2]
            if name.endswith("-cf_key"):
                lines = content.splitlines()[1:-1]
                self.secrets[f"private key {len(self.secrets)}"] = lines[0]
                self.secrets[f"private key as bytes {len(self.secrets)}"] = self.private_number(name)

    def private_number(self, name):
        # In openssh's format (PROTOCOL.key) the seed stands before the public half.
        if b"OPENSSH" in self.home.read(name):
            blob = base64.b64decode(b"".join(self.home.read(name).splitlines()[1:-1]))
            public = base64.b64decode(self.home.text(name + ".pub").split()[1])[-32:]
            return blob[blob.rindex(public) - 32:blob.rindex(public)]
        shown = run([programs.system("openssl"), "pkey", "-in", self.home.file(name), "-noout", "-text"],
                    env={"PATH": "/usr/bin:/bin"}).out.decode()
        number = re.search(r"priv:\n((?:\s+[0-9a-f:]+\n)+)", shown).group(1)
        return bytes.fromhex(re.sub(r"[\s:]", "", number))[-32:]

    def assert_without_secrets(self, where, content):
        for name, secret in self.secrets.items():
            for form in (secret, base64.b64encode(secret), urllib.parse.quote(secret).encode()):
                self.assertNotIn(form, content, f"{name} in {where}")
