"""Measures one listener with a growing number of connections."""
import selectors
import socket
import time

from harness import tcp

from ..program import Client

KIB = 1024
AT_ONCE = 16  # connections that wait for their tunnel


class Crowd:
    """Connections to a port, each of which has had a byte echoed."""

    def __init__(self, port):
        self.port, self.held = port, []

    def grow(self, count):
        waiting = selectors.DefaultSelector()
        missing = count - len(self.held)
        while missing > 0 or waiting.get_map():
            while missing > 0 and len(waiting.get_map()) < AT_ONCE:
                waiting.register(self._connect(), selectors.EVENT_READ)
                missing -= 1
            for key, _ in self._next(waiting):
                if key.fileobj.recv(1) != b"1":
                    raise SystemExit(f"connection {len(self.held)} was not served")
                waiting.unregister(key.fileobj)
                self.held.append(key.fileobj)
        waiting.close()

    def _connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(b"1")
        return connection

    @staticmethod
    def _next(waiting):
        ready = waiting.select(60)
        if not ready:
            raise SystemExit("a connection waited for a minute")
        return ready

    def leave(self):
        for connection in self.held:
            connection.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port):
    """Asks the kernel whether the port listens. A test connection would be the first connection, and would be
    measured."""
    return any((row.state, row.port) == (tcp.LISTENING, port) for row in tcp.rows())


def wait_until_it_listens(port):
    deadline = time.monotonic() + 60
    while not _listens(port):
        if time.monotonic() > deadline:
            raise SystemExit("it does not listen")
        time.sleep(0.01)


def plateaus(subject, counts):
    """Returns (connections, CPU seconds so far, resident bytes) once that many connections are open."""
    port = free_port()
    argv = subject.argv("tcp", "--hostname", "held.example.com", "--url", f"127.0.0.1:{port}")
    with Client(argv, subject.environment("held")) as client:
        wait_until_it_listens(port)
        crowd = Crowd(port)
        found = [(0, client.cpu(), client.memory()["rss"])]
        for count in counts:
            crowd.grow(count)
            found.append((count, client.cpu(), client.memory()["rss"]))
        crowd.leave()
    return found


def listener(_world, subject, scale):
    found = plateaus(subject, scale.connections)
    sample = {}
    for (few, cpu_before, rss_before), (many, cpu, rss) in zip(found, found[1:]):
        sample[f"held.{many}.cpu"] = (cpu - cpu_before) * 1e3 / (many - few)
        sample[f"held.{many}.memory"] = (rss - rss_before) / KIB / (many - few)
    return {**sample, "listener.cpu": sample[f"held.{many}.cpu"],
            "listener.memory": sample[f"held.{many}.memory"], "listener.held": many}
