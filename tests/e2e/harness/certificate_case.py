"""The test case of client certificates: a root, a device, and two applications that ask for them."""
import os
import socket

from . import programs
from .authority import Authority
from .case import USAGE, EdgeCase

HOST = "echo.example.com"
WEB = "web.example.com"
PASSWORD = "correct horse battery staple"


class CertificateCase(EdgeCase):
    """The CA `root` signs `device` and `inter`, which signs `leaf`; `other` signs `stranger`."""

    @classmethod
    def setUpClass(cls):
        cls.ca = ca = Authority()
        cls.addClassCleanup(ca.remove)
        for name in ("root", "other"):
            ca.root(name)
        ca.device("device", "root")

    def setUp(self):
        super().setUp()
        self.protect()
        self.certificate = self.ca.flags("device")

    def protect(self, **more):
        for name in ("echo", "web"):
            self.edge.application(name, **{"policy": "certificate",
                                           "client_ca": self.ca.read("root.pem"), **more})

    def login(self, *flags, **more):
        return self.home.mayfly("login", "--batch", "--no-verbose", *flags, HOST, **more)

    def tunnel(self, *flags, text=b"through the tunnel", **more):
        """Returns the text that came back from the echo application through a tunnel."""
        running = self.home.start("ssh", "--hostname", HOST, *flags, stdin=-1, **more)
        running.write(text)
        self.assertEqual(running.wait_out(len(text)), text)
        running.close_stdin()
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        return self.assert_done(running.finish())

    def requests(self, host=HOST):
        return self.edge.log(host)

    def presented(self, host=HOST):
        """Returns the subject of the client certificate of each request, or None for a request without one."""
        return [entry["tls"]["certificate"] for entry in self.requests(host)]

    def assert_presents(self, name, host=HOST):
        shown = self.presented(host)
        self.assertTrue(shown and all(name in (one or "") for one in shown), shown)

    def assert_no_connection(self, result, *words, code=USAGE):
        self.assert_error(result, code, *words)
        self.assertEqual(self.edge.stats()["tls_connections"], 0)

    def curl_path(self):
        return {"PATH": os.path.dirname(programs.system("curl")) + ":" + self.home.bin}


class Listener:
    """mayfly behind a local port; exchange() makes a connection of its own."""

    def __init__(self, test, *flags, env=None):
        self.test = test
        self.running = test.home.start("tcp", "--hostname", HOST, "--url", "127.0.0.1:0", *flags,
                                       env=env)
        self.port = int(self.running.wait_err(r"127\.0\.0\.1:(\d+)").group(1))

    def exchange(self, text=b"over there"):
        with socket.create_connection(("127.0.0.1", self.port), 60) as connection:
            connection.sendall(text)
            seen = b""
            while len(seen) < len(text):
                piece = connection.recv(100)
                self.test.assertTrue(piece, self.running.err)
                seen += piece
            self.test.assertEqual(seen, text)
