"""Waits end with a condition, never because some time has passed."""
import time

# Only a fault lets a wait last this long; machines that test are busy.
GENEROUS = 60


def eventually(what, condition, seconds=GENEROUS):
    """The first true value of condition(); AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.01)
