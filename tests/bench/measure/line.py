"""The lines between client and edge. The address to which a name resolves decides the round trip time."""
import contextlib
import os
import subprocess

from harness import programs

EDGE = "127.0.0.1"


def relay_address(round_trip):
    return f"127.0.1.{round_trip}"


class Lines:
    """Writes the namespace's hosts file. A name has the edge's address, or that of a relay in front of the edge."""

    def __init__(self, folder, names):
        self.path, self.names = os.path.join(folder, "hosts"), names
        self.relays = {}
        self._lead_to(EDGE)
        subprocess.run([programs.system("mount"), "--bind", self.path, "/etc/hosts"], check=True)

    def _lead_to(self, address):
        # The file is written in place, because the mount is of the file and not of its name.
        with open(self.path, "w", encoding="ascii") as file:
            file.write("127.0.0.1 localhost\n")
            file.writelines(f"{address} {name}\n" for name in self.names)

    @contextlib.contextmanager
    def long(self, round_trip):
        """Within this context, all names are `round_trip` milliseconds away."""
        if round_trip:
            self._start_relay(round_trip)
            self._lead_to(relay_address(round_trip))
        try:
            yield
        finally:
            self._lead_to(EDGE)

    def _start_relay(self, round_trip):
        if round_trip in self.relays:
            return
        program = os.path.join(os.environ["MAYFLY_BUILD"], "tests/bench/relay")
        relay = subprocess.Popen([program, relay_address(round_trip), "443", EDGE, "443", str(round_trip)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if relay.stdout.readline() != b"ready\n":
            raise SystemExit("the relay did not start")
        self.relays[round_trip] = relay

    def stop(self):
        for relay in self.relays.values():
            relay.stdin.close()
            relay.wait()
            relay.stdout.close()
