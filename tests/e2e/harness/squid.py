"""Squid, a proxy that asks for a login: a process with its own configuration, directories and port."""
import os
import pwd
import shutil
import socket
import tempfile

from . import programs
from .process import Running
from .waiting import eventually

_TRIES_FOR_A_PORT = 20
HELPERS = "/usr/lib/squid"


class Squid:
    """logins: the auth_param directives, where DIRECTORY stands for the directory of this squid. files: name -> text in
    it. environment: of squid and its helpers."""

    def __init__(self, logins, files=None, environment=None):
        self.directory = tempfile.mkdtemp(prefix="mayfly-squid-")
        for name, text in (files or {}).items():
            with open(self._path(name), "w", encoding="ascii") as file:
                file.write(text)
        self._logins = logins.replace("DIRECTORY", self.directory)
        self._environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(environment or {})}
        self._user = ""
        if os.geteuid() == 0:  # Squid gives up root.
            self._user = "cache_effective_user proxy"
            os.chown(self.directory, pwd.getpwnam("proxy").pw_uid, -1)
            above = os.path.dirname(self.directory)
            os.chmod(above, os.stat(above).st_mode | 0o011)
        for _ in range(_TRIES_FOR_A_PORT):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self._start()
            eventually("squid listens", lambda: self.process.has_ended() or self._is_there())
            if not self.process.has_ended():
                return
        raise AssertionError(f"squid did not start: {self.process.finish()}")

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _start(self):
        with open(self._path("squid.conf"), "w", encoding="ascii") as file:
            file.write(f"""\
http_port 127.0.0.1:{self.port}
{self._user}
pid_filename none
visible_hostname localhost
coredump_dir {self.directory}
cache_log {self.directory}/cache.log
logformat facts %>Hs %un %rm
access_log stdio:{self.directory}/access.log facts
netdb_filename none
cache deny all
memory_cache_shared off
pinger_enable off
shutdown_lifetime 0 seconds
{self._logins}
acl known proxy_auth REQUIRED
http_access allow CONNECT known
http_access deny all
""")
        self.process = Running([programs.system("squid"), "-N", "-f", self._path("squid.conf")],
                               env=self._environment)

    def _is_there(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def users(self):
        """Returns the users whose connections have ended, in their order."""
        try:
            with open(self._path("access.log"), encoding="utf-8") as file:
                return [user for status, user, _ in (line.split() for line in file) if status == "200"]
        except OSError:
            return []

    def stop(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
