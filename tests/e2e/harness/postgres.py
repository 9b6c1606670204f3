"""A PostgreSQL server of its own, with its own directory and port."""
import glob
import os
import shutil
import tempfile

from . import programs
from .process import Running, run
from .waiting import eventually

USER = "tester"
NOBODY = 65534  # PostgreSQL refuses to run as root.


class Postgres:
    """Listens at 127.0.0.1:port."""

    def __init__(self, port):
        self.port = port
        self.directory = tempfile.mkdtemp(prefix="mayfly-postgres-")
        self._as_nobody = []
        if os.geteuid() == 0:
            self._open_way()
            os.chown(self.directory, NOBODY, NOBODY)
            self._as_nobody = [programs.system("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        made = self._run("initdb", "-D", self.directory, "-U", USER, "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
        if made.code != 0:
            raise AssertionError(made)
        self.process = Running(
            [*self._as_nobody, self._program("postgres"), "-D", self.directory, "-p", port, "-c", "listen_addresses=127.0.0.1",
             "-c", "unix_socket_directories=", "-c", "fsync=off"], env=self._environment(), cwd="/")
        eventually("PostgreSQL listens", lambda: self.process.has_ended() or self.psql("-c", "SELECT 1").code == 0)
        if self.process.has_ended():
            raise AssertionError(self.process.finish())

    def _open_way(self):
        """Lets the other user through the directory of this test run, which is its owner's alone."""
        above = os.path.dirname(self.directory)
        if os.stat(above).st_mode & 0o077 == 0:
            os.chmod(above, 0o711)

    def psql_words(self, *words, port=None):
        return [self._program("psql"), "-X", "-q", "-h", "127.0.0.1", "-p", port or self.port, "-U", USER, "-d", "postgres",
                "-v", "ON_ERROR_STOP=1", *words]

    def psql(self, *words):
        """Runs psql with a connection of its own to the server, without a tunnel. Returns the result."""
        return run(self.psql_words(*words), env=self._environment(), cwd="/")

    def stop(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, name, *words):
        return run([*self._as_nobody, self._program(name), *words], env=self._environment(), cwd="/")

    @staticmethod
    def _program(name):
        """Debian keeps the programs of the server outside of PATH, and puts a script before psql."""
        found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
        return found[-1] if found else programs.system(name)

    def _environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": self.directory, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "60"}
