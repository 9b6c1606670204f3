"""The local Access edge as a process, and its control port."""
import base64
import copy
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse

from . import programs
from .process import PIPE, run
from .waiting import GENEROUS, eventually

USER = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
EMAIL = f"{USER}@example.com"

BASE_CONFIG = {
    "team": "acme",
    "login_email": EMAIL,
    "poll_seconds": 10,
    "applications": {
        "echo": {"hostname": "echo.example.com", "origin": "echo"},
        "web": {"hostname": "web.example.com", "origin": "page"},
        "ssh": {"hostname": "ssh.example.com", "origin": "echo"},
        "path": {"hostname": "tools.example.com/admin", "origin": "echo"},
        "wild": {"hostname": "*.wild.example.com", "origin": "echo"},
    },
}


def claims(jwt):
    payload = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class Edge:
    """The edge of a test process, which starts one edge and resets it before each test."""

    def __init__(self, port=0):
        program = programs.edge()
        self.directory = tempfile.mkdtemp(prefix="mayfly-edge-")
        self.log_file = open(os.path.join(self.directory, "edge.log"), "w+b")
        self._start(program, "--port", str(port))

    def _start(self, program, *options):
        # The edge ends when its stdin closes, so that it ends with this process even if this process is killed.
        self.process = subprocess.Popen(
            [program, "--directory", os.path.join(self.directory, "edge"),
             "--until-stdin-closes", *options],
            stdin=PIPE, stdout=PIPE, stderr=self.log_file)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the edge did not start: " + self.complaints())
        self.facts = json.loads(line)
        self.port, self.ca = self.facts["port"], self.facts["ca"]
        self.ssh_ca_pub = self.facts["ssh_ca_pub"]
        self.connect_to = f":443:127.0.0.1:{self.port}"
        # The edge makes its keys when they are first needed, which may take longer than a client waits.
        self.reset()
        self.mint("org", team="acme")

    def complaints(self):
        self.log_file.seek(0)
        return self.log_file.read().decode("utf-8", "replace")

    def restart(self):
        """Starts a new process with the same keys at the same port, configured as before the first test."""
        self._end()
        self._start(programs.edge(), "--port", str(self.port))

    def _end(self):
        self.process.stdin.close()
        try:
            self.process.wait(GENEROUS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self._end()
        self.log_file.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ask(self, method, path, body=None, accept=(200,)):
        connection = http.client.HTTPConnection("127.0.0.1", self.facts["control"], timeout=GENEROUS)
        try:
            text = body if isinstance(body, (str, type(None))) else json.dumps(body)
            connection.request(method, path, text)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status not in accept:
            raise AssertionError(f"edge: {method} {path}: {answer.status} {content!r} "
                                 f"{self.complaints()}")
        return json.loads(content) if content.strip() else None

    def reset(self):
        self.ask("PUT", "/config", copy.deepcopy(BASE_CONFIG))
        self.ask("POST", "/reset")

    def configure(self, **changes):
        return self.ask("PATCH", "/config", changes)

    def application(self, name, **changes):
        """Changes an application, if there are changes. Returns its effective configuration."""
        config = self.ask("PATCH", "/config", {"applications": {name: changes}} if changes else {})
        return config["applications"][name]

    def audience(self, name):
        return self.application(name)["aud"]

    def fault(self, name, value=True, application=None):
        """Turns a fault on. The value is True, the number of times, or an object of parameters."""
        faults = {"faults": {name: value}}
        self.configure(**({"applications": {application: faults}} if application else faults))

    def log(self, host=None, path=None, after=None):
        query = {"host": host, "path": path, "after": after}
        query = urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})
        answer = self.ask("GET", "/log" + ("?" + query if query else ""))
        return answer["log"] if isinstance(answer, dict) else answer

    def hosts(self):
        return {entry["host"] for entry in self.log()}

    def stats(self):
        return self.ask("GET", "/stats")

    def traffic(self, application):
        """What the application cost so far: "connections" (TLS), "requests", "origin_requests"."""
        nothing = {"connections": 0, "requests": 0, "origin_requests": 0}
        return self.stats()["applications"].get(application, nothing)

    def reached_origin(self, application):
        """The requests that reached the application's origin, with the headers that the origin got."""
        return self.ask("GET", "/origin?" + urllib.parse.urlencode({"application": application}))

    def strict(self, on=True, team="acme"):
        """Makes the organisation strict about service tokens, or classic."""
        self.configure(teams={team: {"strict_service_token_auth": on}})

    def service_token(self, id_, action, **more):
        """"rotate" (with secret, grace), "disable", "enable", "expire" or "delete"; what the edge says."""
        return self.ask("POST", "/service-token", {"id": id_, "action": action, **more})

    def oauth(self, **changes):
        """The clients and grants of Managed OAuth; with changes (end, expire_access_tokens, forget_clients) what
        became of them."""
        return self.ask("POST", "/oauth", changes) if changes else self.ask("GET", "/oauth")

    def upgrades(self, host=None):
        return [e for e in self.log(host) if any(
            k.lower() == "upgrade" and v.lower() == "websocket" for k, v in e["headers"])]

    def ended_tunnel(self, host=None):
        """Returns the last tunnel's part of the log, once the tunnel has ended."""
        def look():
            tunnels = [e["tunnel"] for e in self.upgrades(host) if e["tunnel"]]
            return tunnels[-1] if tunnels and not tunnels[-1]["open"] else None
        return eventually("the edge sees the end of the tunnel", look)

    def sign_in(self, url=None, app=None, **query):
        """Completes a login, for the printed URL or for the first poll for `app`."""
        if app:
            query["app"] = app
        path = "/sign-in" + ("?" + urllib.parse.urlencode(query) if query else "")
        return self.ask("POST", path, url)

    def mint(self, kind="app", application=None, **more):
        body = {"kind": kind, **({"application": application} if application else {}), **more}
        return self.ask("POST", "/mint", body)["token"]

    def sign_key(self, public_key, *arguments):
        """Makes a certificate by the edge's own CA, with ssh-keygen, for a test to store."""
        ca = os.path.join(self.facts["directory"], "ssh_ca")
        result = run([programs.system("ssh-keygen"), "-q", "-s", ca, *arguments, public_key],
                     env={"PATH": "/usr/bin:/bin"})
        assert result.code == 0, result


def header(entry, name):
    """Returns the values of a header in a log entry."""
    return [value for key, value in entry["headers"] if key.lower() == name.lower()]
