"""nginx in front of a server: a process of its own, with its own configuration, directories and port."""
import os
import shutil
import socket
import tempfile

from . import programs
from .process import Running
from .server_certificate import make_server_certificate
from .waiting import eventually

_TRIES_FOR_A_PORT = 20
_UPGRADE = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'


class Nginx:
    """upstream: "https://127.0.0.1:PORT" or "http://...". server, location: additional directives. upgrade: the
    directives that nginx needs to pass on a WebSocket. seen(): the log_format line of each request."""

    def __init__(self, edge, host, upstream, *, server="", location="", upgrade=_UPGRADE, log_format="$status"):
        self.directory = tempfile.mkdtemp(prefix="mayfly-nginx-")
        os.chmod(self.directory, 0o755)
        self.log_path = os.path.join(self.directory, "access.log")
        make_server_certificate(edge, host, self.directory)
        self._text = {"host": host, "upstream": upstream, "server": server, "location": location,
                      "upgrade": upgrade, "log_format": log_format}
        for _ in range(_TRIES_FOR_A_PORT):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self._start()
            eventually("nginx listens", lambda: self.process.has_ended() or self._is_there())
            if not self.process.has_ended():
                return
        raise AssertionError(f"nginx did not start: {self.process.finish()}")

    @property
    def connect_to(self):
        return f":443:127.0.0.1:{self.port}"

    def path(self, name):
        return os.path.join(self.directory, name)

    def _start(self):
        with open(self.path("nginx.conf"), "w", encoding="ascii") as file:
            file.write(self._configuration())
        self.process = Running([programs.system("nginx"), "-p", self.directory, "-c", "nginx.conf",
                                "-e", "error.log"], env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def _configuration(self):
        temporary = "\n".join(f"  {kind}_temp_path {self.directory};" for kind in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        return f"""\
daemon off;
{user}
worker_processes 1;
pid {self.directory}/nginx.pid;
error_log {self.directory}/error.log info;
events {{}}
http {{
{temporary}
  log_format facts '{self._text["log_format"]}';
  access_log {self.log_path} facts;
  server {{
    listen 127.0.0.1:{self.port} ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    {self._text["server"]}
    location / {{
      proxy_pass {self._text["upstream"]};
      proxy_ssl_verify off;
      proxy_ssl_server_name on;
      proxy_ssl_name {self._text["host"]};
      proxy_http_version 1.1;
      proxy_set_header Host {self._text["host"]};
      {self._text["upgrade"]}
      {self._text["location"]}
    }}
  }}
}}
"""

    def _is_there(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def seen(self):
        with open(self.log_path, encoding="utf-8") as file:
            return [line.rstrip("\n") for line in file]

    def stop(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
