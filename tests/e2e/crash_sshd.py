"""Crash scenarios of sshd-config: whenever it is killed, sshd accepts the configuration."""
import atexit
import os
import shutil

from crash_checks import require
from crash_scenario import Scenario, must
from harness.sshd_folder import SshdFolder


class _Stage:
    """A folder like /etc/ssh, and its content at the start of each run. `text` is its sshd_config, and None stands for
    the usual Include."""

    def __init__(self, name, text, is_written):
        self.path = f"/run/mayfly-crash-{os.getpid()}-{name}"
        self.text, self.is_written = text, is_written
        self.saved = self.path + "-saved"

    def files(self):
        return self.folder.snapshot()

    def prepare(self, home):
        for path in (self.path, self.saved):
            shutil.rmtree(path, ignore_errors=True)
            atexit.register(shutil.rmtree, path, ignore_errors=True)
        self.folder = SshdFolder(self.path)
        self.folder.configure(self.folder.include if self.text is None else self.text)
        shutil.copy2(home.edge.ssh_ca_pub, self.folder.file("key.pub"))
        self.bare = self.files()
        if self.is_written:
            must(home.mayfly(*self.arguments("--write")))
        shutil.copytree(self.path, self.saved)

    def arguments(self, way):
        what = ("--ca", self.path + "/key.pub", "--principals", "deploy=jdoe") if way == "--write" else ()
        return ("sshd-config", "--file", self.path + "/sshd_config", *what, way)

    def before_each(self, _home):
        shutil.rmtree(self.path)
        shutil.copytree(self.saved, self.path)

    def holds(self, _home):
        tested = self.folder.test()
        require(tested.code == 0, f"sshd refuses it: {tested}")
        value = self.folder.setting("TrustedUserCAKeys")
        require(value in ("none", self.folder.ca), value)
        if value != "none":
            require(len(self.folder.read("mayfly_ca.pub").splitlines()) == 2, "the key is not there")

    def written(self, home, _output):
        require(self.folder.setting("TrustedUserCAKeys") == self.folder.ca, "the lines have no effect")
        path = self.folder.file("mayfly_principals/deploy")
        require(self.folder.setting("AuthorizedPrincipalsFile", "deploy") == path, "no principals")
        require(self.folder.read(path).splitlines()[1:] == ["jdoe"], "other principals")
        self._nothing_over()

    def removed(self, _home, _output):
        require(self.files() == self.bare, f"{self.files()} is not {self.bare}")

    def _nothing_over(self):
        left = [name for name in self.files() if ".mayfly-" in name]
        require(not left, f"left behind: {left}")


def _scenario(name, text, way):
    stage = _Stage(name, text, way == "--remove")
    done = stage.written if way == "--write" else stage.removed
    return Scenario(stage.arguments(way), stage.prepare, done, before_each=stage.before_each, holds=stage.holds)


def _scenarios():
    for way in ("--write", "--remove"):
        for where, text in (("", None), ("-own-file", "UsePAM yes")):  # no line feed at its end
            name = f"sshd-config{where}-{way[2:]}"
            yield name, _scenario(name, text, way)


# Only root may run these.
SCENARIOS = dict(_scenarios()) if os.geteuid() == 0 else {}
