"""Kills the process in which a listener logs in, at each of its system calls. The listener goes on, and the next
connection logs in at once."""
import contextlib
import glob
import os
import shutil
import time

from crash_checks import check_nothing_left_over, check_whole, require
from crash_listeners import PLACE, Visitor
from crash_sweep import AT_ONCE, Tally
from harness import injection, memory, programs
from harness.home import Home
from harness.process import Running
from harness.visit import ECHO
from harness.waiting import eventually

NAME = "login-of-a-listener"
WORDS = b"through"
COMMAND = ("tcp", "--hostname", ECHO)


class Listening:
    """A listener with nothing stored, and strace on its login process."""

    def __init__(self, home, *options):
        self.home = home
        shutil.rmtree(home.state, ignore_errors=True)
        self.running = home.start(*COMMAND)
        self.running.wait_err("INF Start")
        self.login_process = memory.children_of(self.running.pid)[0]
        # Programs that the login starts are not killed: strace detaches before a process becomes another program.
        words = [programs.system("strace"), "-qq", "-ff", "-b", "execve", "-o", os.path.join(home.path, "strace"), *options]
        self.strace = Running([*words, "-p", str(self.login_process)], env=home.environment())
        eventually("it is traced", lambda: memory.status_of(self.login_process)["TracerPid"] != "0")

    def visit(self):
        return Visitor(self.home, self.running, WORDS, WORDS).visit()

    def let_go(self):
        """Returns the calls that strace has seen: a list of lines for each process."""
        self.strace.process.terminate()
        self.strace.finish()
        seen = {}
        for path in glob.glob(os.path.join(self.home.path, "strace.*")):
            with open(path, encoding="utf-8", errors="replace") as file:
                seen[int(path.rpartition(".")[2])] = list(file)
            os.unlink(path)
        return seen

    def end(self):
        self.running.process.terminate()
        result = self.running.finish()
        require(result.code == 0, f"{result}")
        check_whole(self.home)


def _check_next_start(home):
    """Checks that the next start removes the files that dead processes have left."""
    running = home.start(*COMMAND)
    require(Visitor(home, running, WORDS, WORDS).visit_last() == WORDS, f"the next start brings no tunnel: {running.err}")
    require(running.finish().code == 0, running.err)
    check_whole(home)
    check_nothing_left_over(home)


def _record(home):
    listening = Listening(home)
    require(listening.visit() == WORDS, "there was no tunnel")
    seen = listening.let_go()
    del seen[listening.login_process]
    listening.end()
    # The other processes resolve names, or try to start a browser.
    return injection.calls_of(max(seen.values(), key=len))


def _was_killed(lines):
    return lines and "killed by SIGKILL" in lines[-1]


def _kill(home, call, tally):
    listening = Listening(home, *injection.options(call, "signal=KILL"))
    listening.visit()
    seen = listening.let_go()
    tally.happened += any(_was_killed(lines) for lines in seen.values())
    check_whole(home)
    if not _was_killed(seen[listening.login_process]):
        began = time.monotonic()
        require(listening.visit() == WORDS, f"the next connection is no tunnel: {listening.running.err}")
        require(time.monotonic() - began < AT_ONCE, "the next connection had to wait")
    listening.end()
    _check_next_start(home)


@contextlib.contextmanager
def _home(edge):
    edge.reset()
    home = Home(edge)
    home.variables[PLACE] = "unix:" + os.path.join(home.path, "socket")
    try:
        yield home
    finally:
        home.remove()


def sweep_kills(edge, choose):
    """Kills at each call for which choose(call) is true. Only root can do so, because no other user can trace a process
    that cannot be dumped."""
    with _home(edge) as home:
        tally = Tally()
        for call in filter(choose, _record(home)):
            tally.calls += 1
            try:
                _kill(home, call, tally)
            except AssertionError as error:
                tally.broken.append(f"{call}: {error}")
        return tally
