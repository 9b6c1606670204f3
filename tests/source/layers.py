#!/usr/bin/env python3
"""Includes go one way, and some headers stay where they are: layers.py SOURCE. Names each line that breaks a rule."""
import pathlib
import re
import sys

# What a folder may include of ours, besides itself; what is not listed may include nothing of it.
MAY_INCLUDE = {"access/core": (), "access/transport": ("access/core",),
               "access/identity": ("access/core", "access/transport/request/http.hpp"),
               "sshgen": ("access/",), "sshconfig": ("access/core",), "cli": ("access/", "sshgen", "sshconfig"),
               "tests/edge": ()}  # an independent second implementation
# Folders of access/transport: each may include of itself and of those before it. Their tests may do more.
TRANSPORT = ("io", "tls", "request", "websocket", "dial", "tunnel", "listen", "forward")
# Headers of libraries, and the only places that may have them.
ONLY_IN = {"CLI/": "cli/", "nlohmann/json.hpp": r".*\.cpp", "boost/": "tests/", "asio": "(access/transport|tests)/"}


def goes_up(place, name):
    here, there = (re.match(r"access/transport/(\w+)/", path) for path in (place, name))
    is_test = re.search(r"(/test_\w+|_test)\.[ch]pp$", place)
    return here and there and not is_test and TRANSPORT.index(there[1]) > TRANSPORT.index(here[1])


def complaints(root, file):
    place = file.relative_to(root).as_posix()
    folder = next((f for f in MAY_INCLUDE if place.startswith(f + "/")), None)
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if not (found := re.match(r'\s*#\s*include\s*([<"])(.+?)[>"]', line)):
            continue
        kind, name = found.groups()
        is_own = kind == "<" or "/" not in name or (folder and name.startswith(folder + "/"))
        if folder and not is_own and not name.startswith(MAY_INCLUDE[folder]):
            yield f"{place}:{number}: {folder} may not include {name}"
        if goes_up(place, name):
            yield f"{place}:{number}: {name} is in a folder above"
        for header, where in ONLY_IN.items():
            if kind == "<" and name.startswith(header) and not re.fullmatch(where + ".*", place):
                yield f"{place}:{number}: <{name}> is for {where} only"


ROOT = pathlib.Path(sys.argv[1])
FOUND = [c for d in ("access", "sshgen", "sshconfig", "cli", "tests") for f in sorted((ROOT / d).rglob("*.[ch]pp"))
         for c in complaints(ROOT, f)]
print(*FOUND, sep="\n")
sys.exit(1 if FOUND else 0)
