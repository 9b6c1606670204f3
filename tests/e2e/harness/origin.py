"""Servers behind and in front of the edge: a TCP origin, proxies."""
import base64
import select
import socket
import ssl
import struct
import threading


class Server:
    """Accepts on a free loopback port; serve(socket) runs in a thread for each connection."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections, self.failures = [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                self.serve(connection)
        except OSError as error:
            self.failures.append(error)

    def serve(self, connection):
        raise NotImplementedError

    def stop(self):
        for connection in [self.socket, *self.connections]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()


def echo(connection):
    while piece := connection.recv(1 << 16):
        connection.sendall(piece)


class Origin(Server):
    """A TCP server that runs `part` for each connection."""

    def __init__(self, part):
        self.part = part
        super().__init__()
        self.address = f"tcp:127.0.0.1:{self.port}"

    def serve(self, connection):
        self.part(connection)


class Proxy(Server):
    """An HTTP proxy that knows CONNECT only. `requests` contains the heads that it has received."""

    def __init__(self, credentials=None):
        self.credentials, self.requests = credentials, []
        super().__init__()

    def serve(self, connection):
        while text := self._head(connection):
            self.requests.append(text)
            method, target, _ = text.split(" ", 2)
            if method != "CONNECT":
                return connection.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            if not self.credentials or self._expected() in text:
                return self._tunnel(connection, target)
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                               b'Proxy-Authenticate: Basic realm="e2e"\r\nContent-Length: 0\r\n\r\n')
        return None

    def _head(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(4096)
            if not piece:
                return ""
            head += piece
        return head.decode("latin-1")

    def _expected(self):
        return "Basic " + base64.b64encode(self.credentials.encode()).decode()

    def _tunnel(self, connection, target):
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host.strip("[]"), int(port))) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.connections.append(upstream)
            back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
            back.start()
            _copy(connection, upstream)
            back.join()


class TlsProxy(Proxy):
    """The same proxy behind TLS, with a certificate (PEM, with its key) of its own."""

    def __init__(self, certificate, credentials=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        super().__init__(credentials)

    def serve(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as secured:
            super().serve(secured)

    def _tunnel(self, connection, target):
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host.strip("[]"), int(port))) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.connections.append(upstream)
            # One thread serves both directions, because a TLS object of Python does not support two threads.
            while True:
                readable = [connection] if connection.pending() else select.select([connection, upstream], [], [])[0]
                for source in readable:
                    piece = source.recv(1 << 16)
                    if not piece:
                        return
                    (upstream if source is connection else connection).sendall(piece)


class SocksProxy(Server):
    """A SOCKS5 proxy (RFC 1928), with user and password (RFC 1929) if there are credentials. `requests` contains each
    requested (host, port)."""

    def __init__(self, credentials=None):
        self.credentials, self.requests = credentials, []
        super().__init__()

    def serve(self, connection):
        read = connection.makefile("rb").read
        wanted = 2 if self.credentials else 0
        if wanted not in read(read(2)[1]):
            return connection.sendall(b"\x05\xff")
        connection.sendall(bytes([5, wanted]))
        if self.credentials:
            user = read(read(2)[1]).decode()
            good = f"{user}:{read(read(1)[0]).decode()}" == self.credentials
            connection.sendall(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return None
        kind = read(4)[3]
        host = socket.inet_ntoa(read(4)) if kind == 1 else read(read(1)[0]).decode()
        port, = struct.unpack(">H", read(2))
        self.requests.append((host, port))
        with socket.create_connection((host, port)) as upstream:
            connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
            self.connections.append(upstream)
            back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
            back.start()
            _copy(connection, upstream)
            back.join()
        return None


def _copy(source, sink):
    try:
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
