"""Conditions that hold for the files at every moment: each file is complete and private, and belongs to the others."""
import base64
import json
import os
import re
import stat

from harness import programs
from harness.process import run


class Broken(AssertionError):
    pass


def require(condition, what):
    if not condition:
        raise Broken(what)


def _jwt(content, name):
    parts = content.split(b".")
    require(len(parts) == 3, f"{name} is no token: {content[:80]!r}")
    payload, signature = (base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)) for part in parts[1:])
    require(isinstance(json.loads(payload), dict) and len(signature) == 256, f"{name} is cut")


def _json(content, name, member):
    try:
        require(member in json.loads(content), f"{name} lacks {member}")
    except ValueError:
        raise Broken(f"{name} is no JSON: {content[:80]!r}") from None


def _check_file(name, content):
    if name.endswith(("-token", "-app")):
        _jwt(content, name)
    elif name.endswith("-jwks"):
        _json(content, name, "keys")
    elif name.endswith(".lock"):
        _json(content, name, "pid")
    elif name.endswith(".url"):
        require(re.fullmatch(rb"https://\S+\n?", content), f"{name} is no URL: {content!r}")


def _keygen(home, *arguments):
    result = run([programs.system("ssh-keygen"), *arguments], env=home.environment())
    require(result.code == 0, f"ssh-keygen cannot read it: {result}")
    return result.out.decode()


def check_keys(home):
    """Checks with OpenSSH that key, public key and certificate, as far as they exist, belong together."""
    there = set(home.files())
    for key in {name[:name.index("-cf_key") + 7] for name in there if "-cf_key" in name}:
        prints = {}
        if key in there:
            public = _keygen(home, "-y", "-P", "", "-f", home.file(key)).split()[:2]
            prints["key"] = _fingerprint(home, public)
        if key + ".pub" in there:
            prints["public key"] = _fingerprint(home, home.text(key + ".pub").split()[:2])
        if key + "-cert.pub" in there:
            shown = _keygen(home, "-L", "-f", home.file(key + "-cert.pub"))
            prints["certificate"] = re.search(r"Public key: \S+ (SHA256:\S+)", shown).group(1)
            require("key" in prints and "public key" in prints, f"a certificate alone: {sorted(there)}")
        require(len(set(prints.values())) <= 1, f"these do not belong together: {prints}")


def _fingerprint(home, words):
    path = os.path.join(home.path, "one.pub")
    with open(path, "w", encoding="ascii") as file:
        file.write(" ".join(words) + "\n")
    return _keygen(home, "-l", "-f", path).split()[1]


def is_temporary(name):
    return name.startswith(".mayfly-")


def check_whole(home):
    """Checks that every file under its final name is complete and private. Locks and temporary files may exist."""
    if not os.path.isdir(home.state):
        return
    require(stat.S_IMODE(os.lstat(home.state).st_mode) == 0o700, "the directory is not private")
    for name in home.files():
        status = os.lstat(home.file(name))
        require(stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600, f"{name} is not private")
        if not is_temporary(name):
            _check_file(name, home.read(name))
    check_keys(home)


def ssh_files(home):
    folder = os.path.join(home.path, ".ssh")
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found[name] = file.read()
    return found


def check_nothing_left_over(home):
    names = home.files() + list(ssh_files(home))
    left = [name for name in names if is_temporary(name) or name.endswith((".lock", ".url"))]
    require(not left, f"left behind: {left}")
