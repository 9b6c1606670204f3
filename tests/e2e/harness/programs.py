"""The paths of programs: mayfly and the edge from the build directory, OpenSSH's from the system."""
import os
import shlex
import shutil
import sys

E2E = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BROWSER = os.path.join(E2E, "harness", "browser.py")
PYTHON = sys.executable


def _built(*places):
    build = os.environ.get("MAYFLY_BUILD")
    if not build:
        raise SystemExit("MAYFLY_BUILD is not set: name the build directory in it")
    for place in places:
        path = os.path.join(os.path.abspath(build), place)
        if os.path.exists(path):
            return path
    raise SystemExit(f"no {places[0]} in {build}: build it first")


def mayfly():
    return _built("cli/mayfly", "mayfly")


def under():
    """Returns the words that come before mayfly: MAYFLY_UNDER="valgrind -q" runs it in valgrind."""
    words = shlex.split(os.environ.get("MAYFLY_UNDER", ""))
    return [system(words[0]), *words[1:]] if words else []


def is_instrumented():
    """Returns whether mayfly has a sanitizer in it or runs in valgrind: these open files, map code and take memory at
    any time."""
    if "valgrind" in os.environ.get("MAYFLY_UNDER", ""):
        return True
    with open(mayfly(), "rb") as file:
        content = file.read()
    return b"__asan_init" in content or b"__tsan_init" in content


def edge():
    """Returns the path of the edge. MAYFLY_EDGE names an edge that was built elsewhere."""
    return os.environ.get("MAYFLY_EDGE") or _built("tests/edge/mayfly-edge", "mayfly-edge")


def system(name):
    """Returns the absolute path of a program of the system. sshd is not in an ordinary user's PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin")
    if not path:
        raise SystemExit(f"{name} is not installed: run tools/install-packages")
    return path
