"""A TLS server that writes down whatever a client tells it."""
import ssl

from .origin import Server


class Recorder(Server):
    """received: the bytes of all clients, as they are inside TLS; shown: the subjects of their certificates; hellos:
    how many connections began. certificate, key: PEM; authority: whose client certificates it asks for."""

    def __init__(self, certificate, key, authority):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.context.load_verify_locations(authority)
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.received, self.shown, self.hellos = b"", [], 0
        super().__init__()

    def serve(self, connection):
        self.hellos += 1
        with self.context.wrap_socket(connection, server_side=True) as secured:
            self.shown.append(secured.getpeercert())
            while piece := secured.recv(4096):
                self.received += piece
