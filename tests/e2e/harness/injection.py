"""A program killed, or told of an error, at one of its system calls: strace does it."""
import contextlib
import dataclasses
import os
import re
import signal

from . import memory, programs
from .process import GENEROUS, Running

_LINE = re.compile(r"^([a-z_0-9]+)\((.*)")
# strace counts calls before these, too, but what happens in them cannot be told apart.
_UNTOUCHED = ("exit_group",)
_CHANGES = re.compile(r"^(write|pwrite64|writev|fsync|fdatasync|rename|renameat|renameat2|link|linkat|symlink|symlinkat|unlink"
                      r"|unlinkat|mkdir|mkdirat|flock|ftruncate|chmod|fchmod|fchmodat|fchown|bind|listen)$")


@dataclasses.dataclass(frozen=True)
class Call:
    """The occurrence-th call of that name in a run, counted from 1."""
    name: str
    occurrence: int
    text: str

    @property
    def changes_something(self):
        return bool(_CHANGES.match(self.name)) or (self.name == "openat" and "O_CREAT" in self.text)

    def __str__(self):
        return f"{self.name} no. {self.occurrence} ({self.text[:90]})"


def _strace(home, *options):
    """Only the program itself is traced: what it starts goes on as it likes."""
    return [programs.system("strace"), "-qq", "-o", os.path.join(home.path, "strace.log"), *options]


def terminate(running):
    """The program itself, if it has not ended: strace would keep the signal."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        is_traced = memory.name_of(running.pid) == "strace"
        for pid in memory.children_of(running.pid) if is_traced else [running.pid]:
            os.kill(pid, signal.SIGTERM)


def _environment(home):
    # The leak checker traces its own process, which only one can.
    options = ":".join(filter(None, (home.variables.get("ASAN_OPTIONS"), "detect_leaks=0")))
    return home.environment({"ASAN_OPTIONS": options})


def _alone(_running):
    """Nobody else has to do with it."""
    return b""


def _finished(running, meanwhile, seconds=GENEROUS):
    """What came out, and then what came to whoever had to do with it meanwhile."""
    heard = meanwhile(running)
    result = running.finish(seconds)
    result.out += heard
    return result


def run_plain(home, *arguments, meanwhile=_alone, seconds=GENEROUS, **more):
    """A run in which nothing happens."""
    return _finished(home.start(*arguments, **more), meanwhile, seconds)


def record(home, *arguments, meanwhile=_alone, **more):
    """The result of a whole run, and its system calls in their order."""
    running = Running([*_strace(home), programs.mayfly(), *arguments], env=_environment(home), **more)
    result = _finished(running, meanwhile)
    with open(os.path.join(home.path, "strace.log"), encoding="utf-8", errors="replace") as file:
        return result, calls_of(list(file)[1:])


def calls_of(lines):
    """Up to where it becomes another program."""
    seen, calls = {}, []
    for line in lines:
        if line.startswith("execve("):
            break
        found = _LINE.match(line)
        if not found or found.group(1) in _UNTOUCHED:
            continue
        name = found.group(1)
        seen[name] = seen.get(name, 0) + 1
        calls.append(Call(name, seen[name], found.group(2).rstrip()))
    return calls


@dataclasses.dataclass
class Injected:
    result: object
    happened: bool  # a run may take another way, and not come to that call


def kill_at(call, home, *arguments, **more):
    """SIGKILL as the program enters the call: all before it has happened, and the call has not."""
    result = _run(home, call, "signal=KILL", arguments, **more)
    return Injected(result, result.code == -9)


def fail_at(call, error, home, *arguments, **more):
    """The call is not made, and answers with the error."""
    result = _run(home, call, f"error={error}", arguments, **more)
    with open(os.path.join(home.path, "strace.log"), encoding="utf-8", errors="replace") as file:
        return Injected(result, "(INJECTED)" in file.read())


def options(call, effect):
    """strace's: each process has its own count."""
    return ("-e", f"trace={call.name}", "-e", f"inject={call.name}:{effect}:when={call.occurrence}")


def _run(home, call, effect, arguments, *, meanwhile=_alone, seconds=GENEROUS, **more):
    running = Running([*_strace(home, *options(call, effect)), programs.mayfly(), *arguments], env=_environment(home), **more)
    return _finished(running, meanwhile, seconds)
