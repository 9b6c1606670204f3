"""Runs a scenario again and again, each time killed or failed at another of its system calls."""
import contextlib
import dataclasses
import functools
import os
import shutil
import time

from crash_checks import check_nothing_left_over, check_whole, is_temporary, require, ssh_files
from crash_scenarios import SCENARIOS
from harness import injection
from harness.case import FAILED
from harness.home import Home

# seconds. A lock that no process holds is taken over at once; a wait for a holder would take minutes.
AT_ONCE = 20

# A person who signs in within a few milliseconds, because there are thousands of runs.
QUICK_BROWSER = """\
exec 3<>/dev/tcp/127.0.0.1/{port}
printf 'POST /sign-in HTTP/1.1\\r\\nHost: edge\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s' "${{#1}}" "$1" >&3
while read -r line <&3; do :; done
"""


def install_quick_browser(home):
    path = os.path.join(home.bin, "xdg-open")
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/bash\n" + QUICK_BROWSER.format(port=home.edge.facts["control"]))
    os.chmod(path, 0o755)


class Stage:
    """A home that can be reset to the start of the scenario, again and again."""

    FOLDERS = (".cloudflared", ".ssh", "logs")

    def __init__(self, home, scenario):
        self.home, self.scenario = home, scenario
        self.saved = os.path.join(home.path, "saved")
        install_quick_browser(home)
        home.edge.configure(log=False)
        scenario.prepare(home)
        os.mkdir(self.saved)
        self._copy(home.path, self.saved)
        self.before = ssh_files(home)

    def _copy(self, source, target):
        for name in self.FOLDERS:
            shutil.rmtree(os.path.join(target, name), ignore_errors=True)
            if os.path.isdir(os.path.join(source, name)):
                shutil.copytree(os.path.join(source, name), os.path.join(target, name))

    def attempt(self, run):
        """Runs the scenario by `run`, which is run(home, command, meanwhile=..., cwd=...)."""
        self._copy(self.saved, self.home.path)
        self.scenario.before_each(self.home)
        return run(self.home, *self.scenario.arguments, **self._company())

    def _company(self):
        return {"meanwhile": lambda running: self.scenario.meanwhile(self.home, running), "cwd": self.home.path}

    def learn(self, recorded):
        """Records the content of ~/.ssh after a complete run."""
        self.after = ssh_files(self.home)
        require(recorded.code == 0, f"{recorded}")
        self._check_end(recorded)

    def check_interrupted(self):
        check_whole(self.home)
        self.scenario.holds(self.home)
        for name, text in ssh_files(self.home).items():
            if not is_temporary(name):
                require(text in (self.before.get(name), self.after.get(name)), f"~/.ssh/{name} is half written: {text!r}")

    def check_recovery(self):
        """Checks that the next run needs no help, waits for no other process, and leaves nothing over."""
        began = time.monotonic()
        again = self.scenario.again or self.scenario.arguments
        result = injection.run_plain(self.home, *again, seconds=AT_ONCE, **self._company())
        took = time.monotonic() - began
        require(result.code == 0, f"the next run fails: {result}")
        require(took < AT_ONCE, f"the next run took {took:.0f} s")
        self._check_end(result)

    def _check_end(self, result):
        check_whole(self.home)
        self.scenario.holds(self.home)
        check_nothing_left_over(self.home)
        self.scenario.done(self.home, result.out)


# The errors that the kernel may return for each kind of call: a full or broken disk, missing rights, a port in use.
ERRORS = {"write": ("ENOSPC", "EIO"), "fsync": ("EIO", "ENOSPC"), "flock": ("ENOLCK",), "openat": ("EACCES", "ENOSPC", "EROFS"),
          "renameat": ("EACCES", "ENOSPC", "EROFS", "EIO"), "renameat2": ("EACCES", "ENOSPC", "EROFS", "EINVAL"),
          "unlink": ("EACCES", "EROFS"), "unlinkat": ("EACCES", "EROFS"), "mkdir": ("EACCES", "ENOSPC", "EROFS"),
          "fchmod": ("EPERM",), "fchown": ("EPERM", "EIO"), "bind": ("EACCES", "EADDRINUSE"), "listen": ("EADDRINUSE",)}


def errors_that_fit(call):
    """Returns the errors that fit the call. A write to the pipe by which a signal wakes its own program reaches no
    disk."""
    is_to_oneself = call.name == "write" and call.text.partition(", ")[2].startswith('"!", 1)')
    return ERRORS.get(call.name, ()) if call.changes_something and not is_to_oneself else ()


@dataclasses.dataclass
class Tally:
    """The result of a sweep. `broken` has a line for each fault."""
    calls: int = 0
    happened: int = 0
    broken: list = dataclasses.field(default_factory=list)


def check_told(result):
    """Checks that the run succeeded or printed an error; it must neither crash nor be silent."""
    require(0 <= result.code <= 6, f"{result}")
    if result.code:
        # A refusal of the local system needs no hint.
        has_hint = "\nhint: " in result.err or result.code == FAILED
        require("mayfly: error: " in result.err and has_hint, f"no word of it: {result}")


def sweep_kills(edge, name, choose):
    """Kills at each call for which choose(call) is true."""
    with _stage(edge, name) as (stage, calls):
        tally = Tally()
        for call in filter(choose, calls):
            _try(tally, call, stage, functools.partial(injection.kill_at, call))
        return tally


def sweep_errors(edge, name, choose):
    """Fails each call for which choose(call, error) is true, once with each error that fits it."""
    with _stage(edge, name) as (stage, calls):
        tally = Tally()
        for call in calls:
            for error in errors_that_fit(call):
                if choose(call, error):
                    _try(tally, f"{error} from {call}", stage, functools.partial(injection.fail_at, call, error), check_told)
        return tally


def _try(tally, what, stage, run, check=lambda result: None):
    tally.calls += 1
    try:
        injected = stage.attempt(run)
        tally.happened += injected.happened
        check(injected.result)
        stage.check_interrupted()
        stage.check_recovery()
    except AssertionError as error:
        tally.broken.append(f"{what}: {error}")


@contextlib.contextmanager
def _stage(edge, name):
    """Returns a stage, and the calls of a complete run on it."""
    edge.reset()
    home = Home(edge)
    try:
        stage = Stage(home, SCENARIOS[name])
        result, calls = stage.attempt(injection.record)
        stage.learn(result)
        yield stage, calls
    finally:
        home.remove()
