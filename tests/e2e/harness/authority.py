"""A certificate authority for client certificates, made with the openssl command."""
import datetime
import os
import shutil
import tempfile

from . import programs
from .process import run

_CONFIG = """\
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = names
unique_subject = no
[names]
organizationName = optional
commonName = supplied
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[device]
basicConstraints = CA:false
extendedKeyUsage = clientAuth
"""
_EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Makes NAME.pem and NAME.key in a directory of its own. days: (first, last), relative to today."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="mayfly-ca-")
        self.write("ca.cnf", _CONFIG)
        self.write("index.txt", "")
        self.write("serial", "01\n")

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        with open(self.path(name), encoding="ascii") as file:
            return file.read()

    def write(self, name, text):
        """Writes the file under another name and renames it, as a renewal does. Only the owner can read it."""
        descriptor = os.open(self.path(name + ".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        os.rename(self.path(name + ".new"), self.path(name))
        return self.path(name)

    def openssl(self, *arguments):
        result = run([programs.system("openssl"), *arguments], env={"PATH": "/usr/bin:/bin"},
                     cwd=self.directory, umask=0o077)
        assert result.code == 0, result
        return result.out

    def root(self, name):
        self.openssl("req", "-config", "ca.cnf", "-x509", *_EC_KEY, "-extensions", "authority",
                     "-subj", f"/O=Example devices/CN={name}", "-days", "10",
                     "-keyout", name + ".key", "-out", name + ".pem")
        return self.read(name + ".pem")

    def intermediate(self, name, issuer, days=(-10, 10)):
        return self._issue(name, issuer, "authority", days)

    def device(self, name, issuer, days=(-1, 10)):
        return self._issue(name, issuer, "device", days)

    def _issue(self, name, issuer, extensions, days):
        self.openssl("req", "-config", "ca.cnf", "-new", *_EC_KEY, "-subj",
                     f"/O=Example devices/CN={name}", "-keyout", name + ".key", "-out", name + ".csr")
        self.sign(name, issuer, extensions, days)
        return self.read(name + ".pem")

    def server(self, name, issuer, alternatives, days=(-1, 10)):
        """Makes a server certificate. alternatives: "DNS:a.example.com,IP:127.0.0.1"."""
        self.write(name + ".cnf", "[server]\nbasicConstraints = CA:false\nextendedKeyUsage = serverAuth\n"
                                  f"subjectAltName = {alternatives}\n")
        self.openssl("req", "-config", "ca.cnf", "-new", *_EC_KEY, "-subj", f"/CN={name}", "-keyout", name + ".key",
                     "-out", name + ".csr")
        self.sign(name, issuer, "server", days, "-extfile", name + ".cnf")

    def sign(self, name, issuer, extensions="device", days=(-1, 10), *more):
        """Makes NAME.pem from NAME.csr."""
        today = datetime.datetime.now(datetime.timezone.utc)
        first, last = ((today + datetime.timedelta(n)).strftime("%Y%m%d%H%M%SZ") for n in days)
        self.openssl("ca", "-config", "ca.cnf", "-batch", "-notext", "-preserveDN",
                     "-cert", issuer + ".pem", "-keyfile", issuer + ".key", "-in", name + ".csr",
                     "-out", name + ".pem", "-extensions", extensions, "-startdate", first,
                     "-enddate", last, *more)

    def flags(self, name):
        return ("--cert", self.path(name + ".pem"), "--key", self.path(name + ".key"))
