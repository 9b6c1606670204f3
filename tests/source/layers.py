#!/usr/bin/env python3
"""Checks that includes go one way, and that some headers stay in their folders: layers.py SOURCE. Names each line that
breaks a rule."""
import pathlib
import re
import sys

# The rooms of access: each room may include itself and the rooms before it. Their tests may include more.
ROOMS = ("core", "system", "io", "http1", "jwt", "tls", "curl", "answer", "websocket", "pump", "dial", "tunnel", "listen", "forward",
         "identity")
# The folders that a folder may include, besides itself. A folder that is not listed may include no other folder of
# ours.
MAY_INCLUDE = {"access/identity": ("access/core/", "access/system/", "access/answer/", "access/http1/", "access/jwt/",
                                   "access/curl/http.hpp"),
               "access": ("access/",), "sshgen": ("access/",), "sshconfig": ("access/core/", "access/system/"),
               "cli": ("access/", "sshgen/", "sshconfig/"),
               "tests/edge": ()}  # an independent second implementation
# Headers of libraries, and the only folders that may include them.
ONLY_IN = {"CLI/": "cli/", "nlohmann/json.hpp": r".*\.cpp", "boost/": "tests/", "asio": "(access|tests)/",
           "spdlog/": r"cli/terminal/log_sink\.cpp"}


def is_of_tests(place):
    return "/testing/" in place or place.endswith("_test.cpp")


def goes_up(place, name):
    here, there = (re.match(r"access/(\w+)/", path) for path in (place, name))
    if not (here and there and here[1] in ROOMS):
        return False
    return there[1] not in ROOMS or ROOMS.index(there[1]) > ROOMS.index(here[1])


def complaints(root, file):
    place = file.relative_to(root).as_posix()
    folder = next((f for f in MAY_INCLUDE if place.startswith(f + "/")), None)
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if not (found := re.match(r'\s*#\s*include\s*([<"])(.+?)[>"]', line)):
            continue
        kind, name = found.groups()
        is_own = kind == "<" or "/" not in name or (folder and name.startswith(folder + "/"))
        if folder and not is_own and not is_of_tests(place) and not name.startswith(MAY_INCLUDE[folder]):
            yield f"{place}:{number}: {folder} may not include {name}"
        if kind == '"' and not is_of_tests(place) and goes_up(place, name):
            yield f"{place}:{number}: {name} is in a room above"
        if kind == '"' and not is_of_tests(place) and "/testing/" in name and not place.startswith("tests/"):
            yield f"{place}:{number}: {name} is for tests"
        for header, where in ONLY_IN.items():
            if kind == "<" and name.startswith(header) and not re.fullmatch(where + ".*", place):
                yield f"{place}:{number}: <{name}> is for {where} only"


ROOT = pathlib.Path(sys.argv[1])
FOUND = [c for d in ("access", "sshgen", "sshconfig", "cli", "tests") for f in sorted((ROOT / d).rglob("*.[ch]pp"))
         for c in complaints(ROOT, f)]
print(*FOUND, sep="\n")
sys.exit(1 if FOUND else 0)
