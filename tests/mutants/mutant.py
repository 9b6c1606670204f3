"""A mutant: a patch that removes one protection, and the tests that must fail without it.

    # removes: one sentence.
    # test: unit-network "a test case"
    # test: test_http.py Class.test_method
    --- a/access/...

Of the second kind of test a class alone, or nothing, means all tests of the class or of the file.
"""
import dataclasses
import os
import re
import shutil
import subprocess
import tempfile

FOLDER = os.path.join("tests", "mutants")


@dataclasses.dataclass(frozen=True)
class Test:
    file: str  # "unit-network", or "test_http.py"
    name: str  # of a test case, a class, or a class and a method; "" for the whole file

    @property
    def is_unit(self):
        return self.file.startswith("unit-")

    def __str__(self):
        return f'{self.file} "{self.name}"' if self.is_unit else f"{self.file} {self.name}".strip()


@dataclasses.dataclass(frozen=True)
class Mutant:
    name: str
    removes: str
    tests: tuple
    patch: str

    @property
    def files(self):
        """Returns the paths that the patch changes, relative to the top of the tree."""
        return re.findall(r"^--- a/(\S+)", self.patch, re.M)

    def apply(self, root):
        """Changes the files below `root`. Returns "" or the message of `patch`.

        Without fuzz, as git apply does it: the lines around a change have to be there.
        """
        done = subprocess.run(["patch", "-p1", "-F0", "-s", "-N", "-t", "-r", "-", "--no-backup-if-mismatch", "-d", root],
                              input=self.patch, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or "patch failed"

    def objection(self, root):
        """Returns the reason why the patch does not apply to the tree at `root`, or "". The tree stays unchanged."""
        if not self.files:
            return "it changes no file"
        with tempfile.TemporaryDirectory(prefix="mayfly-mutant-") as copy:
            for path in self.files:
                if not os.path.isfile(os.path.join(root, path)):
                    return f"there is no {path}"
                os.makedirs(os.path.dirname(os.path.join(copy, path)), exist_ok=True)
                shutil.copyfile(os.path.join(root, path), os.path.join(copy, path))
            return self.apply(copy)


def read_test(text):
    """Throws ValueError if the text has neither form."""
    if found := re.fullmatch(r'(unit-[\w-]+) "(.+)"', text):
        return Test(*found.groups())
    if found := re.fullmatch(r"(test_\w+\.py)(?: (\w+(?:\.\w+)?))?", text):
        return Test(found[1], found[2] or "")
    raise ValueError(f"no test is named by: {text}")


def read_mutant(path):
    """Throws ValueError if a line of the header is missing or has no known form."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    header = text[:text.index("\n--- ") + 1] if "\n--- " in text else text
    removes = re.findall(r"^# removes: (.+\.)$", header, re.M)
    tests = tuple(read_test(line.strip()) for line in re.findall(r"^# test: (.*)$", header, re.M))
    if len(removes) != 1 or not tests:
        raise ValueError(f"{path}: the header needs one sentence after \"# removes:\", and at least one \"# test:\"")
    return Mutant(os.path.basename(path).removesuffix(".patch"), removes[0], tests, text)


def all_mutants(root):
    folder = os.path.join(root, FOLDER)
    return [read_mutant(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".patch")]
