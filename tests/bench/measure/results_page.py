"""Writes RESULTS.md and the plots in docs from the samples of a run."""
import os
import re
import statistics

from . import plot, report

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs")


def size_name(value):
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if value >= 10 ** power:
            return f"{value / 10 ** power:g} {unit}"
    return f"{value:g} B"


def binary_name(value):
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if value >= 1 << power:
            return f"{value >> power} {unit}"
    return f"{value} B"


def series(results, pattern):
    """Returns {series: [(x, median)]} for the rows whose ids match. The groups of the pattern are `x` and optionally
    `line`."""
    found = {}
    for row, values in results["samples"].items():
        match = re.fullmatch(pattern, row)
        for name, samples in values.items() if match else ():
            key = name + (f", {match['line']} ms" if "line" in match.groupdict() else "")
            found.setdefault(key, []).append((int(match["x"]), statistics.median(samples)))
    return {key: sorted(points) for key, points in found.items()}


PLOTS = (
    ("connections-cpu", "CPU for each new connection of a listener", ("connections held", "ms"),
     r"held\.(?P<x>\d+)\.cpu"),
    ("connections-memory", "Memory for each connection held", ("connections held", "KiB"),
     r"held\.(?P<x>\d+)\.memory"),
    ("down-cpu", "Client CPU of a whole tunnel, by bytes received", ("bytes", "s"),
     r"growth\.down\.0\.(?P<x>\d+)\.cpu"),
    ("up-cpu", "Client CPU of a whole tunnel, by bytes sent", ("bytes", "s"),
     r"growth\.up\.0\.(?P<x>\d+)\.cpu"),
    ("down-time", "From start to the last byte received, by round trip", ("bytes", "s"),
     r"growth\.down\.(?P<line>\d+)\.(?P<x>\d+)\.wall"),
    ("up-time", "From start to the last byte sent, by round trip", ("bytes", "s"),
     r"growth\.up\.(?P<line>\d+)\.(?P<x>\d+)\.wall"),
)


def numbers(title, labels, found, name):
    across = sorted({x for points in found.values() for x, _ in points})
    lines = [[labels[0], *(name(x) for x in across)]]
    for key, points in found.items():
        values = dict(points)
        lines.append([f"{key}, {labels[1]}", *(short(values[x]) if x in values else "" for x in across)])
    return f"### {title}\n\n{report.markdown(lines)}\n"


def short(value):
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def curves(results):
    """Draws all plots for which there are samples; returns the sections of the page that show them."""
    sections = []
    os.makedirs(DOCS, exist_ok=True)
    for file, title, labels, pattern in PLOTS:
        found = series(results, pattern)
        if not found:
            continue
        counts = labels[0] != "bytes"
        names = (lambda value: f"{value:,.0f}") if counts else size_name
        path = os.path.join(DOCS, f"bench-{file}.svg")
        with open(path, "w", encoding="utf-8") as out:
            out.write(plot.svg(title, labels, found, (names, lambda value: f"{value:g}")))
        table = numbers(title, labels, found, (lambda x: f"{x:,}") if counts else binary_name)
        sections.append(f"{table}\n![{title}](../../docs/bench-{file}.svg)\n")
    return "\n".join(sections)


def conditions(facts):
    minutes = facts["seconds"] / 60
    return (f"{facts['date']}, {facts['processors']} processors ({facts['processor']}), {facts['system']}, "
            f"Linux {facts['kernel']}, {facts['openssl']}, {facts['roots']} trusted roots; the run took "
            f"{minutes:.0f} minutes.")


def write(results):
    page = ["# Results", "", "Made by `tests/bench/run`; [README.md](README.md) says what each figure means and how "
            "it is taken. Medians.", "", conditions(results["facts"]), "", report.table(results), ""]
    grown = curves(results)
    if grown:
        page += ["## Growth", "", grown]
    with open(os.path.join(HERE, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(page))
