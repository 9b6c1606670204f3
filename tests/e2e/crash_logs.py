"""A log directory whose files are renamed while a command is killed or failed: no line is cut, and no line is lost."""
import json
import os

from crash_checks import require
from crash_scenario import WEB, Scenario, must, with_expired_token

FOLDER = "logs"  # relative to the home
LIMIT, KEPT = 1 << 20, 5  # mayfly-access(1): 1 MiB each, and five older files


def _line(text, size):
    line = json.dumps({"level": "info", "message": text})
    return json.dumps({"level": "info", "message": text + " " * (size - len(line) - 1)}) + "\n"


def _path(home, number):
    return os.path.join(home.path, FOLDER, f"cloudflared.{number}.log" if number else "cloudflared.log")


def _prepare(home):
    """Makes all log files, with the first one so full that half of a login fits."""
    with_expired_token(home)
    os.mkdir(os.path.join(home.path, FOLDER))
    for number in range(KEPT + 1):
        with open(_path(home, number), "w", encoding="ascii") as file:
            file.write(_line(f"old {number}", 1024 if number else LIMIT - 700))


def messages(home):
    """Returns the messages of all logs. Checks that each line is complete."""
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
    """Checks that no message is missing, except those of the oldest file, which a rotation removes."""
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
