#!/usr/bin/env python3
"""Checks the manual pages with mandoc and man: manual.py PAGE... Names each fault; skipped if either program is
missing."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77  # meson's
PAGES = [pathlib.Path(page) for page in sys.argv[1:]]
NAMES = {page.stem for page in PAGES} | {"mayfly-tcp", "mayfly-rdp", "mayfly-smb"}  # links, made by meson


def lint():
    run = subprocess.run(["mandoc", "-T", "lint", "-W", "style", *PAGES], capture_output=True, text=True, check=False)
    # A page of another program that is missing on this machine is not a fault of ours.
    known = r"referenced manual not found|outdated mandoc\.db lacks"
    return [line for line in (run.stdout + run.stderr).splitlines() if not re.search(known, line)]


def references(page):
    for name in re.findall(r"\bXr (mayfly[a-z-]*) 1", page.read_text()):
        if name not in NAMES:
            yield f"{page}: there is no page {name}"


def rendered(page):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": "", "MAN_KEEP_FORMATTING": ""}
    run = subprocess.run(["man", "--warnings=w", "-P", "cat", "-l", page], env=environment, capture_output=True,
                         text=True, check=False)
    if run.returncode or run.stderr:
        yield f"{page}: man ends with {run.returncode}: {run.stderr}"
    text = re.sub(r".\x08", "", run.stdout)
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"):
        if f"\n{heading}\n" not in text:
            yield f"{page}: {heading} is not shown"
    yield from (f"{page}: longer than 80 columns: {line}" for line in text.splitlines() if len(line) > 80)


missing = [program for program in ("mandoc", "man") if not shutil.which(program)]
found = [fault for page in PAGES for fault in references(page)]
if "mandoc" not in missing:
    found += lint()
if "man" not in missing:
    found += [fault for page in PAGES for fault in rendered(page)]
print(*found, sep="\n")
if missing:
    print("not installed:", *missing)
sys.exit(1 if found else SKIPPED if missing else 0)
