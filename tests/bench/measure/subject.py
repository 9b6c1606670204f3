"""The programs that are compared, each with a home in which everything is known."""
import atexit
import os
import shutil
import tempfile

from harness import programs
from harness.home import Home
from harness.sshd import client_config

SSH = "ssh.example.com"
SERVICE_TOKEN = {"id": "0123456789abcdef0123456789abcdef.access", "secret": "cfast_" + "0" * 48}


class Subject:
    name = ""

    def __init__(self, world):
        self.world = world
        self.home = Home(world.edge)
        # Names, trust and the address of the edge come from the system: see trust.py and line.py.
        for variable in ("MAYFLY_CONNECT_TO", "SSL_CERT_FILE"):
            del self.home.variables[variable]

    def argv(self, *arguments):
        return [self.path, "access", *arguments]

    def environment(self, _application="ssh"):
        return self.home.environment()

    def has(self, figure):
        return figure != "far-ssh-shared"

    def prepare(self):
        """Stores tokens, metadata and a valid certificate, and writes the ssh configuration."""
        for application in ("ssh", "echo", "held", "up", "down"):
            self.home.plant_token(application)
            self.make_known(self.world.edge.application(application)["hostname"])
        self.run("access", "ssh-gen", "--hostname", SSH)
        self.ssh_config = self.configure(self.block())
        self.shared_config = None

    def make_known(self, hostname):
        pass

    def run(self, *arguments):
        result = self.home.start(*arguments, program=self.path).finish()
        if result.code != 0:
            raise SystemExit(f"cannot prepare {self.name}: {result}")
        return result.out.decode()

    def block(self, *flags):
        advice = self.run("access", "ssh-config", "--hostname", SSH, "--short-lived-cert", *flags)
        return advice.split("/.ssh/config:\n", 1)[1]

    def configure(self, block, name=".ssh"):
        # ssh expands ~ from the account and not from HOME.
        folder = os.path.join(self.home.path, name)
        os.makedirs(folder, exist_ok=True)
        return client_config(block.replace("~/.cloudflared", self.home.state), SSH, self.world.sshd, folder)


class Product(Subject):
    name = "mayfly"
    path = property(lambda self: programs.mayfly())

    def prepare(self):
        super().prepare()
        # The home's path is too long for a socket.
        short = tempfile.mkdtemp(prefix="mayfly-", dir="/tmp")
        atexit.register(shutil.rmtree, short, ignore_errors=True)
        self.home.variables["XDG_RUNTIME_DIR"] = short
        self.shared_config = self.configure(self.block("--multiplex", "1m"), ".ssh-shared")

    def has(self, figure):
        return True

    def make_known(self, hostname):
        self.run("login", "--batch", "-q", hostname)


class Peer(Subject):
    def __init__(self, world, path):
        super().__init__(world)
        self.path = os.path.abspath(path)
        self.name = os.path.basename(path)


class Floor(Subject):
    """The floor makes no files: it uses mayfly's files and configuration."""
    name = "floor"

    def __init__(self, world):
        super().__init__(world)
        self.path = os.path.join(os.environ["MAYFLY_BUILD"], "tests/bench/floor")
        if not os.path.exists(self.path):
            raise SystemExit(f"no {self.path}: build it first")

    def has(self, figure):
        return figure not in ("listener", "exchanges", "count-calls", "service-token", "count-allocations",
                              "far-ssh-shared")

    def prepare(self):
        model = self.world.subjects[0]
        shutil.copytree(model.home.state, self.home.state)
        self.ssh_config = self.configure(model.block().replace(model.path, self.path))

    def environment(self, application="ssh"):
        return {**self.home.environment(),
                "FLOOR_TOKEN": self.home.text(self.home.token_name(application)),
                "FLOOR_CERTIFICATE": self.home.file(f"{SSH}-cf_key-cert.pub")}
