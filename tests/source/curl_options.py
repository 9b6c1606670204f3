#!/usr/bin/env python3
"""Compares the table of curl's options with the installed curl: curl_options.py ROOT. The table must contain each
option that curl lists, its letter, and whether it takes a value."""
import os
import re
import shutil
import subprocess
import sys
import unittest


def table(name):
    with open(os.path.join(ROOT, "cli", "curl", "curl_options.cpp"), encoding="utf-8") as file:
        inside = re.search(rf"{name}\[\] = \{{(.*?)\}};", file.read(), re.DOTALL).group(1)
    return set(re.findall(r'"([^"]+)"', inside))


def listed():
    """Yields the name of each option in curl's help, and whether it takes a value."""
    told = subprocess.run(["curl", "--help", "all"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in told.splitlines():
        found = re.match(r" *(?:-., *)?--([\w.-]+)( [<\[])?", line)
        if found:
            yield re.sub("^no-", "", found[1]), bool(found[2])


class CurlOptions(unittest.TestCase):
    def test_options_that_take_a_value(self):
        with_value, without = table("with_value"), table("without_value")
        self.assertEqual(with_value & without, set())
        options = dict(listed())
        self.assertGreater(len(options), 150)
        known = with_value | without
        for name, has_value in options.items():
            with self.subTest(name):  # mayfly curl refuses an option that is not in its table
                self.assertIn(name, known)
                self.assertEqual(name in with_value, has_value)

    def test_letters(self):
        with open(os.path.join(ROOT, "cli", "curl", "curl_options.cpp"), encoding="utf-8") as file:
            inside = re.search(r"letters\[\] = \{(.*?)\};", file.read(), re.DOTALL).group(1)
        known = dict(re.findall(r"\{'(.)', \"([^\"]+)\"\}", inside))
        told = subprocess.run(["curl", "--help", "all"], stdout=subprocess.PIPE, text=True, check=True).stdout
        letters = dict(re.findall(r"(?m)^ *-(.), +--(?:no-)?([\w.-]+)", told))
        self.assertGreater(len(letters), 50)
        for letter, name in letters.items():
            with self.subTest(letter):
                self.assertEqual(known.get(letter), name)


if __name__ == "__main__":
    ROOT = sys.argv.pop(1)
    if not shutil.which("curl"):
        sys.exit(77)
    unittest.main()
