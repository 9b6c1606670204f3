"""Instructions, counted by callgrind: on one machine with one set of libraries the same each time."""
import os
import re
import subprocess
import time

from harness import programs

from .start import CONFIG, GEN

SIZE = 16 << 20


def _command(subject, log, *arguments):
    return [programs.system("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null",
            f"--log-file={log}", *subject.argv(*arguments)]


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
    before = world.stats()["bytes_in"]
    running = subprocess.Popen(_command(subject, log, "ssh", "--hostname", "up.example.com"),
                               env=subject.environment("up"), stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL)
    running.stdin.write(bytes(SIZE))
    running.stdin.flush()
    while world.stats()["bytes_in"] - before < SIZE:
        if running.poll() is not None:
            raise SystemExit(f"{subject.name} ended early under callgrind")
        time.sleep(0.02)
    world.edge.ask("POST", "/close-tunnels", {"code": 1000})
    running.stdin.close()
    running.wait()
    return {"count.upload": _counted(log)}
