"""The parts of a crash scenario, and the steps with which many begin."""
import dataclasses
from typing import Callable

from crash_checks import require

HOST, WEB = "ssh.example.com", "web.example.com"


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A command that is killed or failed at any moment. The callables get the home as first argument, and raise
    Broken."""
    arguments: tuple
    prepare: Callable
    done: Callable  # whether the command has done its work; gets the output of the last run
    again: tuple = ()  # the command that a person would run next; if empty, the same one
    before_each: Callable = lambda home: None  # restores the state that is in no file
    meanwhile: Callable = lambda home, running: b""  # the actions of others during the run, and their results
    holds: Callable = lambda home: None  # conditions that hold at any moment, besides those of the state directory


def must(result):
    require(result.code == 0, f"{result}")
    return result


def login(home):
    must(home.mayfly("login", "-q", WEB))


def with_expired_token(home):
    """Leaves the org token, with which mayfly can get another app token."""
    login(home)
    home.plant_token("web", expires_in=-60)
