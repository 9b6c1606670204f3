"""Measures the time from the start of the program to the first byte of a server that speaks first, as sshd does."""
from ..program import Client, spawn
from harness import programs
from ..subject import SERVICE_TOKEN, SSH


def _time_to_first_byte(subject):
    argv = subject.argv("ssh", "--hostname", "down.example.com")
    client = Client(argv, subject.environment("down"))
    client.exactly(1)
    return client, client.age()


def first_byte(world, subject, _scale):
    world.source(1)
    before = world.stats()["tls_connections"]
    client, wall = _time_to_first_byte(subject)
    cost = client.end()
    return {"first-byte.wall": wall * 1e3, "first-byte.cpu": cost.cpu * 1e3,
            "first-byte.connections": world.stats()["tls_connections"] - before}


def service_token(world, subject, _scale):
    """Counts what a tunnel to a known application costs in an organisation with strict service tokens."""
    environment = {**subject.environment(), "TUNNEL_SERVICE_TOKEN_ID": SERVICE_TOKEN["id"],
                   "TUNNEL_SERVICE_TOKEN_SECRET": SERVICE_TOKEN["secret"]}

    def tunnel():
        client = Client(subject.argv("ssh", "--hostname", "machine.example.com"), environment)
        client.exactly(1)
        client.end()

    tunnel()  # From now on the application is known.
    before = world.traffic("machine")
    tunnel()
    after = world.traffic("machine")
    return {f"service-token.{what}": after[what] - before[what] for what in ("connections", "requests")}


def far_first_byte(world, subject, _scale):
    world.source(1)
    client, wall = _time_to_first_byte(subject)
    client.end()
    return {"far.first-byte": wall * 1e3}


def _ssh(subject, config, *arguments):
    environment = {**subject.environment("ssh"), "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    return spawn([programs.system("ssh"), "-F", config, *arguments], environment)


def far_ssh(_world, subject, _scale):
    """Runs the real ssh against the real sshd, with the configuration that the program itself prints."""
    return {"far.ssh": _ssh(subject, subject.ssh_config, SSH, "true").wall * 1e3}


def far_ssh_shared(_world, subject, _scale):
    """Runs ssh once more while the connection of `ssh-config --multiplex` is open."""
    _ssh(subject, subject.shared_config, SSH, "true")
    second = _ssh(subject, subject.shared_config, SSH, "true")
    _ssh(subject, subject.shared_config, "-O", "exit", SSH)
    return {"far.ssh-shared": second.wall * 1e3}
