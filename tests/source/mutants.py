#!/usr/bin/env python3
"""Compares SECURITY.md with tests/mutants: mutants.py ROOT. Each promise has mutants that still apply and that name its
tests."""
import collections
import functools
import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
import promises  # noqa: E402


def rows():
    """Yields each promise, the cell with the tests that hold it, and the names of its mutants."""
    for promise, held_by, names in promises.promises():
        yield promise, held_by, re.findall(r"`([\w-]+)`", names)


PARTS = ("access", "sshgen", "sshconfig", "cli")


def program_of(folder, file):
    """Returns the name of the test program that a *_test.cpp belongs to."""
    layer, _, room = folder.partition("/")
    if file in ("wiping_memory_test.cpp", "openssl_memory_test.cpp"):
        return "memory"
    if layer != "access":
        return layer
    if file.endswith("_fault_test.cpp") and room != "pump":
        return "network-faults"
    if room == "jwt":
        return "identity"
    return room if room in ("core", "system", "identity") else "network"


@functools.cache
def unit_tests():
    """Maps the name of a program and of a test case to the *_test.cpp files that contain the case."""
    found = collections.defaultdict(set)
    for part in PARTS:
        for folder, _, files in os.walk(os.path.join(promises.ROOT, part)):
            for file in (one for one in files if one.endswith("_test.cpp")):
                program = program_of(os.path.relpath(folder, promises.ROOT), file)
                for case in re.findall(r'TEST_CASE\(\s*"([^"]+)"', promises.read(folder, file)):
                    found["unit-" + program, case].add(file)
    return found


def is_there(test):
    """Returns whether the test exists. Does not look into base classes, nor into tests that a file makes when it is
    loaded."""
    source = promises.read("tests", "e2e", test.file)
    name, _, method = test.name.partition(".")
    is_made = method and "setattr(case" in source
    return (not name or bool(re.search(rf"(?m)^class {name}\b", source))) and \
        (not method or is_made or bool(re.search(rf"(?m)^    def {method}\(", source)))


def is_named(test, held_by):
    """Returns whether the cell of a row with its tests includes this test."""
    for file in unit_tests()[test.file, test.name] if test.is_unit else {test.file}:
        for parts in re.findall(rf"`(?:[\w/]+/)?{re.escape(file)}`(?: \(([^)]*)\))?", held_by):
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

    def test_named_tests_exist(self):
        for name, mutant in self.mutants.items():
            for test in mutant.tests:
                with self.subTest(name, test=str(test)):
                    self.assertTrue(unit_tests()[test.file, test.name] if test.is_unit else is_there(test))

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
