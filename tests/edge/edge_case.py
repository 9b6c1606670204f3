"""An edge for a class of checks, and its clients: Python's own TLS, and a small WebSocket client."""
import base64
import http.client
import json
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time
import unittest
import urllib.parse


def jwt_part(token, index):
    part = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body
        self.location = response.headers.get("Location", "")

    def cookie(self, name):
        for field in self.headers.get_all("Set-Cookie") or []:
            if field.startswith(name + "="):
                return field.split(";")[0].split("=", 1)[1]
        return None


class WebSocket:
    """Just enough of RFC 6455: raw frames out, raw frames in."""

    def __init__(self, stream):
        self.stream, self.buffer = stream, b""

    def send(self, opcode, payload, fin=True):
        head = bytes([(0x80 if fin else 0) | opcode])
        size = len(payload)
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        mask = b"\x01\x02\x03\x04"
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        self.stream.sendall(head + mask + masked)

    def take(self, count):
        while len(self.buffer) < count:
            more = self.stream.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def read(self):
        first, second = self.take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first, second >> 7, self.take(size)


class Edge:
    """Returns the edge that all checks share, because it makes its keys when they are first needed."""

    def __init__(self, program):
        self.directory = tempfile.mkdtemp()
        self.process = subprocess.Popen(
            [program, "--directory", self.directory + "/edge", "--until-stdin-closes"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = json.loads(self.process.stdout.readline())

    def stop(self):
        """The edge ends when its standard input ends."""
        self.process.stdin.close()
        code = self.process.wait(60)
        self.process.stdout.close()
        shutil.rmtree(self.directory)
        return code


class EdgeTest(unittest.TestCase):
    edge = None  # set before the first check runs

    @property
    def ready(self):
        return self.edge.ready

    @property
    def directory(self):
        return self.edge.directory

    def configure(self, applications, **rest):
        self.control("PUT", "/config", {"applications": applications, **rest})
        for path in ("/log", "/stats"):
            self.control("DELETE", path)

    def control(self, method, path, body=None, status=200):
        connection = http.client.HTTPConnection("127.0.0.1", self.ready["control"])
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        connection.request(method, path, text)
        response = connection.getresponse()
        result = json.loads(response.read())
        connection.close()
        self.assertEqual(response.status, status, result)
        return result

    def tls(self, host, certificate=None, version=None, session=None, context=None):
        if context is None:
            context = ssl.create_default_context(cafile=self.ready["ca"])
            if certificate:
                context.load_cert_chain(certificate + ".pem", certificate + ".key")
            if version:
                context.maximum_version = version
        raw = socket.create_connection(("127.0.0.1", self.ready["port"]), 10)
        self.addCleanup(raw.close)
        stream = context.wrap_socket(raw, server_hostname=host, session=session)
        self.addCleanup(stream.close)
        return stream

    def request(self, host, target="/", method="GET", body=None, headers=None, **options):
        connection = http.client.HTTPSConnection(host)
        connection.sock = self.tls(host, **options)
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        answer = Answer(response, response.read())
        connection.close()
        return answer

    def follow(self, url, headers=None, **options):
        parts = urllib.parse.urlsplit(url)
        self.assertEqual(parts.scheme, "https")
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        return self.request(parts.netloc, target, headers=headers, **options)

    def upgrade(self, host, headers=None, **options):
        stream = self.tls(host, **options)
        lines = ["GET / HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            more = stream.recv(65536)
            if not more:
                break
            head += more
        head, _, rest = head.partition(b"\r\n\r\n")
        client = WebSocket(stream)
        client.buffer = rest
        return head.decode(), client

    def mint(self, application, **body):
        return self.control("POST", "/mint", {"application": application, **body})["token"]

    def tunnel_log(self):
        for _ in range(100):
            entries = [e["tunnel"] for e in self.control("GET", "/log") if e["tunnel"]]
            if entries and not entries[-1]["open"]:
                return entries[-1]
            time.sleep(0.05)
        self.fail("the tunnel did not end")
