"""Everything around the clients: one edge, an sshd, trust, names, and a home for each client."""
import json
import http.client
import resource

from harness import namespace
from harness.edge import BASE_CONFIG, Edge
from harness.process import end_all
from harness.sshd import Sshd

from . import trust
from .line import Lines
from .subject import SERVICE_TOKEN, Floor, Peer, Product

APPLICATIONS = {
    "ssh": {"hostname": "ssh.example.com"},
    "echo": {"hostname": "echo.example.com", "origin": "echo"},
    "held": {"hostname": "held.example.com", "origin": "echo", "websocket": {"buffer": 4096}},
    "up": {"hostname": "up.example.com", "origin": "discard"},
    "down": {"hostname": "down.example.com", "origin": "source:1"},
    "machine": {"hostname": "machine.example.com", "origin": "source:1", "policy": "service",
                "strict_service_token_auth": True, "service_tokens": [SERVICE_TOKEN]},
}
NAMES = [application["hostname"] for application in APPLICATIONS.values()] + [
    "acme.cloudflareaccess.com", "login.cloudflareaccess.org"]


class World:
    def __init__(self, chosen, folder):
        self.chosen, self.folder, self.failures = chosen, folder, 0

    def __enter__(self):
        namespace.raise_loopback()
        self._raise_descriptor_limit()
        self.lines = Lines(self.folder, NAMES)
        self.edge = Edge(port=443)
        self._stats = http.client.HTTPConnection("127.0.0.1", self.edge.facts["control"])
        trust.add_root(self.edge.ca, self.folder)
        self.sshd = Sshd(self.edge.ssh_ca_pub)
        # "log": a request log would grow with every connection.
        self.edge.ask("PUT", "/config", {**BASE_CONFIG, "log": False, "applications": APPLICATIONS})
        self.edge.application("ssh", origin=f"tcp:127.0.0.1:{self.sshd.port}",
                              certificate={"validity": 86400})
        self.subjects = [Product(self), Floor(self)] + [Peer(self, path) for path in self.chosen.peer]
        for subject in self.subjects:
            subject.prepare()
        return self

    def __exit__(self, *_):
        self.lines.stop()
        self.sshd.stop()
        self.edge.stop()
        end_all()

    @staticmethod
    def _raise_descriptor_limit():
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def stats(self):
        """Returns the edge's counters, over one connection that stays open."""
        self._stats.request("GET", "/stats")
        return json.loads(self._stats.getresponse().read())

    def traffic(self, application):
        """Returns what the application cost so far."""
        return self.stats()["applications"].get(application, {"connections": 0, "requests": 0, "origin_requests": 0})

    def source(self, size):
        """From now on down.example.com sends `size` bytes, and then its Close."""
        self.edge.application("down", origin=f"source:{size}")
