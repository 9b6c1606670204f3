"""A TLS server that records everything that clients send."""
import ssl

from .origin import Server


class Recorder(Server):
    """received: the bytes of all clients, inside TLS. shown: the subjects of their certificates. hellos: the number of
    connections that began. certificate, key: PEM. authority: the CA whose client certificates it asks for."""

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
