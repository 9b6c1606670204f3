"""A Kerberos realm: a KDC of MIT's with its own configuration, directory and port."""
import os
import shutil
import socket
import tempfile

from . import programs
from .process import Running, run
from .waiting import eventually

_TRIES_FOR_A_PORT = 20
REALM, PASSWORD = "EXAMPLE.COM", "s3cret"


class Realm:
    """environment: what a program needs to be in the realm. The tickets of `alice` come by log_in()."""

    def __init__(self, service):
        self.directory = tempfile.mkdtemp(prefix="mayfly-kdc-")
        os.chmod(self.directory, 0o755)  # Squid reads the configuration and the key as a user of its own.
        self.keytab = self._path("service.keytab")
        for _ in range(_TRIES_FOR_A_PORT):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self._configure()
            if not os.path.exists(self._path("principal")):
                self._make(service)
            self.process = Running([programs.system("krb5kdc"), "-n"], env=self._environment())
            eventually("the KDC listens", lambda: self.process.has_ended() or self._is_there())
            if not self.process.has_ended():
                return
        raise AssertionError(f"the KDC did not start: {self.process.finish()}")

    @property
    def environment(self):
        return {"KRB5_CONFIG": self._path("krb5.conf"), "KRB5CCNAME": "FILE:" + self._path("tickets")}

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KRB5_KDC_PROFILE": self._path("kdc.conf"), **self.environment}

    def _configure(self):
        with open(self._path("krb5.conf"), "w", encoding="ascii") as file:
            file.write(f"""\
[libdefaults]
  default_realm = {REALM}
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  {REALM} = {{
    kdc = 127.0.0.1:{self.port}
  }}
[domain_realm]
  localhost = {REALM}
[logging]
  kdc = FILE:{self._path("kdc.log")}
""")
        with open(self._path("kdc.conf"), "w", encoding="ascii") as file:
            file.write(f"""\
[kdcdefaults]
  kdc_listen = 127.0.0.1:{self.port}
  kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
  {REALM} = {{
    database_name = {self._path("principal")}
    key_stash_file = {self._path("stash")}
    acl_file = {self._path("acl")}
  }}
""")

    def _make(self, service):
        for words in ([programs.system("kdb5_util"), "create", "-s", "-P", "master"],
                      [programs.system("kadmin.local"), "addprinc", "-pw", PASSWORD, "alice"],
                      [programs.system("kadmin.local"), "addprinc", "-randkey", service],
                      [programs.system("kadmin.local"), "ktadd", "-k", self.keytab, service]):
            made = run(words, env=self._environment())
            assert made.code == 0, made
        os.chmod(self.keytab, 0o644)

    def _is_there(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def log_in(self):
        done = run([programs.system("kinit"), "alice"], env=self._environment(), stdin=PASSWORD.encode() + b"\n")
        assert done.code == 0, done

    def stop(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
