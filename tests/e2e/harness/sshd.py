"""A real sshd on a free loopback port that trusts the edge's SSH CA, and an ssh that connects to it."""
import os
import re
import shutil
import socket
import tempfile

from . import programs
from .edge import USER
from .process import Running, run
from .waiting import eventually

_TRIES_FOR_A_PORT = 20


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _account_is_locked():
    """Returns whether the account is locked, so that it can log in through PAM only. Only root can find out, and only
    root is affected."""
    try:
        with open("/etc/shadow", encoding="utf-8") as file:
            return any(line.startswith(USER + ":!") for line in file)
    except OSError:
        return False


class Sshd:
    """A real sshd. Without root's rights it accepts only the user who runs it, who is then the user that logs in.
    host_ca: the private key of a CA that certifies the host key for host_name."""

    def __init__(self, ca_public_key, key_type="ed25519", host_ca=None, host_name=None):
        self.directory = tempfile.mkdtemp(prefix="mayfly-sshd-")
        self.log_path = os.path.join(self.directory, "sshd.log")
        host_key = os.path.join(self.directory, "host_key")
        result = run([programs.system("ssh-keygen"), "-q", "-t", key_type, "-N", "", "-C", "host",
                      "-f", host_key], env={"PATH": "/usr/bin:/bin"})
        assert result.code == 0, result
        with open(host_key + ".pub", encoding="ascii") as file:
            self.host_public_key = " ".join(file.read().split()[:2])
        self._certificate = ""
        if host_ca:
            result = run([programs.system("ssh-keygen"), "-q", "-s", host_ca, "-h", "-I", "host", "-n", host_name,
                          host_key + ".pub"], env={"PATH": "/usr/bin:/bin"})
            assert result.code == 0, result
            self._certificate = f"HostCertificate {host_key}-cert.pub\n"
        self.authorized_keys = os.path.join(self.directory, "authorized_keys")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", 0o755, exist_ok=True)  # sshd's privilege separation directory
        self._start(ca_public_key, host_key)

    def _start(self, ca_public_key, host_key):
        for _ in range(_TRIES_FOR_A_PORT):
            self.port = _free_port()
            config = os.path.join(self.directory, "sshd_config")
            with open(config, "w", encoding="utf-8") as file:
                file.write(self._config(ca_public_key, host_key))
            open(self.log_path, "w", encoding="utf-8").close()
            self.process = Running(
                [programs.system("sshd"), "-D", "-f", config, "-E", self.log_path],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
            eventually("sshd listens", lambda: self.process.has_ended() or
                       "Server listening on" in self.log())
            if not self.process.has_ended():
                return
            if "Address already in use" not in self.log():
                break
        raise AssertionError(f"sshd did not start: {self.log()} {self.process.finish()}")

    def _config(self, ca_public_key, host_key):
        pam = "yes" if _account_is_locked() else "no"
        # SHLVL: Debian's bash reads ~/.bashrc for a command that arrives by ssh, but not in a nested shell. The content
        # of that file is not part of a test, and may take longer than the test.
        return f"""\
ListenAddress 127.0.0.1
Port {self.port}
HostKey {host_key}
TrustedUserCAKeys {ca_public_key}
AuthorizedKeysFile {self.authorized_keys}
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM {pam}
PidFile none
PrintMotd no
MaxStartups 100
LogLevel VERBOSE
SetEnv SHLVL=2
Subsystem sftp internal-sftp
{self._certificate}"""

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, pattern):
        return eventually(f"sshd's log matches {pattern!r}", lambda: re.search(pattern, self.log()))

    def stop(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def client_config(block, host, server, folder):
    """Writes an ssh_config with the block that mayfly printed, independent of the configuration of the user who runs
    the tests."""
    known_hosts = os.path.join(folder, "known_hosts")
    with open(known_hosts, "w", encoding="ascii") as file:
        file.write(f"{host} {server.host_public_key}\n")
    path = os.path.join(folder, "ssh_config")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""{block}
Host *
  User {USER}
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  IdentitiesOnly yes
  IdentityAgent none
  PreferredAuthentications publickey
  BatchMode yes
  ControlPath none
  ConnectTimeout 60
""")
    return path
