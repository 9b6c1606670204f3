"""Measures many bytes in one direction: the processor time for each GiB, and the memory meanwhile."""
import time

from ..program import Client

GIB, MIB = 1 << 30, 1 << 20
MORE_THAN_A_PIPE_HOLDS = 1 << 20


def _eventually(condition):
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("the edge does not see what it should")
        time.sleep(0.002)


def _tunnel(subject, application):
    argv = subject.argv("ssh", "--hostname", f"{application}.example.com")
    return Client(argv, subject.environment(application))


def _figures(way, size, cpu, wall, memory):
    return {f"{way}.cpu": cpu * GIB / size, f"{way}.rate": size / MIB / wall,
            "memory.busy": memory["peak"] / MIB}


def upload(world, subject, scale):
    before = world.stats()
    with _tunnel(subject, "up") as client:
        _eventually(lambda: world.stats()["tunnels"] > before["tunnels"])
        cpu, began = client.cpu(), time.perf_counter()
        client.feed(scale.bulk)
        _eventually(lambda: world.stats()["bytes_in"] - before["bytes_in"] >= scale.bulk)
        wall, cpu, memory = time.perf_counter() - began, client.cpu() - cpu, client.memory()
    return _figures("upload", scale.bulk, cpu, wall, memory)


def download(world, subject, scale):
    world.source(scale.bulk)
    with _tunnel(subject, "down") as client:
        client.wait_readable()
        cpu, began = client.cpu(), time.perf_counter()
        client.drain(scale.bulk - MORE_THAN_A_PIPE_HOLDS)
        memory = client.memory()  # The tunnel cannot have ended yet.
        client.drain(MORE_THAN_A_PIPE_HOLDS)
        wall = time.perf_counter() - began
        cpu = client.end().cpu - cpu
    return _figures("download", scale.bulk, cpu, wall, memory)
