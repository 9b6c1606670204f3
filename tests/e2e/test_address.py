"""A machine whose address changes, or whose cable is pulled, between two networks of the tests."""
import os
import socket
import subprocess
import sys
import threading
import unittest

from harness import namespace, programs
from harness.case import NETWORK
from harness.process import PIPE, Running, run
from harness.relay import Relay
from harness.tunnel import ECHO, TunnelCase
from harness.waiting import GENEROUS, eventually

SERVER, FIRST, SECOND = "10.99.0.1", "10.99.0.2", "10.99.0.3"


class FromOutside(unittest.TestCase):
    @staticmethod
    def refusal():
        """Returns the reason why no virtual cable can be made here, or an empty string."""
        tried = namespace.run_inside([programs.system("ip"), "link", "add", "near", "type", "veth", "peer", "name",
                                      "far"], capture_output=True, text=True)
        return tried.stderr.strip()

    def test_in_networks_of_our_own(self):
        if why := namespace.refusal() or self.refusal():
            self.skipTest(f"no networks of one's own here: {why}")
        here = os.path.dirname(os.path.abspath(__file__))
        inside = namespace.run_inside([sys.executable, os.path.join(here, "run"), __file__], stdout=subprocess.PIPE,
                                      text=True)
        self.assertEqual(inside.returncode, 0, inside.stdout)
        self.assertNotIn("SKIP", inside.stdout)


class OtherMachine:
    """A network with one interface that is connected to the network of the tests. Programs started in it have no other
    network."""

    def __init__(self):
        self.holder = Running([programs.system("unshare"), "--net", "--", programs.system("sleep"), "600"],
                              env={"PATH": "/usr/bin:/bin"}, stdin=PIPE)
        self.entrance = f"/proc/{self.holder.pid}/ns/net"
        ours = os.stat("/proc/self/ns/net").st_ino
        eventually("it is in a network of its own", lambda: os.stat(self.entrance).st_ino != ours)
        self.ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(self.holder.pid), inside=False)
        self.ip("addr", "add", SERVER + "/24", "dev", "near", inside=False)
        self.ip("link", "set", "near", "up", inside=False)
        self.ip("addr", "add", FIRST + "/24", "dev", "far")
        for name in ("lo", "far"):
            self.ip("link", "set", name, "up")

    def enter(self, *command):
        return [programs.system("nsenter"), "--net=" + self.entrance, "--", *command]

    def ip(self, *words, inside=True):
        command = [programs.system("ip"), *words]
        done = run(self.enter(*command) if inside else command, env={"PATH": "/usr/bin:/bin"})
        assert done.code == 0, done

    def change_address(self):
        self.ip("addr", "del", FIRST + "/24", "dev", "far")
        self.ip("addr", "add", SECOND + "/24", "dev", "far")


class FromInside(TunnelCase):
    def setUp(self):
        super().setUp()
        self.machine = OtherMachine()
        self.addCleanup(run, [programs.system("ip"), "link", "del", "near"], env={"PATH": "/usr/bin:/bin"})
        self.relay = Relay(self.edge.port, address=SERVER)
        self.addCleanup(self.relay.stop)

    def start_there(self, *arguments, **more):
        command = self.machine.enter(programs.mayfly(), *arguments)
        return Running(command, env=self.home.environment({"MAYFLY_CONNECT_TO": self.relay.connect_to}), **more)

    def established(self):
        running = self.start_there(*ECHO, "--ping-interval", "2", stdin=PIPE)
        running.write(b"ready")
        running.wait_out(5)
        return running

    def test_address_that_changes(self):
        running = self.established()
        self.machine.change_address()
        result = running.finish()
        self.assertEqual((result.code, result.out), (NETWORK, b"ready"), result)
        self.assertIn("5 bytes sent, 5 received", result.err)
        # The old address must not be left over.
        self.hang_up(self.established())

    def test_cable_that_is_pulled_for_a_moment(self):
        running = self.established()
        self.machine.ip("link", "set", "far", "down")
        running.write(b" still here")
        self.machine.ip("link", "set", "far", "up")
        self.assertEqual(running.wait_out(16), b"ready still here")
        self.hang_up(running)

    def test_cable_that_is_pulled(self):
        running = self.established()
        self.machine.ip("link", "set", "far", "down")
        result = running.finish()
        self.assertEqual((result.code, result.out), (NETWORK, b"ready"), result)

    def test_cable_that_is_pulled_while_a_peer_takes_no_bytes(self):
        """A closed window keeps a tunnel only as long as the peer's host answers."""
        running = self.established()
        self.relay.strike("stall up")
        threading.Thread(target=self.write_much, args=(running,), daemon=True).start()
        self.assertFalse(running.ends_within(8), "its host answers")
        self.machine.ip("link", "set", "far", "down")
        result = running.finish()
        self.assertEqual((result.code, result.out), (NETWORK, b"ready"), result)

    @staticmethod
    def write_much(running):
        try:
            running.write(bytes(64 << 20))
        except OSError:
            pass  # The tunnel ends before it has taken them all.

    def test_listener_goes_on_from_the_new_address(self):
        running = self.start_there("access", "tcp", "--hostname", "echo.example.com", "--url", "unix:" + self.place(),
                                   "--ping-interval", "2")
        running.wait_err("Start Websocket listener")
        with self.connect() as before:
            self.assertEqual(before.recv(7, socket.MSG_WAITALL), b"through")
            self.machine.change_address()
            self.assertEqual(before.recv(1), b"", "it learns that its connection is gone")
        with self.connect() as after:
            self.assertEqual(after.recv(7, socket.MSG_WAITALL), b"through")
        self.assertEqual(self.relay.links[-1].client_address, SECOND)

    def place(self):
        return os.path.join(self.home.path, "listener")

    def connect(self):
        """Connects to a Unix socket, because both networks see the same files. Seven bytes are on their way."""
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(GENEROUS)
        local.connect(self.place())
        local.sendall(b"through")
        return local


def load_tests(loader, _tests, _pattern):
    if not namespace.is_inside():
        return loader.loadTestsFromTestCase(FromOutside)
    namespace.raise_loopback()
    return loader.loadTestsFromTestCase(FromInside)
