#!/usr/bin/env python3
"""Calls that POSIX does not have stay in a few files, which a build with -Dportable=true leaves out: portable.py SOURCE.
Names each line elsewhere that uses one. The tests may use them."""
import pathlib
import re
import sys

# Left out of a portable build by access/system/meson.build; access/system/portable.cpp stands in for them.
LINUX_ONLY = {f"access/system/{name}.cpp"
              for name in ("directory_watch", "landlock", "linux", "readiness_set", "sandbox", "seccomp", "sock_diag", "wiping_memory")}
HEADERS = r"linux/.*|malloc\.h|shadow\.h|sys/(epoll|eventfd|inotify|memfd|prctl|random|sendfile|signalfd|syscall|timerfd|timex)\.h"
CALLS = (r"accept4|adjtimex|close_range|dup3|epoll_\w+|eventfd|execvpe|explicit_bzero|getspnam|inotify_\w+|malloc_(trim|usable_size)|memfd_create|"
         r"pidfd_\w+|pipe2|posix_spawn_file_actions_addclosefrom_np|ppoll|prctl|renameat2|secure_getenv|signalfd|syscall|timerfd_\w+")
NAMES = (r"F_(ADD_SEALS|GETPIPE_SZ|SETPIPE_SZ)|O_(PATH|TMPFILE)|POLLRDHUP|PR_[A-Z_]+|SECCOMP_\w+|LANDLOCK_\w+|SIOCOUTQ|"
         r"SO_(PEERCRED|BINDTODEVICE)|SOCK_(CLOEXEC|NONBLOCK)|SYS_\w+|TCP_(INFO|KEEP\w+|USER_TIMEOUT)|ucred")
RULES = {"include": re.compile(rf'\s*#\s*include\s*<({HEADERS})>'),
         "call": re.compile(rf"(?<![\w.>])(?:::)?({CALLS})\("),
         "name": re.compile(rf"\b({NAMES})\b"),
         "path": re.compile(r'[("](/proc/(?:self|stat|sys|\{\})[^"]*)"'),
         "condition": re.compile(r"\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b(__linux__|__APPLE__|__GLIBC__|__FreeBSD__)\b")}


def complaints(root, file):
    place = file.relative_to(root).as_posix()
    if place in LINUX_ONLY or place.endswith("_test.cpp") or "/testing/" in place:
        return
    for number, line in enumerate(file.read_text().splitlines(), 1):
        code = re.sub(r"//.*", "", line)
        for kind, rule in RULES.items():
            if found := rule.search(code):
                yield f"{place}:{number}: the {kind} {found[1]} is for {', '.join(sorted(LINUX_ONLY))}"


ROOT = pathlib.Path(sys.argv[1])
FOUND = [f"{place} is gone: see access/system/meson.build" for place in sorted(LINUX_ONLY) if not (ROOT / place).exists()]
FOUND += [c for d in ("access", "sshgen", "sshconfig", "cli") for f in sorted((ROOT / d).rglob("*.[ch]pp")) for c in complaints(ROOT, f)]
print(*FOUND, sep="\n")
sys.exit(1 if FOUND else 0)
