"""A TLS server with a valid certificate that is not an application of Access, and that keeps all the bytes it
receives."""
import os
import shutil
import ssl
import tempfile

from .origin import Server
from .server_certificate import make_server_certificate

# By default it is a web server that accepts every request.
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"


class Stranger(Server):
    """Reads one request of each connection, records it in `requests`, and sends `answer`."""

    def __init__(self, edge, host, answer=HELLO):
        self.requests, self.answer = [], answer
        self.directory = tempfile.mkdtemp(prefix="mayfly-stranger-")
        make_server_certificate(edge, host, self.directory)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*(os.path.join(self.directory, name)
                                       for name in ("server.pem", "server.key")))
        super().__init__()

    def serve(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as secured:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = secured.recv(1 << 16)
                if not piece:
                    break
                head += piece
            if not head:
                return
            self.requests.append(head.decode("latin-1"))
            secured.sendall(self.answer)
            if not head.startswith(b"HEAD "):
                secured.sendall(b"hello")

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory)
