"""The bytes to send to each kind of listener, and the bytes that must come back through its tunnel."""
import dataclasses
import socket
import struct
from typing import Callable

from .waiting import GENEROUS

ECHO, WEB, BASTION = "echo.example.com", "web.example.com", "bastion.example.com"


@dataclasses.dataclass(frozen=True)
class Visit:
    """of: the application's name at the edge. words(edge, place) returns the bytes to send at "127.0.0.1:PORT"."""
    host: str
    of: str
    words: Callable
    answer: bytes


def _request(_edge, place):
    return f"GET / HTTP/1.0\r\nHost: {place}\r\n\r\n".encode()


def _request_by_socks(edge, _place):
    """Returns a SOCKS5 handshake (RFC 1928) in one piece, and a request. The edge's control port answers it."""
    return (b"\x05\x01\x00" + b"\x05\x01\x00\x01" + socket.inet_aton("127.0.0.1") + struct.pack(">H", edge.facts["control"])
            + b"GET /stats HTTP/1.0\r\nHost: edge\r\n\r\n")


VISITS = {"tcp": Visit(ECHO, "echo", lambda edge, place: b"through", b"through"),
          "http": Visit(WEB, "web", _request, b"hello from web"),
          "socks": Visit(BASTION, "bastion", _request_by_socks, b"HTTP/1.1 200")}


def add_bastion(edge, **more):
    edge.application("bastion", hostname=BASTION, origin="bastion", **more)


def visit(edge, kind, port):
    """Returns the connection, once the answer has come."""
    one = VISITS[kind]
    connection = socket.create_connection(("127.0.0.1", port), timeout=GENEROUS)
    connection.sendall(one.words(edge, f"127.0.0.1:{port}"))
    heard = b""
    while one.answer not in heard:
        piece = connection.recv(4096)
        assert piece, f"it ended after {heard!r}"
        heard += piece
    return connection
