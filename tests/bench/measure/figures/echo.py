"""Measures keystrokes (64 bytes there and back, one after the other) and an idle tunnel."""
import os
import time

from ..program import Client

KEYSTROKE = b"k" * 64


def _strike(client, times):
    for _ in range(times):
        os.write(client.input, KEYSTROKE)
        client.exactly(len(KEYSTROKE))


def echo(_world, subject, scale):
    argv = subject.argv("ssh", "--hostname", "echo.example.com")
    with Client(argv, subject.environment("echo")) as client:
        _strike(client, 20)
        memory = client.memory()
        cpu, wakes, began = client.cpu(), client.wakes(), time.perf_counter()
        _strike(client, scale.keystrokes)
        wall = time.perf_counter() - began
        cpu, wakes = client.cpu() - cpu, client.wakes() - wakes
    return {"echo.cpu": cpu * 1e6 / scale.keystrokes, "echo.wall": wall * 1e6 / scale.keystrokes,
            "echo.wakes": wakes / scale.keystrokes, "memory.idle": memory["rss"] / (1 << 20)}
