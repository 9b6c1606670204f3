"""Runs a command again and again, each time with the connection cut or reset after another byte."""
import time

from crash_checks import require
from crash_scenarios import SCENARIOS
from crash_sweep import Stage, Tally, check_told
from harness.home import Home
from harness.process import PIPE
from harness.relay import Relay, Toll

HOST = "echo.example.com"
SIZE = 1000  # bytes that come out of the tunnel
# The distance in bytes between two runs. There is no login in a browser: the transfer service answers it once, and if
# that answer is lost, mayfly waits for another as long as for a person.
STRIDES = {"tunnel": 1, "login-by-exchange": 23, "ssh-gen": 23, "ssh-gen-renewal": 23}
SOON = 40  # seconds, because mayfly notices a cut and does not wait for a timeout


def _places(edge, run, stride):
    """Returns the bytes after which to apply the fault, in each direction: `stride` apart, up to the bytes of an
    undisturbed run."""
    relay = Relay(edge.port)
    try:
        result = run(relay)
        require(result.code == 0, f"{result}")
        passed = {"up": sum(link.up.forwarded for link in relay.links),
                  "down": sum(link.down.forwarded for link in relay.links)}
    finally:
        relay.stop()
    return result, [(way, at) for way in passed for at in range(0, passed[way] + 1, stride)]


def check_struck(tally):
    """Checks that nearly all faults happened, because a sweep without faults breaks nothing. The last bytes may lie
    behind the end of a shorter run."""
    if tally.happened < 0.95 * tally.calls:
        tally.broken.append(f"only {tally.happened} of {tally.calls} connections were struck")
    return tally


def _each(edge, places, run, check):
    tally = Tally()
    for action in ("cut", "reset"):
        for way, at in places:
            toll = Toll(way, at, action)
            relay = Relay(edge.port, toll=toll)
            tally.calls += 1
            try:
                began = time.monotonic()
                result = run(relay)
                require(time.monotonic() - began < SOON, f"it took {time.monotonic() - began:.0f} s")
                check(result)
            except AssertionError as error:
                tally.broken.append(f"{action} after {at} bytes {way}: {error}")
            finally:
                tally.happened += toll.paid
                relay.stop()
    return check_struck(tally)


def sweep_tunnel(edge, stride=1):
    """Checks that the output is a true prefix and that the message about it is true."""
    edge.reset()
    edge.application("echo", origin=f"source:{SIZE}")
    home = Home(edge)
    expected = (bytes(range(251)) * (SIZE // 251 + 1))[:SIZE]
    try:
        home.plant_token("echo")
        require(home.mayfly("login", "--batch", "-q", HOST).code == 0, "the application is not known")

        def run(relay):
            return home.start("ssh", "--batch", "--hostname", HOST, stdin=PIPE,
                              env={"MAYFLY_CONNECT_TO": relay.connect_to}).finish(SOON + 20)

        def check(result):
            require(expected.startswith(result.out), f"other bytes came out: {result}")
            require(result.code in (0, 5), f"{result}")
            require(result.code == 5 or result.out == expected, f"too little is no success: {result}")
            require((result.code == 5) == ("mayfly: error: " in result.err), f"no word of it: {result}")
            require("received" not in result.err or f" {len(result.out)} received" in result.err,
                    f"another count of bytes: {result}")
        _, places = _places(edge, run, stride)
        return _each(edge, places, run, check)
    finally:
        home.remove()


def sweep_requests(edge, name, stride=1):
    """Checks that the files stay complete, and that the next run needs no help."""
    edge.reset()
    home = Home(edge)
    scenario = SCENARIOS[name]
    try:
        stage = Stage(home, scenario)

        def run(relay):
            return stage.attempt(lambda: home.mayfly(*scenario.arguments, seconds=SOON + 20,
                                                     env={"MAYFLY_CONNECT_TO": relay.connect_to}))

        def check(result):
            check_told(result)
            stage.check_interrupted()
            stage.check_recovery()
        result, places = _places(edge, run, stride)
        stage.learn(result)
        return _each(edge, places, run, check)
    finally:
        home.remove()


def sweep(edge, name, stride=1):
    return sweep_tunnel(edge, stride) if name == "tunnel" else sweep_requests(edge, name, stride)
