#!/usr/bin/env python3
"""Checks the pages that the source cites: citations.py ROOT. Each page (*.md) that a source file names must exist."""
import pathlib
import re
import sys
import unittest

FOLDERS = ("access", "cli", "sshconfig", "sshgen", "tests", "tools")
SOURCES = {".cpp", ".hpp", ".py", ".in", ".build"}
PAGE = re.compile(r"(?<![\w./-])(?:[\w-]+/)*\w[\w-]*\.md\b")


def source_files():
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in SOURCES)


def is_there(page, citing):
    """Returns whether the page exists relative to the folder of the citing file, or to a folder above it."""
    return any((folder / page).exists() for folder in citing.parents if folder.is_relative_to(ROOT))


class Citations(unittest.TestCase):
    def test_each_cited_page_exists(self):
        cited = [(path, page) for path in source_files() for page in sorted(set(PAGE.findall(path.read_text("utf-8"))))]
        self.assertGreater(len(cited), 10)
        missing = [f"{path.relative_to(ROOT)}: {page}" for path, page in cited if not is_there(page, path)]
        self.assertEqual("\n".join(missing), "")


if __name__ == "__main__":
    ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
