"""Kills a program, or makes it receive an error, at one of its system calls, with strace."""
import contextlib
import dataclasses
import os
import re
import signal

from . import memory, programs
from .process import GENEROUS, Running

_LINE = re.compile(r"^([a-z_0-9]+)\((.*)")
# strace counts calls before these too, but their effects cannot be told apart.
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
    """strace follows only the program itself, and not the programs that it starts."""
    return [programs.system("strace"), "-qq", "-o", os.path.join(home.path, "strace.log"), *options]


def terminate(running):
    """Sends the signal to the program itself, if it has not ended, because strace would not pass it on."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        is_traced = memory.name_of(running.pid) == "strace"
        for pid in memory.children_of(running.pid) if is_traced else [running.pid]:
            os.kill(pid, signal.SIGTERM)


def _environment(home):
    # The leak checker traces its own process, and a process can have only one tracer.
    options = ":".join(filter(None, (home.variables.get("ASAN_OPTIONS"), "detect_leaks=0")))
    return home.environment({"ASAN_OPTIONS": options})


def _alone(_running):
    """Takes the place of `meanwhile` if there is nothing to do during the run."""
    return b""


def _finished(running, meanwhile, seconds=GENEROUS):
    """Returns the result of the program, and then what `meanwhile` returned."""
    heard = meanwhile(running)
    result = running.finish(seconds)
    result.out += heard
    return result


def run_plain(home, *arguments, meanwhile=_alone, seconds=GENEROUS, **more):
    """Runs the command without any fault."""
    return _finished(home.start(*arguments, **more), meanwhile, seconds)


def record(home, *arguments, meanwhile=_alone, **more):
    """Returns the result of a whole run, and its system calls in their order."""
    running = Running([*_strace(home), programs.mayfly(), *arguments], env=_environment(home), **more)
    result = _finished(running, meanwhile)
    with open(os.path.join(home.path, "strace.log"), encoding="utf-8", errors="replace") as file:
        return result, calls_of(list(file)[1:])


def calls_of(lines):
    """Returns the calls up to the point at which the process becomes another program."""
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
    happened: bool  # A run may take another way and not reach the call.


def kill_at(call, home, *arguments, **more):
    """Sends SIGKILL when the program enters the call: all calls before it have happened, and this call has not."""
    result = _run(home, call, "signal=KILL", arguments, **more)
    return Injected(result, result.code == -9)


def fail_at(call, error, home, *arguments, **more):
    """Makes the call fail with the error, without executing it."""
    result = _run(home, call, f"error={error}", arguments, **more)
    with open(os.path.join(home.path, "strace.log"), encoding="utf-8", errors="replace") as file:
        return Injected(result, "(INJECTED)" in file.read())


def options(call, effect):
    """Returns strace's options. Each process has a count of its own."""
    return ("-e", f"trace={call.name}", "-e", f"inject={call.name}:{effect}:when={call.occurrence}")


def _run(home, call, effect, arguments, *, meanwhile=_alone, seconds=GENEROUS, **more):
    running = Running([*_strace(home, *options(call, effect)), programs.mayfly(), *arguments], env=_environment(home), **more)
    return _finished(running, meanwhile, seconds)
