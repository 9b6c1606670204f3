"""Commands that change files, to be killed or failed at any moment."""
import os

import crash_agent
import crash_listeners
import crash_logs
import crash_sshd
from crash_checks import require, ssh_files
from crash_scenario import HOST, WEB, Scenario, login, must, with_expired_token
from harness import programs


def _logged_in(home, _output):
    shown = must(home.mayfly("token", WEB))
    require(shown.out == home.read(home.token_name("web")), "token prints another one")


def _has_certificate(home, _output):
    must(home.mayfly("ssh-gen", "--hostname", HOST, "--check"))


def _printed_token(home, output):
    require(output == home.read(home.token_name("web")), f"not the token: {output!r}")


def _generate(home):
    must(home.mayfly("ssh-gen", "--hostname", HOST))


def _with_curl(home):
    os.symlink(programs.system("curl"), os.path.join(home.bin, "curl"))
    with_expired_token(home)


def _showed_the_page(home, output):
    require(output.startswith(b"hello from web"), f"curl showed {output!r}")
    _logged_in(home, output)


def _with_user_config(home):
    with open(os.path.join(home.path, ".ssh", "config"), "w", encoding="ascii") as file:
        file.write("Host mine\n  User me\n")


_CONFIG = ("ssh-config", "--hostname", HOST, "--short-lived-cert")


def _written(home):
    _with_user_config(home)
    must(home.mayfly(*_CONFIG, "--write"))


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
    login(home)
    _generate(home)


SCENARIOS = {
    "login": Scenario(("login", "-q", WEB), lambda home: None, _logged_in),
    "login-by-exchange": Scenario(("login", "-q", WEB), with_expired_token, _logged_in),
    "ssh-gen": Scenario(("ssh-gen", "--hostname", HOST), login, _has_certificate),
    "ssh-gen-renewal": Scenario(("ssh-gen", "--hostname", HOST, "--force"), _everything, _has_certificate,
                                again=("ssh-gen", "--hostname", HOST)),
    "ssh-config-write": Scenario((*_CONFIG, "--write"), _with_user_config, _block_is(True)),
    "ssh-config-remove": Scenario(("ssh-config", "--hostname", HOST, "--remove"), _written, _block_is(False)),
    "logout": Scenario(("logout", "--all"), _everything, _forgotten),
    "token": Scenario(("token", WEB), login, _printed_token),
    "curl": Scenario(("curl", "-s", f"https://{WEB}/"), _with_curl, _showed_the_page),
    **crash_agent.SCENARIOS,
    **crash_logs.SCENARIOS,
    **crash_listeners.SCENARIOS,
    **crash_sshd.SCENARIOS,
}
