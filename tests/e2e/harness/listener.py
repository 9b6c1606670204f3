"""The test case of all listeners: mayfly behind a local port or socket, and the clients that connect to it."""
import os
import re
import socket
import struct

from .case import EdgeCase
from .waiting import GENEROUS, eventually

STARTED = r"INF Start \S+ listener host=(\S+)"


class ListenerCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.token = self.know("echo")

    def know(self, application):
        """Stores the metadata and the token of the application, without a person."""
        hostname = self.edge.application(application)["hostname"]
        token = self.home.plant_token(application)
        self.assert_done(self.home.mayfly("login", "--batch", "-q", hostname))
        self.edge.ask("DELETE", "/log")
        return token

    def forget_metadata(self):
        """A listener asks about an application that it does not know when it starts."""
        os.remove(self.home.file("echo.example.com-app"))

    def listen(self, *flags, host="echo.example.com", **more):
        return self.home.start("access", "tcp", "--hostname", host, *flags, **more)

    def places(self, running, count=1):
        """Returns the addresses that the first `count` listeners have printed."""
        eventually("it listens", lambda: running.has_ended() or
                   len(re.findall(STARTED, running.err)) >= count)
        found = re.findall(STARTED, running.err)
        self.assertGreaterEqual(len(found), count, f"it does not listen:\n{running.err}")
        return found

    def at_free_port(self, *flags, **more):
        """Starts a listener on a free port, and waits until it has tried its application. Returns the listener and the
        port."""
        env = more.pop("env", None) or {}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("")  # The kernel chooses a name, which begins with a null byte.
            name = manager.getsockname().decode().replace("\0", "@", 1)
            running = self.listen("--url", "127.0.0.1:0", *flags, env={"NOTIFY_SOCKET": name, **env}, **more)
            port = int(self.places(running)[0].rsplit(":", 1)[1])
            if "NOTIFY_SOCKET" not in env:
                manager.settimeout(GENEROUS)
                self.assertEqual(manager.recv(100), b"READY=1")
        return running, port

    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), timeout=GENEROUS)
        self.addCleanup(connection.close)
        return connection

    def connect_unix(self, path):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(GENEROUS)
        connection.connect(path)
        return connection

    def assert_echo(self, connection, data=b"through"):
        connection.sendall(data)
        self.assertEqual(receive(connection, len(data)), data)
        return connection


def receive(connection, count):
    """Returns `count` bytes, or fewer if the other side ends."""
    received = bytearray()
    while len(received) < count:
        piece = connection.recv(1 << 16)
        if not piece:
            break
        received += piece
    return bytes(received)


def abort(connection):
    """Closes the connection with a reset, as the kernel does for a program that dies with unread bytes."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
