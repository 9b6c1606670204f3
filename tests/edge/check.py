#!/usr/bin/env python3
"""Checks mayfly-edge against its README: check.py EDGE [TEST ...]."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ("check_answers", "check_applications", "check_certificates", "check_oauth", "check_service_tokens",
         "check_tunnels")


def main():
    sys.dont_write_bytecode = True
    sys.path.insert(0, HERE)
    from edge_case import Edge, EdgeTest
    EdgeTest.edge = Edge(os.path.abspath(sys.argv[1]))
    tests = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[2:] or PARTS)
    passed = unittest.TextTestRunner().run(tests).wasSuccessful()
    return 0 if EdgeTest.edge.stop() == 0 and passed else 1

    def test_script_of_a_stream(self):
        for said, failure in ((b"xxxx", ""), (b"xxxy", "the data differs")):
            self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "script", "script": [
                {"frame": {"opcode": 2, "payload_size": 5, "payload_fill": "f", "fragment": 2}},
                {"expect_data": {"opcode": 2, "payload_size": 4, "payload_fill": "x"}}]}})
            _, client = self.upgrade("a.example.com")
            self.assertEqual([client.read() for _ in range(3)],
                             [(0x02, 0, b"ff"), (0x00, 0, b"ff"), (0x80, 0, b"f")])
            for opcode, piece in ((2, said[:1]), (9, b"meanwhile"), (2, said[1:])):
                client.send(opcode, piece)
            self.assertEqual(self.tunnel_log()["script"]["failure"], failure)

    def test_stalled_tunnel_answers_no_ping(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "echo"}})
        _, client = self.upgrade("a.example.com")
        client.send(9, b"before")
        self.assertEqual(client.read(), (0x8a, 0, b"before"))
        self.control("POST", "/close-tunnels", {"how": "stall"})
        client.send(9, b"after")
        client.stream.settimeout(0.3)
        self.assertRaises(TimeoutError, client.read)


if __name__ == "__main__":
    sys.exit(main())
