"""nginx judges our client certificates: as TLS terminator in front of a WebSocket echo."""
import os
import shutil
import socket
import tempfile

from harness import programs
from harness.authority import Authority
from harness.case import REFUSED, EdgeCase
from harness.process import Running, run
from harness.waiting import eventually

HOST = "echo.example.com"
TEXT = b"through nginx"


class Nginx:
    """A process of its own, with its own configuration, directories and port."""

    def __init__(self, edge, ca, verify):
        self.directory = tempfile.mkdtemp(prefix="mayfly-nginx-")
        os.chmod(self.directory, 0o755)
        self.log_path = os.path.join(self.directory, "access.log")
        # A server certificate that clients of the edge's CA trust.
        for name, content in (("edge.pem", edge.ca), ("edge.key", edge.ca[:-4] + ".key")):
            shutil.copy(content, os.path.join(self.directory, name))
        self._make_server_certificate()
        with open(os.path.join(self.directory, "clients.pem"), "w", encoding="ascii") as file:
            file.write(ca.read("root.pem"))
        for _ in range(20):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self._start(edge.port, verify)
            eventually("nginx listens", lambda: self.process.has_ended() or self._is_there())
            if not self.process.has_ended():
                return
        raise AssertionError(f"nginx did not start: {self.process.finish()}")

    def _make_server_certificate(self):
        for arguments in (
                ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", "server.key",
                 "-out", "server.csr"),
                ("x509", "-req", "-in", "server.csr", "-copy_extensions", "copy", "-CA", "edge.pem",
                 "-CAkey", "edge.key", "-set_serial", "4711", "-days", "5", "-out", "server.pem")):
            made = run([programs.system("openssl"), *arguments], env={"PATH": "/usr/bin:/bin"},
                       cwd=self.directory)
            assert made.code == 0, made

    def _start(self, edge_port, verify):
        temporary = "\n".join(f"  {kind}_temp_path {self.directory};" for kind in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        with open(os.path.join(self.directory, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(f"""\
daemon off;
{user}
worker_processes 1;
pid {self.directory}/nginx.pid;
error_log {self.directory}/error.log info;
events {{}}
http {{
{temporary}
  log_format subjects '$ssl_client_verify|$ssl_client_s_dn|$status|$ssl_session_reused';
  access_log {self.log_path} subjects;
  server {{
    listen 127.0.0.1:{self.port} ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    ssl_client_certificate clients.pem;
    ssl_verify_client {verify};
    ssl_verify_depth 3;
    location / {{
      proxy_pass https://127.0.0.1:{edge_port};
      proxy_ssl_verify off;
      proxy_ssl_server_name on;
      proxy_ssl_name {HOST};
      proxy_http_version 1.1;
      proxy_set_header Host {HOST};
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      if ($ssl_client_verify != SUCCESS) {{ return 403; }}
    }}
  }}
}}
""")
        self.process = Running([programs.system("nginx"), "-p", self.directory, "-c", "nginx.conf",
                                "-e", "error.log"], env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def _is_there(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def seen(self):
        """(verdict, subject, status, whether the session was resumed) of each request."""
        with open(self.log_path, encoding="utf-8") as file:
            return [tuple(line.rstrip("\n").split("|")) for line in file]

    def stop(self):
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class BehindNginx(EdgeCase):
    verify = "on"

    @classmethod
    def setUpClass(cls):
        cls.ca = ca = Authority()
        cls.addClassCleanup(ca.remove)
        for name in ("root", "other"):
            ca.root(name)
        ca.device("device", "root")
        ca.device("stranger", "other")
        ca.intermediate("inter", "root")
        ca.device("leaf", "inter")
        ca.write("chain.pem", ca.read("leaf.pem") + ca.read("inter.pem"))

    def setUp(self):
        super().setUp()
        # Access is not asked for anything here: nginx alone decides.
        self.edge.application("echo", policy="none")
        self.nginx = Nginx(self.edge, self.ca, self.verify)
        self.addCleanup(self.nginx.stop)
        self.home.variables["MAYFLY_CONNECT_TO"] = f":443:127.0.0.1:{self.nginx.port}"

    def tunnel(self, *flags):
        return self.home.start("ssh", "--batch", "--hostname", HOST, *flags, stdin=-1)

    def assert_passes(self, *flags):
        running = self.tunnel(*flags)
        running.write(TEXT)
        self.assertEqual(running.wait_out(len(TEXT)), TEXT)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())

    def assert_refused(self, *flags, words):
        running = self.tunnel(*flags)
        running.close_stdin()
        self.assert_error(running.finish(), REFUSED, HOST, "CN=root", *words)

    def test_valid_certificate(self):
        self.assert_passes(*self.ca.flags("device"))
        verdict, subject, status, resumed = self.nginx.seen()[-1]
        self.assertEqual((verdict, status, resumed), ("SUCCESS", "101", "."))
        self.assertIn("CN=device", subject)

    def test_each_connection_presents_it(self):
        for _ in range(2):
            self.assert_passes(*self.ca.flags("device"))
        upgrades = [line for line in self.nginx.seen() if line[2] == "101"]
        self.assertEqual([(verdict, resumed) for verdict, _, _, resumed in upgrades],
                         [("SUCCESS", ".")] * 2)

    def test_chain(self):
        key = ("--key", self.ca.path("leaf.key"))
        self.assert_passes("--cert", self.ca.path("chain.pem"), *key)
        self.assertIn("CN=leaf", self.nginx.seen()[-1][1])
        self.assert_refused("--cert", self.ca.path("leaf.pem"), *key, words=["CN=leaf", "CN=inter"])

    def test_none(self):
        self.assert_refused(words=["asked for a client certificate", "none was sent", "--cert"])

    def test_of_another_authority(self):
        self.assert_refused(*self.ca.flags("stranger"), words=["CN=stranger", "CN=other", "valid from"])


class BehindNginxThatForbids(BehindNginx):
    """It takes every handshake and answers 403 itself."""
    verify = "optional_no_ca"
