"""Plans which figures are taken how often. All clients take turns, so that other work of the machine affects all
alike."""
import contextlib
import dataclasses
import os
import platform
import subprocess
import sys
import time

from harness import programs

from . import trust
from .figures import bulk, count, echo, exchanges, first_byte, growth, listener, start
from .subject import Peer

FAR = 50


@dataclasses.dataclass(frozen=True)
class Scale:
    """The size and the number of samples."""
    bulk: int
    keystrokes: int
    connections: tuple
    sizes: tuple


FULL = Scale(bulk=1 << 30, keystrokes=3000, connections=(1, 10, 100, 1000, 9000),
             sizes=tuple(1 << exponent for exponent in (10, 15, 20, 25, 30)))
QUICK = Scale(bulk=8 << 20, keystrokes=100, connections=(5, 20), sizes=(1 << 10, 1 << 20))


@dataclasses.dataclass(frozen=True)
class Figure:
    name: str
    sample: object  # (world, subject, scale) -> {row: value}
    rounds: int
    round_trip: int = 0
    counted: bool = False  # Measured by callgrind, which counts only programs written in C or C++.
    grows: bool = False    # a growth curve


FIGURES = (
    Figure("start", start.start, 60),
    Figure("ssh-gen", start.ssh_gen, 40),
    Figure("first-byte", first_byte.first_byte, 40),
    Figure("service-token", first_byte.service_token, 3),
    Figure("upload", bulk.upload, 5),
    Figure("download", bulk.download, 5),
    Figure("echo", echo.echo, 7),
    Figure("listener", listener.listener, 2),
    Figure("exchanges", exchanges.exchanges, 7),
    Figure("far-ssh-gen", start.far_ssh_gen, 11, FAR),
    Figure("far-first-byte", first_byte.far_first_byte, 11, FAR),
    Figure("far-ssh", first_byte.far_ssh, 9, FAR),
    Figure("far-ssh-shared", first_byte.far_ssh_shared, 9, FAR),
    Figure("count-commands", count.commands, 1, counted=True),
    Figure("count-upload", count.upload, 1, counted=True),
    Figure("count-download", count.download, 1, counted=True),
    Figure("count-allocations", count.allocations, 1, counted=True),
    Figure("count-calls", exchanges.calls, 1),
    *(Figure(f"growth-{round_trip}", growth.growth(round_trip), 2, round_trip, grows=True)
      for round_trip in (0, 20, 100)),
)


def measure(world, chosen, keep):
    """Takes the chosen figures. Saves the samples after each figure, because a run takes minutes."""
    scale = QUICK if chosen.quick else FULL
    results = {"samples": {}}
    began = time.monotonic()
    for figure in FIGURES:
        if figure.name not in (chosen.only or [figure.name]) or (figure.grows and not chosen.curves):
            continue
        print(f"{time.monotonic() - began:4.0f} s  {figure.name}", file=sys.stderr, flush=True)
        with world.lines.long(figure.round_trip) if figure.round_trip else contextlib.nullcontext():
            _take(world, figure, scale, 2 if chosen.quick else figure.rounds, results["samples"])
        results["facts"] = facts(world, scale, time.monotonic() - began)
        keep(results)
    return results


def _take(world, figure, scale, rounds, samples):
    rounds = 1 if figure.counted else rounds
    for turn in range(rounds):
        taking_part = [s for s in world.subjects if s.has(figure.name) and
                       not (figure.counted and isinstance(s, Peer))]
        first = turn % len(taking_part)
        for subject in taking_part[first:] + taking_part[:first]:
            for row, value in _sample(world, figure, subject, scale).items():
                samples.setdefault(row, {}).setdefault(subject.name, []).append(value)


def _sample(world, figure, subject, scale):
    """Takes one figure. A failure is reported and does not discard the other figures."""
    try:
        return figure.sample(world, subject, scale)
    except (SystemExit, subprocess.SubprocessError, OSError) as error:
        print(f"        {figure.name} of {subject.name} failed: {error}", file=sys.stderr, flush=True)
        world.failures += 1
        return {}


def facts(world, scale, seconds):
    """Returns the description of the machine, for somebody who compares two runs."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        processor = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    return {"date": time.strftime("%Y-%m-%d"), "seconds": round(seconds), "processor": processor,
            "processors": os.cpu_count(), "system": platform.freedesktop_os_release()["PRETTY_NAME"],
            "kernel": platform.release(), "roots": trust.number_of_roots(), "bulk": scale.bulk,
            "openssl": version_of("openssl", "version")}


def version_of(program, argument):
    import subprocess
    return subprocess.run([programs.system(program), argument], capture_output=True, text=True,
                          check=True).stdout.split("(")[0].strip()
