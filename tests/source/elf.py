#!/usr/bin/env python3
"""Checks the linked program: elf.py PROGRAM [hardened]. Names each protection that is missing."""
import re
import subprocess
import sys

# These libraries are loaded on demand: each would cost every start as much as the rest of a start.
ON_DEMAND = ("libcurl", "libidn2", "libqrencode", "libseccomp")


def readelf(*flags):
    return subprocess.run(["readelf", "-W", *flags, sys.argv[1]], capture_output=True, text=True, check=True,
                          env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def complaints():
    dynamic, segments = readelf("-d"), readelf("-l")
    if not re.search(r"Type:\s+DYN", readelf("-h")) or not re.search(r"FLAGS_1\).*\bPIE\b", dynamic):
        yield "it is not position independent (-pie)"
    if "GNU_RELRO" not in segments:
        yield "its relocations stay writable (-z relro)"
    if not re.search(r"FLAGS_1\).*\bNOW\b", dynamic):
        yield "its symbols are bound late, in a writable table (-z now)"
    for line in segments.splitlines():
        if re.match(r"\s+[A-Z_]+\s+0x", line) and re.search(r"\bRWE\b", line):
            yield f"a segment is writable and executable: {line.strip()}"
    if re.search(r"\(R(UN)?PATH\)", dynamic):
        yield "it looks for libraries in places of its own (RPATH)"
    for library in re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic):
        if library.startswith(ON_DEMAND):
            yield f"{library} is loaded at every start"


def complaints_about_code():
    imported = set(re.findall(r"UND (\w+)", readelf("--dyn-syms")))
    if "__stack_chk_fail" not in imported:
        yield "its stack is not protected (-fstack-protector-strong)"
    if not {name for name in imported if re.fullmatch(r"__\w+_chk", name)}:
        yield "its buffers are not checked (-D_FORTIFY_SOURCE)"


FOUND = list(complaints()) + (list(complaints_about_code()) if sys.argv[2:] == ["hardened"] else [])
print(*(f"{sys.argv[1]}: {complaint}" for complaint in FOUND), sep="\n")
sys.exit(1 if FOUND else 0)
