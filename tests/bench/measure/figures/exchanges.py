"""Measures many small exchanges at once over one listener, as of a pool of database connections."""
import os
import re
import selectors
import signal
import subprocess
import time

from harness import memory, programs

from ..program import Client
from .listener import Crowd, free_port, wait_until_it_listens

AT_ONCE = 50
MESSAGE = b"k" * 64


def _exchange(crowd, count):
    """Makes that many exchanges, as many at once as there are connections."""
    waiting = selectors.DefaultSelector()
    for connection in crowd.held:
        waiting.register(connection, selectors.EVENT_READ)
        connection.sendall(MESSAGE)
    asked, answered = len(crowd.held), 0
    missing = {connection: len(MESSAGE) for connection in crowd.held}
    while answered < count:
        ready = waiting.select(60)
        if not ready:
            raise SystemExit("an exchange waited for a minute")
        for key, _ in ready:
            connection = key.fileobj
            missing[connection] -= len(connection.recv(missing[connection]))
            if missing[connection] > 0:
                continue
            answered += 1
            if asked < count:
                asked += 1
                missing[connection] = len(MESSAGE)
                connection.sendall(MESSAGE)
    waiting.close()


def _listener(subject):
    port = free_port()
    return port, subject.argv("tcp", "--hostname", "echo.example.com", "--url", f"127.0.0.1:{port}")


def exchanges(_world, subject, scale):
    port, argv = _listener(subject)
    with Client(argv, subject.environment("echo")) as client:
        wait_until_it_listens(port)
        crowd = Crowd(port)
        crowd.grow(AT_ONCE)
        _exchange(crowd, 4 * AT_ONCE)
        count = 10 * scale.keystrokes
        cpu, began = client.cpu(), time.perf_counter()
        _exchange(crowd, count)
        wall, cpu = time.perf_counter() - began, client.cpu() - cpu
        crowd.leave()
    return {"exchanges.cpu": cpu * 1e6 / count, "exchanges.rate": count / wall}


def _calls(world, subject, count):
    """Returns the system calls of a listener that serves so many exchanges, from start to end."""
    log = os.path.join(world.folder, "strace.log")
    port, argv = _listener(subject)
    strace = subprocess.Popen([programs.system("strace"), "-f", "-c", "-o", log, *argv], env=subject.environment("echo"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until_it_listens(port)
    crowd = Crowd(port)
    crowd.grow(AT_ONCE)
    _exchange(crowd, count)
    crowd.leave()
    os.kill(memory.children_of(strace.pid)[0], signal.SIGTERM)
    strace.wait()
    with open(log, encoding="utf-8") as file:
        return int(re.search(r"(\d+)(?: +\d+)? total$", file.read(), re.MULTILINE)[1])


def calls(world, subject, scale):
    """Returns the system calls for each exchange: the additional ones of a run with twice as many."""
    count = scale.keystrokes
    return {"exchanges.calls": round((_calls(world, subject, 2 * count) - _calls(world, subject, count)) / count, 1)}
