"""The rows of the table: the name, the unit and the aim of each figure."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Aim:
    """An upper limit: `most` times the figure of the reference client or of the floor, or `most` itself."""
    of: str  # "peer", "floor" or "itself"
    most: float
    text: str

    def is_met(self, medians):
        """Returns None if there is no figure to compare with."""
        base = {"itself": 1, "floor": medians.get("floor")}.get(
            self.of, next((v for k, v in medians.items() if k not in ("mayfly", "floor")), None))
        if base is None or "mayfly" not in medians:
            return None
        return medians["mayfly"] <= self.most * base


@dataclasses.dataclass(frozen=True)
class Row:
    id: str
    label: str
    unit: str
    aim: Aim = None


def of_peer(share, text):
    return Aim("peer", share, text)


def of_floor(share, text):
    return Aim("floor", share, text)


def at_most(value, text):
    return Aim("itself", value, text)


ROWS = (
    Row("start.wall", "start (`ssh-config`)", "ms", of_peer(1 / 10, "a tenth")),
    Row("start.cpu", "start, CPU", "ms"),
    Row("ssh-gen.wall", "`ssh-gen`, certificate still valid", "ms", of_peer(1 / 12, "a twelfth")),
    Row("ssh-gen.cpu", "`ssh-gen`, CPU", "ms"),
    Row("ssh-gen.connections", "`ssh-gen`, TLS connections", "", at_most(0, "0")),
    Row("first-byte.wall", "`ssh` to first byte", "ms", of_peer(1 / 3, "a third")),
    Row("first-byte.cpu", "`ssh` to first byte and end, CPU", "ms"),
    Row("first-byte.connections", "`ssh` to first byte, TLS connections", "", at_most(1, "1")),
    Row("service-token.connections", "`ssh` with a service token, TLS connections", "", at_most(1, "1")),
    Row("service-token.requests", "`ssh` with a service token, requests", "", at_most(1, "1")),
    Row("upload.cpu", "upload, CPU per GiB", "s", of_floor(1.1, "floor + 10 %")),
    Row("upload.rate", "upload", "MiB/s"),
    Row("download.cpu", "download, CPU per GiB", "s", of_floor(1.1, "floor + 10 %")),
    Row("download.rate", "download", "MiB/s"),
    Row("echo.cpu", "64-byte echo, CPU", "us", of_peer(1 / 2, "a half")),
    Row("echo.wall", "64-byte echo, there and back", "us"),
    Row("echo.wakes", "64-byte echo, times woken", ""),
    Row("memory.idle", "memory, idle tunnel", "MiB", at_most(13, "13")),
    Row("memory.busy", "memory, while bytes pass", "MiB", at_most(14, "14")),
    Row("listener.memory", "listener, memory per connection held", "KiB", at_most(48, "48")),
    Row("listener.cpu", "listener, CPU per new connection", "ms", at_most(0.5, "0.5")),
    Row("listener.held", "listener, connections held", ""),
    Row("exchanges.cpu", "listener, 50 echoes at once, CPU for each", "us"),
    Row("exchanges.rate", "listener, 50 echoes at once", "/s"),
    Row("exchanges.calls", "listener, 50 echoes at once, system calls for each", ""),
    Row("far.ssh-gen", "50 ms away: `ssh-gen`", "ms", at_most(5, "5")),
    Row("far.first-byte", "50 ms away: `ssh` to first byte", "ms", at_most(200, "200")),
    Row("far.ssh", "50 ms away: all of `ssh host true`", "ms", at_most(700, "700")),
    Row("far.ssh-shared", "50 ms away: the second `ssh host true`, multiplexed", "ms", at_most(150, "150")),
    Row("count.start", "instructions: start", "million"),
    Row("count.ssh-gen", "instructions: `ssh-gen`", "million"),
    Row("count.upload", "instructions: 16 MiB up", "million"),
    Row("count.download", "instructions: 16 MiB down", "million"),
    Row("count.allocations", "allocations for each frame, but OpenSSL's", "", at_most(0, "0")),
)
MORE_IS_BETTER = ("upload.rate", "download.rate", "listener.held", "exchanges.rate")
