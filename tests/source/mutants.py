#!/usr/bin/env python3
"""SECURITY.md against tests/mutants: mutants.py ROOT. Each promise has mutants that still apply and name its tests."""
import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
import promises  # noqa: E402


def rows():
    """What each promise says, the tests that hold it and its mutants' names."""
    for promise, held_by, names in promises.promises():
        yield promise, held_by, re.findall(r"`([\w-]+)`", names)


def unit_test_of(case):
    """The names of the *_test.cpp that have the test case."""
    found = set()
    for part in ("access", "sshgen", "sshconfig", "cli"):
        for folder, _, files in os.walk(os.path.join(promises.ROOT, part)):
            for file in files:
                if file.endswith("_test.cpp") and f'TEST_CASE("{case}"' in promises.read(folder, file):
                    found.add(file)
    return found


def is_there(test):
    """A method may be one of a class that this one inherits."""
    source = promises.read("tests", "e2e", test.file)
    name, _, method = test.name.partition(".")
    return all(re.search(rf"(?m)^{kind} {one}\b", source) for kind, one in (("class", name), ("    def", method)) if one)


def is_named(test, held_by):
    """Whether a row that says by which tests it is held means this one too."""
    for file in unit_test_of(test.name) if test.is_unit else {test.file}:
        for parts in re.findall(rf"`{re.escape(file)}`(?: \(([^)]*)\))?", held_by):
            wanted = re.findall(r'"([^"]+)"', parts) if test.is_unit else re.findall(r"\w+", parts)
            if not wanted or set(wanted) & {test.name, *test.name.split(".")}:
                return True
    return False


class Mutants(unittest.TestCase):
    def setUp(self):
        self.mutants = {one.name: one for one in all_mutants(promises.ROOT)}

    def test_each_promise_has_mutants_and_each_mutant_a_promise(self):
        named = set()
        for promise, _, names in rows():
            with self.subTest(promise[:60]):
                self.assertTrue(names, "no mutant shows that its tests hold it")
                self.assertEqual(set(names) - set(self.mutants), set())
            named.update(names)
        self.assertEqual(set(self.mutants) - named, set(), "no promise names it")

    def test_each_applies(self):
        for name, mutant in self.mutants.items():
            with self.subTest(name):
                self.assertEqual(mutant.objection(promises.ROOT), "")

    def test_what_they_name_is_there(self):
        for name, mutant in self.mutants.items():
            for test in mutant.tests:
                with self.subTest(name, test=str(test)):
                    self.assertTrue(unit_test_of(test.name) if test.is_unit else is_there(test))

    def test_the_promise_names_the_same_tests(self):
        for _, held_by, names in rows():
            for name in names:
                for test in self.mutants[name].tests if name in self.mutants else ():
                    with self.subTest(name, test=str(test)):
                        self.assertTrue(is_named(test, held_by), held_by)


if __name__ == "__main__":
    promises.ROOT = os.path.abspath(sys.argv.pop(1))
    sys.path.insert(0, os.path.join(promises.ROOT, "tests", "mutants"))
    from mutant import all_mutants
    unittest.main()
