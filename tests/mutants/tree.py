"""A copy of the source with a build of its own, in which mutants are tried."""
import os
import re
import shutil
import signal
import subprocess
import time

SECONDS_FOR_A_TEST = 180


def source_files(root):
    """Returns the files that git tracks, as they are in the working tree; without git, everything except builds."""
    if os.path.exists(os.path.join(root, ".git")):
        listed = subprocess.run(["git", "-C", root, "-c", f"safe.directory={root}", "ls-files", "-z"],
                                capture_output=True, check=True).stdout.decode()
        return [path for path in listed.split("\0") if path and os.path.lexists(os.path.join(root, path))]
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith(("build", ".")) and one != "__pycache__"]
        found += [os.path.relpath(os.path.join(folder, file), root) for file in files]
    return found


def same(one, other):
    try:
        with open(one, "rb") as first, open(other, "rb") as second:
            return first.read() == second.read() and os.stat(one).st_mode == os.stat(other).st_mode
    except FileNotFoundError:
        return False


def end_group(process):
    """Ends the process with SIGTERM first, because an end-to-end test has programs of its own to end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(20)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def quick_linker():
    """The arguments of meson for the linker: linking is half of the cost of a mutant."""
    found = [name for name in ("mold", "lld", "gold") if shutil.which(f"ld.{name}") or shutil.which(name)]
    return {"CXX_LD": found[0]} if found else {}


class Ended(Exception):
    """The user has interrupted the run."""


class Tree:
    def __init__(self, root, place):
        self.root, self.place, self.build = root, place, os.path.join(place, "build")
        # Copies in different places share compiled objects.
        self.environment = {"CCACHE_BASEDIR": place, "CCACHE_NOHASHDIR": "1", **quick_linker(), **os.environ}
        self.process, self.ended = None, False
        self.not_roots = set()  # tests that root has to run as another user

    def command(self, words, seconds=None, environment=None):
        """Runs a command to its end. Returns its exit code (None if the time was up) and all its output."""
        if self.ended:
            raise Ended
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", env=environment or self.environment, start_new_session=True) as self.process:
            try:
                output, _ = self.process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                end_group(self.process)
                return None, ""
        if self.ended:
            raise Ended
        return self.process.returncode, output

    def end(self):
        """Ends the commands that run in this copy, and lets no more begin."""
        self.ended = True
        if self.process and self.process.poll() is None:
            end_group(self.process)

    def bring_up_to_date(self):
        """Copies only the files that differ, so that a kept build compiles little."""
        wanted = set(source_files(self.root))
        for folder, folders, files in os.walk(self.place):
            folders[:] = [one for one in folders if os.path.join(folder, one) != self.build]
            for file in files:
                path = os.path.join(folder, file)
                if os.path.relpath(path, self.place) not in wanted:
                    os.remove(path)
        for path in wanted:
            source, copy = os.path.join(self.root, path), os.path.join(self.place, path)
            if not same(source, copy):
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                shutil.copyfile(source, copy)
                shutil.copymode(source, copy)

    def configure(self):
        if os.path.exists(os.path.join(self.build, "build.ninja")):
            return
        shutil.rmtree(self.build, ignore_errors=True)
        code, output = self.command(["meson", "setup", self.build, self.place, "--buildtype=debug", "-Doptimization=0",
                                     "-Dcpp_args=-g1"])
        if code != 0:
            raise SystemExit(f"meson setup failed:\n{output}")

    def compile(self, tests):
        """Builds the programs that the tests need. Returns "" or the messages of the compiler."""
        targets = {f"tests/unit/test-{test.file.removeprefix('unit-')}" for test in tests if test.is_unit}
        if any(not test.is_unit for test in tests):
            targets |= {"cli/mayfly", "tests/edge/mayfly-edge"}
        code, output = self.command(["ninja", "-C", self.build, *sorted(targets)])
        return "" if code == 0 else output

    def run(self, test):
        """Returns "passed", "failed" or "skipped", the seconds that it took, and its output.

        What root skips is tried as an ordinary user.
        """
        outcome = self.run_once(test)
        if outcome[0] != "skipped" or test.is_unit or os.geteuid() != 0 or test in self.not_roots:
            return outcome
        self.not_roots.add(test)
        return self.run_once(test)

    def run_once(self, test):
        began = time.monotonic()
        environment = {**self.environment, "MAYFLY_SOURCE": self.place, "MAYFLY_BUILD": self.build,
                       "PYTHONDONTWRITEBYTECODE": "1"}
        if test.is_unit:
            code, output = self.command(self.unit_test(test), SECONDS_FOR_A_TEST, environment)
            ran = re.search(r"test cases: +[1-9]", output)
        else:
            code, output = self.command(self.end_to_end_test(test), SECONDS_FOR_A_TEST, environment)
            ran = re.search(r"^ok (?!.* # SKIP )", output, re.M)
        took = time.monotonic() - began
        if code != 0:
            return "failed", took, output or f"not finished after {SECONDS_FOR_A_TEST} s"
        return "passed" if ran else "skipped", took, output

    def unit_test(self, test):
        case = test.name.replace("\\", "\\\\").replace(",", "\\,")  # doctest separates test cases by commas.
        program = f"test-{test.file.removeprefix('unit-')}"
        return [os.path.join(self.build, "tests", "unit", program), f"--test-case={case}"]

    def end_to_end_test(self, test):
        as_other = ["--as-ordinary-user"] if test in self.not_roots else []
        return [os.path.join(self.place, "tests", "e2e", "run"), *as_other, test.file, *([test.name] if test.name else [])]

    def put_back(self, files):
        """Copies the files with a new modification time, by which ninja notices the change."""
        for path in files:
            shutil.copyfile(os.path.join(self.root, path), os.path.join(self.place, path))
