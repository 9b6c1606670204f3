"""What a core image of a running process would hold. Only root can look: that is the first promise."""
import ctypes
import ctypes.util
import os
import re

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r(\S)..\s+\S+ \S+ (\d+)\s*(\S*)")


def image(pid):
    """The readable memory of a process that is its own: {place: bytes}."""
    found = {}
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        mappings = [_MAPPING.match(line) for line in file]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for mapping in filter(None, mappings):
            begin, end = int(mapping[1], 16), int(mapping[2], 16)
            if mapping[5] in ("[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]"):
                continue
            if mapping[4] != "0" and mapping[3] != "w":
                continue  # a file as it is on disk
            memory.seek(begin)
            try:
                found[f"{mapping[1]} {mapping[5]}"] = memory.read(end - begin)
            except OSError:
                continue  # guard pages
    return found


def holds(pieces, secret):
    """Where the secret is: the places."""
    return [f"{place}+{piece.index(secret):x}" for place, piece in pieces.items() if secret in piece]


def holds_private_key_of(pieces, public):
    """Where the X25519 private key to a public one is. Tries all that may be a key: 32 bytes at an address of an
    allocation that look like chance."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    product = ctypes.create_string_buffer(32)
    for place, piece in pieces.items():
        if not ("heap" in place or "stack" in place or place.endswith(" ")):
            continue
        for offset in range(0, len(piece) - 31, 8):
            candidate = piece[offset:offset + 32]
            # Of 32 random bytes nearly all differ; pointers and text repeat.
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
    """Also when nobody has asked how: in a container the first process may ask for none."""
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
    """/proc/PID/status as a dictionary."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def shows_descriptors():
    """What cannot be dumped shows them to root alone."""
    return os.geteuid() == 0


def sockets_of(pid):
    """What /proc calls them."""
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
