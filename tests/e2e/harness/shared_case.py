"""The test case of a directory that cloudflared has used: its files, its locks."""
import json
import os
import re

from . import programs
from .browser import Browser
from .case import EdgeCase
from .edge import USER

KEY = "ssh.example.com-cf_key"
AUTH_DOMAIN = "acme.cloudflareaccess.com"
URL = r"https://\S+/cdn-cgi/access/cli\?\S+"

# mayfly could wait ten minutes for a live process of cloudflared that holds a lock. No wait may take longer than this.
AT_ONCE = 20


def start_time_ms(pid):
    """Returns the start time of a process as gopsutil computes it, from btime and field 22 of /proc/PID/stat, in
    ticks."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/stat", encoding="ascii") as file:
        boot = int(re.search(r"^btime (\d+)$", file.read(), re.M).group(1))
    return boot * 1000 + ticks * 1000 // os.sysconf("SC_CLK_TCK")


def lock_text(pid, start_time):
    """Returns a lock's content as Go's encoder writes it: no blanks, and a line end."""
    return f'{{"pid":{pid},"start_time":{start_time}}}\n'


def go_jose(jwks):
    """Returns a key set as go-jose writes it: in its order of members, only those that it knows, without blanks."""
    order = ("use", "kty", "kid", "alg", "n", "e")
    keys = [{name: key[name] for name in order if name in key} for key in json.loads(jwks)["keys"]]
    return json.dumps({"keys": keys}, separators=(",", ":"))


class SharedCase(EdgeCase):
    def plant_keys(self):
        browser = Browser(self.edge.connect_to, self.edge.ca)
        _, status, text = browser.follow(f"https://{AUTH_DOMAIN}/cdn-cgi/access/certs")
        self.assertEqual(status, 200)
        content = go_jose(text)
        self.home.plant(AUTH_DOMAIN + "-jwks", content)
        self.edge.ask("DELETE", "/log")
        self.edge.ask("DELETE", "/stats")
        return content

    def plant_ssh_files(self, *validity):
        """Stores an SEC 1 PEM of P-256, its public line without a comment, and a certificate."""
        os.makedirs(self.home.state, 0o700, exist_ok=True)
        path = self.home.file(KEY)
        self.home.keygen("-q", "-t", "ecdsa", "-b", "256", "-m", "PEM", "-N", "", "-f", path)
        self.home.plant(KEY + ".pub", " ".join(self.home.text(KEY + ".pub").split()[:2]) + "\n")
        self.edge.sign_key(path + ".pub", "-I", "other", "-n", USER, *validity)
        os.chmod(path + "-cert.pub", 0o600)
        self.assertTrue(self.home.text(KEY).startswith("-----BEGIN EC PRIVATE KEY-----"))

    def holder(self):
        """Starts a process that lives and holds no flock, as cloudflared holds none."""
        return self.home.start("1000", program=programs.system("sleep"))

    def plant_lock(self, base, pid, start_time=None):
        start = start_time_ms(pid) if start_time is None else start_time
        self.home.plant(base + ".lock", lock_text(pid, start))

    def echoed(self, *arguments, data=b"hello", seconds=AT_ONCE):
        """Runs a tunnel whose stdin ends first; the edge's Close then ends the drain. Returns stderr."""
        running = self.home.start(*arguments, stdin=data)
        self.assertEqual(running.wait_out(len(data), seconds), data)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        result = self.assert_done(running.finish(AT_ONCE))
        self.assertEqual(result.out, data)
        return result.err

    def locks(self):
        return [name for name in self.home.files() if name.endswith((".lock", ".url"))]
