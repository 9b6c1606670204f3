"""A log directory whose files change names while a command is killed or failed: no line is cut, and none is lost."""
import json
import os

from crash_checks import require
from crash_scenario import WEB, Scenario, must, with_expired_token

FOLDER = "logs"  # of the home
LIMIT, KEPT = 1 << 20, 5  # mayfly(1): 1 MB each, five older ones


def _line(text, size):
    line = json.dumps({"level": "info", "message": text})
    return json.dumps({"level": "info", "message": text + " " * (size - len(line) - 1)}) + "\n"


def _path(home, number):
    return os.path.join(home.path, FOLDER, f"cloudflared.{number}.log" if number else "cloudflared.log")


def _prepare(home):
    """All there may be, and the first so full that half of a login fits."""
    with_expired_token(home)
    os.mkdir(os.path.join(home.path, FOLDER))
    for number in range(KEPT + 1):
        with open(_path(home, number), "w", encoding="ascii") as file:
            file.write(_line(f"old {number}", 1024 if number else LIMIT - 700))


def messages(home):
    """Of all logs. Each line is whole."""
    found = []
    for name in os.listdir(os.path.join(home.path, FOLDER)):
        with open(os.path.join(home.path, FOLDER, name), encoding="utf-8") as file:
            for line in file:
                require(line.endswith("\n"), f"{name} ends with half a line: {line[-200:]!r}")
                try:
                    found.append(json.loads(line)["message"].rstrip())
                except ValueError:
                    require(False, f"no whole line in {name}: {line[:200]!r}")
    return found


def _holds(home):
    """The oldest is what a rotation forgets."""
    found = messages(home)
    for number in range(KEPT):
        require(found.count(f"old {number}") == 1, f"old {number} is there {found.count(f'old {number}')} times")


def _done(home, _output):
    must(home.mayfly("token", WEB))
    _holds(home)
    require(os.path.exists(_path(home, KEPT)) and os.path.getsize(_path(home, 0)) < LIMIT, "nothing was rotated")
    require([one for one in messages(home) if not one.startswith("old ")], "nothing was logged")


SCENARIOS = {
    "log-rotation": Scenario(("login", "-q", "--log-level", "debug", "--log-directory", FOLDER, WEB), _prepare, _done,
                             holds=_holds),
}
