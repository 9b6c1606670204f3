"""Accounts of this machine that tests use."""
import os
import pwd
import subprocess


def ordinary_user():
    """Returns the system user mayfly-test (MAYFLY_TEST_USER names another). Root makes it if it is absent."""
    name = os.environ.get("MAYFLY_TEST_USER", "mayfly-test")
    try:
        return pwd.getpwnam(name)
    except KeyError:
        # The user needs a shell, because sshd runs commands with it.
        made = subprocess.run(["/usr/sbin/useradd", "--system", "--no-create-home", "--home-dir",
                               "/nonexistent", "--shell", "/bin/sh", name],
                              capture_output=True, text=True, check=False)
        print(f"# made the system user {name} for tests that must not be root's", flush=True)
    try:
        return pwd.getpwnam(name)  # Another test may have made the user at the same moment.
    except KeyError:
        raise SystemExit(f"cannot make the user {name}: {made.stderr.strip()}") from None
