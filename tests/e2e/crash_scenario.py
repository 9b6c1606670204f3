"""What a scenario of a crash is made of, and the steps that many begin with."""
import dataclasses
from typing import Callable

from crash_checks import require

HOST, WEB = "ssh.example.com", "web.example.com"


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A command, to be killed or failed at any moment. The callables get the home first, and raise Broken."""
    arguments: tuple
    prepare: Callable
    done: Callable  # has it done its work? It is told the output of the last run
    again: tuple = ()  # what a person would run next; the same when empty
    before_each: Callable = lambda home: None  # puts back what is in no file
    meanwhile: Callable = lambda home, running: b""  # what others do while it runs, and what came to them
    holds: Callable = lambda home: None  # what must be so at any moment, besides the state directory


def must(result):
    require(result.code == 0, f"{result}")
    return result


def login(home):
    must(home.mayfly("login", "-q", WEB))


def with_expired_token(home):
    """The team's token is there to get another."""
    login(home)
    home.plant_token("web", expires_in=-60)
