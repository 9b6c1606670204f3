"""Measures commands that end by themselves: wall clock and processor time."""
from ..program import spawn
from ..subject import SSH

CONFIG = ("ssh-config", "--hostname", SSH, "--short-lived-cert")
GEN = ("ssh-gen", "--hostname", SSH)


def start(_world, subject, _scale):
    cost = spawn(subject.argv(*CONFIG), subject.environment())
    return {"start.wall": cost.wall * 1e3, "start.cpu": cost.cpu * 1e3}


def ssh_gen(world, subject, _scale):
    before = world.stats()["tls_connections"]
    cost = spawn(subject.argv(*GEN), subject.environment())
    return {"ssh-gen.wall": cost.wall * 1e3, "ssh-gen.cpu": cost.cpu * 1e3,
            "ssh-gen.connections": world.stats()["tls_connections"] - before}


def far_ssh_gen(_world, subject, _scale):
    return {"far.ssh-gen": spawn(subject.argv(*GEN), subject.environment()).wall * 1e3}
