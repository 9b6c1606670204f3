"""Counts instructions and allocations with valgrind. The counts are the same each time on one machine with one set of
libraries."""
import json
import os
import re
import subprocess
import time

from harness import programs

from .start import CONFIG, GEN

SIZE = 16 << 20
FRAME = 65528  # the bytes that mayfly sends in one frame


def _command(subject, log, *arguments):
    return [programs.system("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null",
            f"--log-file={log}", *subject.argv(*arguments)]


def _allocating(subject, profile, *arguments):
    return [programs.system("valgrind"), "--tool=dhat", f"--dhat-out-file={profile}", "--num-callers=20",
            f"--log-file={os.devnull}", *subject.argv(*arguments)]


def _counted(log):
    with open(log, encoding="utf-8") as file:
        return int(re.search(r"Collected : (\d+)", file.read())[1]) / 1e6


def _run(world, subject, *arguments, application="ssh"):
    log = os.path.join(world.folder, "callgrind.log")
    subprocess.run(_command(subject, log, *arguments), env=subject.environment(application), check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return _counted(log)


def commands(world, subject, _scale):
    return {"count.start": _run(world, subject, *CONFIG), "count.ssh-gen": _run(world, subject, *GEN)}


def download(world, subject, _scale):
    world.source(SIZE)
    return {"count.download": _run(world, subject, "ssh", "--hostname", "down.example.com",
                                   application="down")}


def upload(world, subject, _scale):
    log = os.path.join(world.folder, "callgrind.log")
    _send(world, _command(subject, log, "ssh", "--hostname", "up.example.com"), subject.environment("up"), SIZE)
    return {"count.upload": _counted(log)}


def _send(world, command, environment, size):
    before = world.stats()["bytes_in"]
    running = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    running.stdin.write(bytes(size))
    running.stdin.flush()
    while world.stats()["bytes_in"] - before < size:
        if running.poll() is not None:
            raise SystemExit(f"{command} ended early")
        time.sleep(0.02)
    world.edge.ask("POST", "/close-tunnels", {"code": 1000})
    running.stdin.close()
    running.wait()


def _own_blocks(profile):
    """Returns how many blocks code other than OpenSSL's allocated."""
    with open(profile, encoding="utf-8") as file:
        found = json.load(file)
    foreign = {i for i, frame in enumerate(found["ftbl"]) if "libssl" in frame or "libcrypto" in frame}
    return sum(point["tbk"] for point in found["pps"] if not foreign.intersection(point["fs"]))


def allocations(world, subject, _scale):
    """Returns the allocations for each frame sent: the additional ones of a run with twice the bytes."""
    profile = os.path.join(world.folder, "dhat.json")
    blocks = []
    for size in (128 * FRAME, 256 * FRAME):
        _send(world, _allocating(subject, profile, "ssh", "--hostname", "up.example.com"),
              subject.environment("up"), size)
        blocks.append(_own_blocks(profile))
    return {"count.allocations": round((blocks[1] - blocks[0]) / 128, 1)}
