"""Tunnels, their origins, and their faults."""
import http.client
import socket
import ssl
import struct

from edge_case import EdgeTest


class Tunnels(EdgeTest):
    def test_echo(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "echo"}})
        head, client = self.upgrade("a.example.com")
        self.assertIn("101", head.split("\r\n")[0])
        self.assertIn("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head)  # RFC 6455 section 1.3
        for size in (0, 5, 125, 126, 65535, 65536, 300000):
            client.send(2, b"x" * size)
            received = b""
            while True:
                first, masked, payload = client.read()
                self.assertEqual(masked, 0)
                received += payload
                if first & 0x80:
                    break
            self.assertEqual(received, b"x" * size)
        client.send(9, b"ping")
        self.assertEqual(client.read(), (0x8A, 0, b"ping"))
        client.send(8, struct.pack(">H", 1000) + b"bye")
        self.assertEqual(client.read()[0], 0x88)
        record = self.tunnel_log()
        self.assertEqual((record["end"], record["close_received"], record["close_reason"]),
                         ("close", 1000, "bye"))
        self.assertEqual(record["bytes_in"], record["bytes_out"])

    def test_source(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass",
                              "origin": "source:1000000", "websocket": {"close_code": 1001}}})
        _, client = self.upgrade("a.example.com")
        received = b""
        while True:
            first, _, payload = client.read()
            if first == 0x88:
                break
            received += payload
        self.assertEqual(payload, struct.pack(">H", 1001))
        self.assertEqual(received, bytes(i % 251 for i in range(1000000)))

    def test_tcp(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass",
                              "origin": f"tcp:127.0.0.1:{port}"}})
        _, client = self.upgrade("a.example.com")
        origin, _ = listener.accept()
        client.send(2, b"to the origin")
        self.assertEqual(origin.recv(100), b"to the origin")
        origin.sendall(b"and back")
        self.assertEqual(client.read()[2], b"and back")
        origin.close()
        self.assertEqual(client.read(), (0x88, 0, struct.pack(">H", 1000)))
        client.send(8, struct.pack(">H", 1000))
        self.assertEqual(self.tunnel_log()["close_sent"], 1000)
        listener.close()
        head, _ = self.upgrade("a.example.com")
        self.assertIn("502", head.split("\r\n")[0])

    def test_http_origin(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        self.configure({"a": {"hostname": "a.example.com", "origin": f"http:127.0.0.1:{port}"}})
        connection = http.client.HTTPSConnection("a.example.com")
        connection.sock = self.tls("a.example.com")
        connection.request("POST", "/path", "body", {"Cf-Access-Token": self.mint("a")})
        origin, _ = listener.accept()
        text = b""
        while not text.endswith(b"body"):
            text += origin.recv(65536)
        self.assertNotIn(b"Cf-Access-Token", text)
        self.assertIn(b"Cf-Access-Jwt-Assertion", text)
        origin.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok")
        origin.close()
        response = connection.getresponse()
        self.assertEqual((response.status, response.read()), (201, b"ok"))
        self.assertIsNotNone(response.headers["cf-ray"])
        listener.close()

    def test_upgrade_faults(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "echo"}})
        for fault, expected in (("403_challenge", "cf-mitigated: challenge"), ("530_1033", " 530 "),
                                ("login_redirect", "/cdn-cgi/access/login/"), ("200", " 200 "),
                                ("wrong_upgrade", "h2c"), ("extension", "permessage-deflate"),
                                ("http_1_0", "HTTP/1.0 101")):
            self.control("PATCH", "/config", {"faults": {"upgrade." + fault: 1}})
            self.assertIn(expected, self.upgrade("a.example.com")[0])

    def test_tunnel_faults(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "echo"}})
        for fault, first in (("masked", 0x82), ("reserved_bits", 0xC2), ("unknown_opcode", 0x83),
                             ("oversized_ping", 0x89), ("continuation", 0x80), ("short_close", 0x88)):
            self.control("PATCH", "/config", {"faults": {"tunnel." + fault: 1}})
            _, client = self.upgrade("a.example.com")
            self.assertEqual(client.take(1)[0], first)
            client.send(8, struct.pack(">H", 1002))
            self.assertEqual(self.tunnel_log()["close_received"], 1002)
            self.control("DELETE", "/log")
        self.control("PATCH", "/config", {"faults": {"tunnel.eof": {"times": 1, "bytes": 3}}})
        _, client = self.upgrade("a.example.com")
        client.send(2, b"hello")
        self.assertEqual(client.read()[2], b"hel")
        self.assertRaises((EOFError, ssl.SSLEOFError), client.read)

    def test_close_tunnels(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "discard"}})
        _, client = self.upgrade("a.example.com")
        self.assertEqual(len(self.control("GET", "/tunnels")), 1)
        self.control("POST", "/close-tunnels", {"code": 1001, "reason": "away"})
        self.assertEqual(client.read(), (0x88, 0, struct.pack(">H", 1001) + b"away"))
        client.send(8, struct.pack(">H", 1001))
        self.assertEqual(self.tunnel_log()["end"], "close")
        _, client = self.upgrade("a.example.com")
        self.control("POST", "/close-tunnels", {"how": "reset"})
        self.assertRaises((EOFError, OSError), client.read)  # Python's TLS may hide the reset

    def test_script(self):
        script = [{"early": True}, {"frame": {"opcode": 1, "payload": "a", "fin": False}},
                  {"frame": {"opcode": 9, "payload": "p"}}, {"expect": {"opcode": 10, "payload": "p"}},
                  {"pieces": 1}, {"send": "8001 62"}, {"expect": {"opcode": 8, "code": 1000, "masked": True}},
                  {"end": "shutdown"}]
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "script",
                              "script": script}})
        _, client = self.upgrade("a.example.com")
        self.assertEqual(client.read(), (0x01, 0, b"a"))
        self.assertEqual(client.read(), (0x89, 0, b"p"))
        client.send(10, b"p")
        self.assertEqual(client.read(), (0x80, 0, b"b"))
        client.send(8, struct.pack(">H", 1000))
        record = self.tunnel_log()
        self.assertTrue(record["script"]["ok"], record)
        self.assertEqual(record["close_received"], 1000)
