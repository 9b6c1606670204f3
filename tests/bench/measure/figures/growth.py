"""Measures the cost of a whole tunnel, from the start of the program to the last byte, for growing numbers of bytes."""
import time

from ..program import Client


def _down(world, subject, size):
    world.source(size)
    client = Client(subject.argv("ssh", "--hostname", "down.example.com"), subject.environment("down"))
    client.drain(size)
    wall = client.age()
    return wall, client.end().cpu


def _up(world, subject, size):
    before = world.stats()["bytes_in"]
    client = Client(subject.argv("ssh", "--hostname", "up.example.com"), subject.environment("up"))
    client.feed(size)
    while world.stats()["bytes_in"] - before < size:
        if client.age() > 300:
            raise SystemExit(f"{subject.name} does not deliver {size} bytes")
        time.sleep(0.001)
    wall = client.age()
    return wall, client.end().cpu


def growth(round_trip):
    """Measures at one round trip time: wall clock and processor seconds for each size and direction."""
    def sample(world, subject, scale):
        found = {}
        for size in scale.sizes:
            for way, carry in (("down", _down), ("up", _up)):
                wall, cpu = carry(world, subject, size)
                found[f"growth.{way}.{round_trip}.{size}.wall"] = wall
                found[f"growth.{way}.{round_trip}.{size}.cpu"] = cpu
        return found
    return sample
