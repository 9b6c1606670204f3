"""A WebSocket echo server on Node's ws, which shares no code with mayfly or the edge."""
import json
import os
import shutil
import tempfile

from . import programs
from .process import PIPE, Running
from .server_certificate import make_server_certificate
from .waiting import eventually

_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node_echo.js")
_MODULES = "/usr/share/nodejs"  # Debian installs modules here, and a Node from elsewhere does not look here.


class Node:
    """host: the name in the server's certificate. Without it the server speaks plain HTTP."""

    def __init__(self, edge, host=""):
        self.directory = tempfile.mkdtemp(prefix="mayfly-node-")
        arguments = []
        if host:
            make_server_certificate(edge, host, self.directory)
            arguments = [os.path.join(self.directory, name) for name in ("server.pem", "server.key")]
        self.process = Running([programs.system("node"), _SCRIPT, *arguments], stdin=PIPE,
                               env={"PATH": "/usr/bin:/bin", "NODE_PATH": _MODULES, "HOME": self.directory})
        self.port = self.wait_for("listening")["port"]

    def events(self, kind):
        lines = bytes(self.process.out).decode().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in found if event["event"] == kind]

    def wait_for(self, kind, count=1):
        """Returns the `count`th event of that kind."""
        def look():
            if self.process.has_ended():
                raise AssertionError(f"the server ended: {self.process.finish()}")
            return self.events(kind)[count - 1:]
        return eventually(f"the server tells of {kind}", look)[0]

    def treat(self, **treatment):
        """Sets how the server treats connections from now on."""
        before = len(self.events("ready"))
        self.process.write(json.dumps(treatment).encode() + b"\n")
        self.wait_for("ready", before + 1)

    def last_closed(self, count=1):
        """Returns the event with the result of a closed connection."""
        return self.wait_for("closed", count)

    def stop(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
