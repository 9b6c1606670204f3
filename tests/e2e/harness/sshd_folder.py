"""A folder like /etc/ssh, which only root can write, with an sshd_config for mayfly to edit."""
import os
import shutil
import stat
import tempfile

from . import programs
from .process import run

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def keygen(*arguments):
    result = run([programs.system("ssh-keygen"), "-q", "-N", "", *arguments], env=ENVIRONMENT)
    assert result.code == 0, result


class SshdFolder:
    """`include` stands for its Include line. Not in the directory of other temporary files: sshd takes principals only
    from folders that nobody but root can write, up to the root directory."""

    def __init__(self, path=None):
        if path is None:
            path = tempfile.mkdtemp(prefix="mayfly-sshd-", dir="/run" if os.geteuid() == 0 else None)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)
        self.path = path
        self.config, self.drop_ins = self.file("sshd_config"), self.file("sshd_config.d")
        self.drop_in, self.ca = self.file("sshd_config.d/mayfly.conf"), self.file("mayfly_ca.pub")
        self.include = f"Include {self.drop_ins}/*.conf\n"
        os.mkdir(self.drop_ins, 0o755)
        keygen("-t", "ed25519", "-f", self.file("host_key"))
        self.head = f"HostKey {self.file('host_key')}\nPidFile none\n"
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", 0o755, exist_ok=True)  # sshd's privilege separation directory

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def put(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.file(name)

    def configure(self, text):
        """Writes sshd_config: the host key and then the text."""
        return self.put("sshd_config", self.head + text)

    def read(self, name):
        with open(self.file(name), encoding="utf-8") as file:
            return file.read()

    def snapshot(self):
        """Returns mode, owner and content of every file and folder."""
        found = {}
        for folder, folders, files in os.walk(self.path):
            for name in folders + files:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                content = None
                if stat.S_ISLNK(status.st_mode):
                    content = os.readlink(path)
                elif stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as file:
                        content = file.read()
                found[os.path.relpath(path, self.path)] = (status.st_mode, status.st_uid, status.st_gid, content)
        return found

    def test(self):
        """Returns the result of sshd -t."""
        return run([programs.system("sshd"), "-t", "-f", self.config], env=ENVIRONMENT)

    def setting(self, keyword, user=""):
        """Returns what sshd -T says for that user, or outside of every Match."""
        words = ["-C", f"user={user},host=localhost,addr=127.0.0.1"] if user else []
        result = run([programs.system("sshd"), "-T", "-f", self.config, *words], env=ENVIRONMENT)
        assert result.code == 0, result
        lines = [line.split(" ", 1) for line in result.out.decode().splitlines() if " " in line]
        return dict(lines)[keyword.lower()]
