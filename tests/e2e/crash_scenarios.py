"""Commands that change files, to be killed or failed at any moment."""
import dataclasses
import os
from typing import Callable

from crash_checks import require, ssh_files

HOST, WEB = "ssh.example.com", "web.example.com"


@dataclasses.dataclass(frozen=True)
class Scenario:
    """`done` raises Broken unless the command has done its work; it is told the output of the last run."""
    arguments: tuple
    prepare: Callable
    done: Callable
    again: tuple = ()  # what a person would run next; the same when empty
    ssh: bool = False  # whether ~/.ssh is what changes


def _must(result):
    require(result.code == 0, f"{result}")
    return result


def _logged_in(home, _output):
    shown = _must(home.mayfly("token", WEB))
    require(shown.out == home.read(home.token_name("web")), "token prints another one")


def _has_certificate(home, _output):
    _must(home.mayfly("ssh-gen", "--hostname", HOST, "--check"))


def _printed_token(home, output):
    require(output == home.read(home.token_name("web")), f"not the token: {output!r}")


def _login(home):
    _must(home.mayfly("login", "-q", WEB))


def _generate(home):
    _must(home.mayfly("ssh-gen", "--hostname", HOST))


def _with_expired_token(home):
    _login(home)
    home.plant_token("web", expires_in=-60)


def _with_user_config(home):
    with open(os.path.join(home.path, ".ssh", "config"), "w", encoding="ascii") as file:
        file.write("Host mine\n  User me\n")


_CONFIG = ("ssh-config", "--hostname", HOST, "--short-lived-cert")


def _written(home):
    _with_user_config(home)
    _must(home.mayfly(*_CONFIG, "--write"))


def _block_is(wanted):
    def done(home, _output):
        files = ssh_files(home)
        require("Host mine\n  User me\n" in files["config"], "what the user wrote is gone")
        require(("Include" in files["config"]) == wanted, files)
        require((HOST in files.get("mayfly_config", "")) == wanted, files)
    return done


def _forgotten(home, _output):
    require(home.files() == [], f"still there: {home.files()}")


def _everything(home):
    _login(home)
    _generate(home)


SCENARIOS = {
    "login": Scenario(("login", "-q", WEB), lambda home: None, _logged_in),
    "login-by-exchange": Scenario(("login", "-q", WEB), _with_expired_token, _logged_in),
    "ssh-gen": Scenario(("ssh-gen", "--hostname", HOST), _login, _has_certificate),
    "ssh-gen-renewal": Scenario(("ssh-gen", "--hostname", HOST, "--force"), _everything, _has_certificate,
                                again=("ssh-gen", "--hostname", HOST)),
    "ssh-config-write": Scenario((*_CONFIG, "--write"), _with_user_config, _block_is(True), ssh=True),
    "ssh-config-remove": Scenario(("ssh-config", "--hostname", HOST, "--remove"), _written, _block_is(False), ssh=True),
    "logout": Scenario(("logout", "--all"), _everything, _forgotten),
    "token": Scenario(("token", WEB), _login, _printed_token),
}
