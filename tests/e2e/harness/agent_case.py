"""The test case of stored keys and certificates: in the state directory, and in a real ssh-agent."""
import datetime
import json
import os

from . import programs
from .case import NOWHERE, EdgeCase
from .process import Running, run
from .waiting import eventually

KEYS = [f"ssh.example.com-cf_key{end}" for end in ("", "-cert.pub", ".pub")]
TEAM_TOKEN = "acme.cloudflareaccess.com-org-token"
TEAM_KEYS = "acme.cloudflareaccess.com-jwks"


def rfc3339(seconds):
    then = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


class AgentCase(EdgeCase):
    def start_agent(self):
        socket = os.path.join(self.home.path, "agent")
        Running([programs.system("ssh-agent"), "-D", "-a", socket], env=self.home.environment())
        eventually("the agent listens", lambda: os.path.exists(socket))
        self.home.variables["SSH_AUTH_SOCK"] = socket

    def agent_lists(self):
        return run([programs.system("ssh-add"), "-l"], env=self.home.environment()).out.decode()

    def certified(self, *flags):
        self.assert_done(self.home.mayfly("ssh-gen", "--hostname", "ssh.example.com", *flags))

    def status(self, *flags, **more):
        return self.assert_done(self.home.mayfly("status", *flags, env=NOWHERE, **more))

    def entries(self):
        return json.loads(self.status("--json").out)["entries"]

    def logout(self, *arguments):
        result = self.home.mayfly("logout", *arguments, env=NOWHERE)
        self.assertEqual(result.out, b"", result)
        return result
