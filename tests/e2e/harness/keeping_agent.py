"""An ssh-agent that refuses to remove one identity. A real agent answers all other requests."""
import os
import socket
import socketserver
import struct
import threading

# draft-miller-ssh-agent
_FAILURE = b"\x05"
_IDENTITIES_ANSWER = 12
_REMOVE_IDENTITY = 18


def _string(text):
    return struct.pack(">I", len(text)) + text


def _read(stream):
    """Returns one message without its length, or nothing at the end."""
    head = stream.read(4)
    return stream.read(struct.unpack(">I", head)[0]) if len(head) == 4 else b""


def _identities(answer):
    """Returns pairs of blob and comment."""
    rest = answer[5:]
    strings = []
    while rest:
        size, = struct.unpack(">I", rest[:4])
        strings.append(rest[4:4 + size])
        rest = rest[4 + size:]
    return zip(strings[::2], strings[1::2])


class KeepingAgent(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, real, comment):
        self.real, self.comment, self.path = real, comment, real + "-keeping"
        self.kept = set()
        super().__init__(self.path, _Conversation)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()
        os.unlink(self.path)


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        with _connected(self.server.real) as real:
            while question := _read(self.rfile):
                self.wfile.write(_string(self.answer(question, real)))

    def answer(self, question, real):
        if question[0] == _REMOVE_IDENTITY and question[5:] in self.server.kept:
            return _FAILURE
        real.write(_string(question))
        real.flush()
        answer = _read(real)
        if answer[0] == _IDENTITIES_ANSWER:
            self.server.kept |= {blob for blob, comment in _identities(answer) if comment == self.server.comment}
        return answer


def _connected(path):
    end = socket.socket(socket.AF_UNIX)
    end.connect(path)
    with end:
        return end.makefile("rwb")
