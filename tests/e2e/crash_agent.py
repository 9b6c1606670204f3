"""Certificates in ssh-agent: each must be complete, and in the end there is one for each application."""
import os

from crash_checks import require
from crash_scenario import HOST, Scenario, login, must
from harness import programs
from harness.process import Running, run
from harness.waiting import eventually

COMMAND = ("ssh-gen", "--agent", "--hostname", HOST)
OURS = f"mayfly:{HOST}"
COPY = f"{HOST}-agent-cert.pub"


def _ssh_add(home, *arguments):
    return run([programs.system("ssh-add"), *arguments], env=home.environment())


def _entries(home):
    """Returns comment and line of each key in the agent."""
    lines = must(_ssh_add(home, "-L")).out.decode().splitlines()
    return [(line.split(" ", 2)[2], line) for line in lines]


def _prepare(home):
    login(home)
    socket = os.path.join(home.path, "agent")
    Running([programs.system("ssh-agent"), "-D", "-a", socket], env=home.environment())
    eventually("the agent listens", lambda: os.path.exists(socket))
    home.variables["SSH_AUTH_SOCK"] = socket
    home.keygen("-q", "-t", "ed25519", "-N", "", "-C", "own", "-f", os.path.join(home.path, "own"))


def _with_own_key(home):
    must(_ssh_add(home, "-q", "-D"))
    must(_ssh_add(home, "-q", os.path.join(home.path, "own")))


def _with_a_certificate(home):
    _with_own_key(home)
    must(home.mayfly(*COMMAND))


def _holds(home):
    entries = _entries(home)
    require("own" in dict(entries), f"the person's own key is gone: {entries}")
    for comment, line in entries:
        if comment != "own":
            require(comment == OURS and "-cert-v01@openssh.com" in line.split()[0], f"what is that: {line}")
            with open(os.path.join(home.path, "one-cert.pub"), "w", encoding="ascii") as file:
                file.write(line + "\n")
            home.keygen("-L", "-f", file.name)
    kept = [name for name in home.files() if name.endswith(("-cf_key", ".pub"))]
    require(set(kept) <= {COPY}, f"on disk: {home.files()}")
    for name in kept:
        home.keygen("-L", "-f", home.file(name))


def _done(home, _output):
    must(home.mayfly(*COMMAND, "--check"))
    comments = sorted(comment for comment, _ in _entries(home))
    require(comments == [OURS, "own"], f"the agent holds {comments}")
    held = dict(_entries(home))[OURS].split()[:2]
    require(home.text(COPY).split()[:2] == held, "the copy on disk is of another certificate")


SCENARIOS = {
    "ssh-gen-agent": Scenario(COMMAND, _prepare, _done, before_each=_with_own_key, holds=_holds),
    "ssh-gen-agent-renewal": Scenario((*COMMAND, "--force"), _prepare, _done, again=COMMAND,
                                      before_each=_with_a_certificate, holds=_holds),
}
