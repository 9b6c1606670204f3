"""A person's home directory, and the commands of mayfly in it."""
import json
import os
import shlex
import shutil
import signal
import stat
import tempfile
import time

from . import programs
from .edge import EMAIL
from .process import GENEROUS, Running, run

# Variables of the sanitizers and similar tools, which pass from the environment of the tests.
_PASSED_ON = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH")
_BROWSER_SETTINGS = ("MAYFLY_CONNECT_TO", "BROWSER_CA", "BROWSER_EMAIL", "BROWSER_TRANSCRIPT",
                     "BROWSER_CERTIFICATE", "BROWSER_DECISION")

LOGOUT_MARK = ".mayfly-logout"
STATE_LOCK = ".mayfly-lock"


class Home:
    """A home whose PATH contains only its own bin, which is empty until a browser is installed there."""

    def __init__(self, edge):
        self.edge = edge
        self.path = tempfile.mkdtemp(prefix="mayfly-home-")
        self.state = os.path.join(self.path, ".cloudflared")
        self.bin = os.path.join(self.path, "bin")
        self.transcript = os.path.join(self.path, "browser.jsonl")
        os.mkdir(self.bin)
        os.mkdir(os.path.join(self.path, ".ssh"), 0o700)
        self.variables = {
            "HOME": self.path, "PATH": self.bin, "LANG": "C.UTF-8", "TMPDIR": self.path,
            "DISPLAY": ":0",  # A browser can open windows here. The browsers of the tests do not use the screen.
            "MAYFLY_CONNECT_TO": edge.connect_to, "SSL_CERT_FILE": edge.ca,
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ}}

    def lock_holder(self, name):
        """Returns the number of the process that holds a lock, or 0."""
        try:
            return json.loads(self.text(name))["pid"]
        except (FileNotFoundError, ValueError):
            return 0

    def end_logins(self):
        """Ends the logins that have outlived their commands."""
        for name in self.files():
            if not name.endswith(".lock"):
                continue
            pid = self.lock_holder(name)
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    if file.read().strip() == os.path.basename(programs.mayfly()):
                        os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def remove(self):
        self.end_logins()
        shutil.rmtree(self.path, ignore_errors=True)

    def environment(self, changes=None):
        """Returns the environment with the changes. None as a value removes a variable, but HOME has to stay:
        without it, mayfly uses the real home of the account."""
        merged = {**self.variables, **(changes or {})}
        assert merged.get("HOME") or merged.get("MAYFLY_HOME"), "a test would use the real home"
        return {name: value for name, value in merged.items() if value is not None}

    def start(self, *arguments, env=None, program=None, **more):
        return Running([*programs.under(), program or programs.mayfly(), *arguments],
                       env=self.environment(env), **more)

    def mayfly(self, *arguments, seconds=GENEROUS, **more):
        return self.start(*arguments, **more).finish(seconds)

    # Browsers

    def script(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def install_browser(self, name="xdg-open", email=EMAIL, certificate=(), decision="approve"):
        """Installs the scripted person, who signs in at once. certificate: the paths of certificate and key. decision:
        "approve" or "deny", the answer to a program that asks for Managed OAuth."""
        settings = {"MAYFLY_CONNECT_TO": self.edge.connect_to, "BROWSER_CA": self.edge.ca,
                    "BROWSER_EMAIL": email, "BROWSER_TRANSCRIPT": self.transcript,
                    "BROWSER_CERTIFICATE": ":".join(certificate), "BROWSER_DECISION": decision}
        assignments = " ".join(f"{key}={shlex.quote(settings[key])}" for key in _BROWSER_SETTINGS)
        command = f"{shlex.quote(programs.PYTHON)} {shlex.quote(programs.BROWSER)}"
        return self.script(name, f'{assignments} exec {command} "$@"\n')

    def install_idle_browser(self, name="xdg-open"):
        """Installs a browser that opens and in which nothing happens."""
        seen = shlex.quote(self.transcript)
        return self.script(name, f'printf \'{{"url":"%s"}}\\n\' "$1" >> {seen}\n')

    def browsed(self):
        """Returns the URLs that the browsers of this home were asked to open, and the results."""
        try:
            with open(self.transcript, encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    # The state directory

    def file(self, name):
        return os.path.join(self.state, name)

    def files(self):
        """Returns the stored files, without the marks of logouts and the lock of the directory."""
        return [name for name in self._names() if not name.startswith((LOGOUT_MARK, STATE_LOCK))]

    def logout_marks(self):
        return [name for name in self._names() if name.startswith(LOGOUT_MARK)]

    def _names(self):
        return sorted(os.listdir(self.state)) if os.path.isdir(self.state) else []

    def read(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def text(self, name):
        return self.read(name).decode("ascii")

    def plant(self, name, content, mode=0o600):
        os.makedirs(self.state, 0o700, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        descriptor = os.open(self.file(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return self.file(name)

    def make_older(self, name, seconds):
        then = time.time() - seconds
        os.utime(self.file(name), (then, then))

    def token_name(self, application):
        config = self.edge.application(application)
        return config["hostname"].replace("/", "-").replace("*", "-") + f"-{config['aud']}-token"

    def plant_token(self, application, **more):
        token = self.edge.mint("app", application, **more)
        self.plant(self.token_name(application), token)
        return token

    def plant_org_token(self, team="acme", **more):
        token = self.edge.mint("org", team=team, **more)
        self.plant(f"{team}.cloudflareaccess.com-org-token", token)
        return token

    def snapshot(self, besides=()):
        """Returns the mode and content of every file of the home. `besides`: endings of file names to leave out."""
        found = {}
        for folder, folders, files in os.walk(self.path):
            for name in folders + files:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, self.path)
                if relative == "browser.jsonl" or relative.endswith(tuple(besides)):
                    continue
                found[relative] = _facts(path)
        return found

    # OpenSSH

    def keygen(self, *arguments):
        result = run([programs.system("ssh-keygen"), *arguments], env=self.environment())
        assert result.code == 0, result
        return result.out.decode()


def _facts(path):
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return (status.st_mode, os.readlink(path))
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            return (status.st_mode, file.read())
    return (status.st_mode, None)
