"""Checks that every test in tests/e2e/memcheck.list exists: memcheck.py SOURCE-ROOT"""
import ast
import os
import sys

E2E = os.path.join(sys.argv[1], "tests", "e2e")


def read(name):
    with open(os.path.join(E2E, name), encoding="utf-8") as file:
        return file.read()


def tests_of(name):
    """Returns the classes of a file, and their tests as CLASS.TEST."""
    found = set()
    for part in ast.parse(read(name)).body:
        if isinstance(part, ast.ClassDef):
            found.add(part.name)
            found |= {f"{part.name}.{one.name}" for one in part.body if isinstance(one, ast.FunctionDef)}
    return found


missing = []
for line in read("memcheck.list").splitlines():
    file, *tests = line.partition("#")[0].split() or [None]
    if file:
        missing += [f"{file} {test}" for test in sorted(set(tests) - tests_of(file))]
print("\n".join(missing))
sys.exit(1 if missing else 0)
