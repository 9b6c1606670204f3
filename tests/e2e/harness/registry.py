"""Docker's own registry, whose clients get a token at a realm: a process with its own configuration and port."""
import base64
import http.client
import json
import os
import shutil
import socket
import tempfile
import time
import urllib.parse

from . import programs
from .process import Running, run
from .waiting import GENEROUS, eventually

_TRIES_FOR_A_PORT = 20
_SERVICE, _ISSUER = "registry", "issuer"


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Registry:
    """host: the public name, which the registry puts into its URLs. answer(handler) serves /v2/ from the registry, and
    /token by itself (distribution's specification, "Token Authentication")."""

    def __init__(self, host):
        self.host = host
        self.directory = tempfile.mkdtemp(prefix="mayfly-registry-")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=issuer", "-keyout", "token.key",
                      "-out", "token.pem", "-days", "5")
        for _ in range(_TRIES_FOR_A_PORT):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self._configure()
            self.process = Running([programs.system("docker-registry"), "serve", self._path("config.json")],
                                   env={"PATH": "/usr/bin:/bin", "HOME": self.directory})
            eventually("the registry listens", lambda: self.process.has_ended() or self._is_there())
            if not self.process.has_ended():
                return
        raise AssertionError(f"the registry did not start: {self.process.finish()}")

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _openssl(self, *arguments, stdin=None):
        made = run([programs.system("openssl"), *arguments], env={"PATH": "/usr/bin:/bin"}, cwd=self.directory,
                   stdin=stdin)
        assert made.code == 0, made
        return made.out

    def _configure(self):
        with open(self._path("config.json"), "w", encoding="ascii") as file:  # JSON is YAML too.
            json.dump({
                "version": "0.1", "log": {"level": "warn"},
                "storage": {"filesystem": {"rootdirectory": self._path("storage")}},
                "http": {"addr": f"127.0.0.1:{self.port}", "secret": "s"},
                "auth": {"token": {"realm": f"https://{self.host}/token", "service": _SERVICE, "issuer": _ISSUER,
                                   "rootcertbundle": self._path("token.pem")}}}, file)

    def _is_there(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def _token(self, query):
        """Returns a token for everything that the query asks for."""
        access = []
        for scope in urllib.parse.parse_qs(query).get("scope", []):
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        der = self._openssl("x509", "-in", "token.pem", "-outform", "DER")
        now = int(time.time())
        parts = [{"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]},
                 {"iss": _ISSUER, "sub": "t", "aud": _SERVICE, "exp": now + 600, "nbf": now - 60, "iat": now - 60,
                  "jti": str(time.time_ns()), "access": access}]
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
        signature = self._openssl("dgst", "-sha256", "-sign", "token.key", stdin=signed.encode())
        return f"{signed}.{_base64url(signature)}"

    def answer(self, handler):
        path, _, query = handler.path.partition("?")
        if path == "/token":
            text = json.dumps({"token": self._token(query), "expires_in": 600}).encode()
            return handler.say(200, text, Content_Type="application/json")
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=GENEROUS)
        client.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
        for name, value in [*handler.headers.items(), ("X-Forwarded-Proto", "https")]:  # One name may come twice.
            if name.lower() != "connection":
                client.putheader(name, value)
        client.endheaders(handler.body)
        response = client.getresponse()
        body = response.read()
        client.close()
        handler.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "date", "transfer-encoding"):
                handler.send_header(name, value)
        if not response.headers["Content-Length"]:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def stop(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
