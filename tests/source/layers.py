#!/usr/bin/env python3
"""Checks that includes go one way, and that some headers stay in their folders: layers.py SOURCE. Names each line that
breaks a rule."""
import pathlib
import re
import sys

# The rooms of access: each room may include itself and the rooms before it. Their tests may include more.
ROOMS = ("core", "system", "io", "http1", "jwt", "tls", "curl", "answer", "websocket", "pump", "dial", "tunnel", "listen", "forward",
         "identity")
# The rooms of cli in layers: a room may include itself and the layers before it. Files directly in cli may include all.
CLI_LAYERS = (("terminal",), ("flags",), ("session",), ("curl", "doctor", "ssh", "tokens", "tunnel"))
# The folders that a folder may include, besides itself. A folder that is not listed may include no other folder of
# ours.
MAY_INCLUDE = {"access/identity": ("access/core/", "access/system/", "access/answer/", "access/http1/", "access/jwt/",
                                   "access/curl/http.hpp"),
               "access": ("access/",), "sshgen": ("access/",), "sshconfig": ("access/core/", "access/system/"),
               "cli": ("access/", "sshgen/", "sshconfig/"),
               "tests/edge": ()}  # an independent second implementation
# Headers of libraries, and the only folders that may include them.
ONLY_IN = {"CLI/": "cli/", "nlohmann/json.hpp": r".*\.cpp", "boost/": "tests/", "asio": "(access|tests)/"}


def is_of_tests(place):
    return "/testing/" in place or place.endswith("_test.cpp")


def room(place, folder):
    """The room of a file in a folder of rooms: "" for a file directly in it, None for a file elsewhere."""
    found = re.match(folder + r"/(?:(\w+)/)?[^/]+$", place)
    return found and (found[1] or "")


def goes_up(place, name):
    for folder, layers in (("access", [(one,) for one in ROOMS]), ("cli", CLI_LAYERS)):
        here, there = room(place, folder), room(name, folder)
        if here is None or there is None or here == there or name == "cli/version.hpp":
            continue
        layer_here, layer_there = (next((i for i, rooms in enumerate(layers) if one in rooms), len(layers))
                                   for one in (here, there))
        return layer_there >= layer_here
    return False


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
