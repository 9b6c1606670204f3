"""Waits that end with a condition, and never because some time has passed."""
import os
import time

# Only a fault makes a wait last this long on a machine that has nothing else to do.
GENEROUS = 60


def stretched(seconds):
    """Returns the time that the seconds become if other processes want the processors too."""
    return seconds * max(1, os.getloadavg()[0] / os.cpu_count())


def eventually(what, condition, seconds=GENEROUS):
    """Returns the first true value of condition(). Throws AssertionError after `seconds`, stretched."""
    start = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > start + stretched(seconds):
            raise AssertionError(f"after {time.monotonic() - start:.0f} s still not: {what}")
        time.sleep(0.01)
