"""The memory of a running process, as a core image would contain it. Only root can read it, which is the first
promise."""
import ctypes
import ctypes.util
import os
import re

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r(\S)..\s+\S+ \S+ (\d+)\s*(\S*)")


def image(pid):
    """Returns the readable private memory of a process: {place: bytes}."""
    found = {}
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        mappings = [_MAPPING.match(line) for line in file]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for mapping in filter(None, mappings):
            begin, end = int(mapping[1], 16), int(mapping[2], 16)
            if mapping[5] in ("[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]"):
                continue
            if mapping[4] != "0" and mapping[3] != "w":
                continue  # a mapped file, as it is on disk
            memory.seek(begin)
            try:
                found[f"{mapping[1]} {mapping[5]}"] = memory.read(end - begin)
            except OSError:
                continue  # guard pages
    return found


def holds(pieces, secret):
    """Returns the places at which the secret is."""
    return [f"{place}+{piece.index(secret):x}" for place, piece in pieces.items() if secret in piece]


def holds_private_key_of(pieces, public):
    """Returns the places of the X25519 private key that belongs to a public key. Tries everything that may be a key: 32
    bytes that look random, at an address that an allocation may have."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    product = ctypes.create_string_buffer(32)
    for place, piece in pieces.items():
        if not ("heap" in place or "stack" in place or place.endswith(" ")):
            continue
        for offset in range(0, len(piece) - 31, 8):
            candidate = piece[offset:offset + 32]
            # Nearly all of 32 random bytes differ; pointers and text repeat bytes.
            if len(set(candidate)) < 24:
                continue
            sodium.crypto_scalarmult_base(product, candidate)
            if product.raw == public:
                return [f"{place}+{offset:x}"]
    return []


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]


def has_ended(pid):
    """Returns whether the process has ended, even if no parent has waited for it: in a container the first process may
    not wait."""
    try:
        return state_of(pid) == "Z"
    except FileNotFoundError:
        return True


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().rstrip("\n")
    except OSError:
        return ""


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def status_of(pid):
    """Returns /proc/PID/status as a dictionary."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def shows_descriptors():
    """Returns whether /proc shows descriptors: it shows those of a process without core dumps to root only."""
    return os.geteuid() == 0


def sockets_of(pid):
    """Returns the names of a process's sockets in /proc."""
    folder = f"/proc/{pid}/fd"
    places = [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
    return {place for place in places if place.startswith("socket:")}


def count_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def is_readable(pid):
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY))
        return True
    except PermissionError:
        return False
