"""The test case of mayfly http: an application `wiki` behind a local address."""
import http.client
import socket
import unittest

from . import programs
from .listener import ListenerCase, receive
from .process import run
from .waiting import GENEROUS
from .web import Web

HOST = "wiki.example.com"


def name_of_this_computer():
    """Returns a name that a browser does not trust more than any other name, wherever it leads."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        raise unittest.SkipTest(f"this computer's name {name} is no address") from None
    if name == "localhost" or name.endswith(".localhost"):
        raise unittest.SkipTest("this computer has no name but localhost")
    return name.lower()


class HttpCase(ListenerCase):
    def setUp(self):
        super().setUp()
        self.edge.application("wiki", hostname=HOST, origin="page")
        self.token = self.know("wiki")

    def listen(self, *flags, host=HOST, **more):
        return self.home.start("http", "--hostname", host, *flags, **more)

    def web(self, answer):
        web = Web(answer)
        self.addCleanup(web.stop)
        self.edge.application("wiki", origin=web.address)
        return web

    def talk(self, port, request, host=None):
        """Sends raw bytes and returns everything that comes back until the end. HOST in them stands for the listener's
        address."""
        connection = self.connect(port)
        connection.sendall(request.replace("HOST", host or f"127.0.0.1:{port}").encode("latin-1"))
        return receive(connection, 1 << 24).decode("latin-1")

    def get(self, port, path="/", method="GET", body=None, **headers):
        """Returns status, headers and body of one request over a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=GENEROUS)
        client.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = client.getresponse()
        content = answer.read()
        client.close()
        return answer.status, answer.headers, content

    def assert_upgraded(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)

    def requests(self):
        return [entry for entry in self.edge.log(HOST) if entry["path"] != "/cdn-cgi/access/cli"]

    def curl(self, *arguments):
        return run([programs.system("curl"), "-sS", "--max-time", str(GENEROUS), *arguments])
