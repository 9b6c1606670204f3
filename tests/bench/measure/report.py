"""The table: medians, and their ratios to those of the other clients."""
import statistics

from .rows import ROWS


def medians(results, row_id):
    return {name: statistics.median(values) for name, values in results["samples"].get(row_id, {}).items()}


def number(value):
    if value == 0:
        return "0"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def names(results):
    found = []
    for values in results["samples"].values():
        found += [name for name in values if name not in found]
    return found


def verdict(row, found):
    if not row.aim:
        return ""
    met = row.aim.is_met(found)
    return row.aim.text + ("" if met is None else ": met" if met else ": missed")


def ratio(found, other):
    if not found.get(other) or "mayfly" not in found:
        return ""
    return f"{found['mayfly'] / found[other]:.2f}"


def cells(row, found, columns):
    unit = f", {row.unit}" if row.unit else ""
    others = [name for name in columns if name != "mayfly"]
    return [row.label + unit, *(number(found[name]) if name in found else "" for name in columns),
            *(ratio(found, name) for name in others), verdict(row, found)]


def table(results):
    columns = names(results)
    head = ["figure", *columns, *(f"/ {name}" for name in columns if name != "mayfly"), "aim"]
    lines = [head] + [cells(row, medians(results, row.id), columns) for row in ROWS
                      if row.id in results["samples"]]
    return markdown(lines, texts=(0, len(head) - 1))


def markdown(lines, texts=(0,)):
    """Renders a table from rows of cells. Columns of numbers are aligned to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rule = ["-" * width if i in texts else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join("| " + " | ".join(
        cell.ljust(width) if i in texts else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(line, widths))) + " |"
        for line in (lines[0], rule, *lines[1:]))
