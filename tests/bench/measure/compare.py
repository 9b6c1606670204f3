"""Compares this run with an earlier one."""
import math

from .report import medians, number
from .rows import MORE_IS_BETTER, ROWS

NOTICEABLE = 0.03


def changes(earlier, now):
    """Returns (row, before, after, share by which it got worse) for each figure of mayfly that both runs have."""
    for row in ROWS:
        before = medians(earlier, row.id).get("mayfly")
        after = medians(now, row.id).get("mayfly")
        if before is None or after is None:
            continue
        change = after / before - 1 if before else math.inf if after else 0
        yield row, before, after, -change if row.id in MORE_IS_BETTER else change


def worse(earlier, now):
    lines = [f"worse{by(share)}: {row.label}: {number(before)} -> {number(after)} {row.unit}".rstrip()
             for row, before, after, share in changes(earlier, now) if share > NOTICEABLE]
    return "\n".join(lines) or f"nothing got worse by more than {NOTICEABLE * 100:.0f} %"


def by(share):
    return f" by {share * 100:.1f} %" if share < math.inf else ""
