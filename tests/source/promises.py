#!/usr/bin/env python3
"""Compares SECURITY.md with the tests: promises.py ROOT. Each promise names tests, and each named test exists."""
import os
import re
import sys
import unittest


def read(*place):
    with open(os.path.join(ROOT, *place), encoding="utf-8") as file:
        return file.read()


def source_of(name):
    """Returns the text of a test file. A unit test may be in any folder, beside the code that it tests; if several folders
    have a test of that name, the name begins with the folder."""
    if name.endswith(".py"):
        return read("tests", "e2e", name)
    places = [os.path.join(folder, file) for part in ("access", "sshgen", "sshconfig", "cli")
              for folder, _, files in os.walk(os.path.join(ROOT, part)) for file in files]
    found = [place for place in places if place.endswith("/" + name)]
    if len(found) != 1:
        raise FileNotFoundError(f"{name}: {found or 'nowhere'}")
    return read(found[0])


def promises():
    """Yields the promise, its tests and its mutants for each row of a table with these columns."""
    holds = False
    for line in read("SECURITY.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            holds = False
        elif cells == ["promise", "held by", "mutant"]:
            holds = True
        elif holds and not line.startswith("|---"):
            yield cells


class Promises(unittest.TestCase):
    def test_each_promise_names_tests(self):
        rows = list(promises())
        self.assertGreater(len(rows), 20)
        for row in rows:
            self.assertEqual(len(row), 3, row)
            self.assertRegex(row[1], r"`[a-z_/ ]+`|_test\.cpp`|\.py`", row[0])

    def test_named_tests_exist(self):
        for promise, held_by, _ in promises():
            for name, inside in re.findall(r"`([\w./]+\.(?:py|cpp))`(?: \(([^)]*)\))?", held_by):
                with self.subTest(promise[:60], file=name):
                    source = source_of(name)
                    for case in re.findall(r'"([^"]+)"', inside):
                        self.assertIn(f'TEST_CASE("{case}"', source)
                    for part in re.findall(r"\w+", re.sub(r'"[^"]+"', "", inside)):
                        self.assertRegex(source, rf"(?m)^(class|    def) {part}\b")

    def test_named_programs_exist(self):
        for promise, held_by, _ in promises():
            for place in re.findall(r"`(tests/[\w/]+)", held_by):
                with self.subTest(promise[:60]):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, place)), place)
            for parsers in re.findall(r"`tests/fuzz` \(([^)]*)\)", held_by):
                for parser in re.findall(r"`(\w+)`", parsers):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, "tests", "fuzz", f"fuzz_{parser}.cpp")), parser)


if __name__ == "__main__":
    ROOT = sys.argv.pop(1)
    unittest.main()
