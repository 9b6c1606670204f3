"""Many processes that want the same at the same moment: one of them does the work, and all succeed."""
import time

from crash_checks import check_nothing_left_over, check_whole, require
from crash_scenarios import HOST, WEB
from crash_sweep import Tally
from harness.home import Home
from harness.waiting import eventually

MANY = 200
PATIENCE = 240  # seconds; two hundred processes share two processors


def _start(home, *arguments):
    return [home.start(*arguments) for _ in range(MANY)]


def _finish(running):
    deadline = time.monotonic() + PATIENCE
    results = [one.finish(max(1, deadline - time.monotonic())) for one in running]
    failed = [result for result in results if result.code != 0]
    require(not failed, f"{len(failed)} failed, the first: {failed[:1]}")
    return results


def _sign_in_once(home, running):
    """Signs in when all processes wait for the one login; no process can finish before."""
    eventually("each shows the login's URL", lambda: all("/cdn-cgi/access/cli?" in one.err for one in running), PATIENCE)
    urls = {line for one in running for line in one.err.split() if "/cdn-cgi/access/cli?" in line}
    require(len(urls) == 1 and len(home.browsed()) == 1, f"several logins: {urls}")
    home.edge.sign_in(urls.pop())


def _check_work(home, **wanted):
    stats = home.edge.stats()
    done = {name: stats[name] for name in wanted}
    require(done == wanted, f"{done} instead of {wanted}")
    check_whole(home)
    check_nothing_left_over(home)


def first_certificate(home):
    home.install_idle_browser()
    running = _start(home, "ssh-gen", "--hostname", HOST)
    _sign_in_once(home, running)
    _finish(running)
    _check_work(home, logins=1, transfers=1, signatures=1)


def first_login(home):
    home.install_idle_browser()
    running = _start(home, "login", "--no-verbose", WEB)
    _sign_in_once(home, running)
    tokens = {result.out for result in _finish(running)}
    require(tokens == {home.read(home.token_name("web"))}, f"{len(tokens)} tokens were printed")
    _check_work(home, logins=1, transfers=1)


def exchange(home):
    home.plant_org_token()
    _finish(_start(home, "ssh-gen", "--batch", "--hostname", HOST))
    _check_work(home, logins=0, exchanges=1, signatures=1)


def valid_certificate(home):
    home.plant_org_token()
    require(home.mayfly("ssh-gen", "--hostname", HOST).code == 0, "no certificate")
    home.edge.ask("DELETE", "/stats")
    _finish(_start(home, "ssh-gen", "--hostname", HOST))
    _check_work(home, requests=0)


SITUATIONS = {"first-certificate": first_certificate, "first-login": first_login, "exchange": exchange,
              "valid-certificate": valid_certificate}


def start_together(edge, name):
    edge.reset()
    home = Home(edge)
    tally = Tally(calls=MANY)
    try:
        SITUATIONS[name](home)
        tally.happened = MANY
    except AssertionError as error:
        tally.broken.append(str(error))
    finally:
        home.remove()
    return tally
