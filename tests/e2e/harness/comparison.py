"""The results of a tool in a scenario, in a form in which equal results of two tools compare equal."""
import dataclasses
import json
import os
import re
import stat
import urllib.parse

from .edge import claims
from .home import Home

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
KEY = re.compile(r"[\w-]{43}(=|%3D)")
COMMENT = re.compile(r"/\S+/signing-\d+\.pub")  # the comment that ssh-keygen writes for the edge's file
PROMPTS = ("A browser window should have opened at the following URL:",
           "Please open the following URL and log in with your Cloudflare account:")
# The values of these headers are compared. Of cookies only the names are compared, and of tokens only their kind.
HEADERS = ("CF-Access-Metadata-Request", "Cf-Access-Client-Id", "Cf-Access-Jump-Destination",
           "Content-Type", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
           "Upgrade", "X-Added")


@dataclasses.dataclass
class Observation:
    """The run of a scenario with one tool. Every aspect is a list of lines."""
    stdout: list = dataclasses.field(default_factory=list)
    codes: list = dataclasses.field(default_factory=list)
    prompts: list = dataclasses.field(default_factory=list)
    opened: list = dataclasses.field(default_factory=list)
    requests: list = dataclasses.field(default_factory=list)
    files: list = dataclasses.field(default_factory=list)


ASPECTS = tuple(field.name for field in dataclasses.fields(Observation))


class Tool:
    """A program in a home, which keeps the result of every command."""

    def __init__(self, name, program, edge, home=None):
        self.name, self.program, self.edge = name, program, edge
        self.home = home or Home(edge)
        del self.home.variables["MAYFLY_CONNECT_TO"]  # The reference client does not know this variable.
        self.seen = Observation()
        self.heard = []  # stderr, for a person who examines a difference

    def start(self, *arguments, **more):
        return self.home.start("access", *arguments, program=self.program, **more)

    def run(self, *arguments, **more):
        return self.keep(self.start(*arguments, **more).finish())

    def keep(self, result):
        self.seen.stdout.append(self.plain(result.out.decode("utf-8", "backslashreplace")))
        self.heard.append(result.err)
        self.seen.codes.append(str(result.code))
        self.seen.prompts += [line for line in PROMPTS if line in result.err]
        return result

    def plain(self, text):
        text = JWT.sub("<jwt>", text.replace(self.home.path, "<home>"))
        return KEY.sub("<key>", text.replace(self.program, "<program>"))

    def observe(self):
        self.seen.opened = [self.plain(urllib.parse.unquote(visit["url"]))
                            for visit in self.home.browsed()]
        self.seen.requests = [self.plain(request_line(entry)) for entry in self.edge.log()
                              if ["User-Agent", "a person"] not in entry["headers"]]
        self.seen.files = [self.plain(f"{describe(self.home, name)}") for name in self.home.files()]
        return self.seen


def request_line(entry):
    words = [entry["method"], entry["host"] + entry["target"]]
    values = {name.lower(): value for name, value in entry["headers"]}
    words += [f"{name}={values[name.lower()]}" for name in HEADERS if name.lower() in values]
    if "cf-access-token" in values:
        words.append("token=" + kind(values["cf-access-token"]))
    for pair in values.get("cookie", "").split("; ") if "cookie" in values else []:
        name, _, value = pair.partition("=")
        words.append(f"cookie {name}" + (f"={kind(value)}" if JWT.match(value) else ""))
    if entry["method"] == "POST":
        words.append(body_shape(entry["body"]))
    return " ".join(re.sub(r"(kid|meta|nonce|redirect_url|state)=[^& ]+", r"\1=..", word) for word in words)


def body_shape(body):
    try:
        content = json.loads(body)
    except ValueError:
        return repr(body)
    return "{" + ", ".join(f"{k}: {str(v).split()[0] if k != 'jwt' else kind(v)}"
                           for k, v in sorted(content.items())) + "}"


def kind(jwt):
    return claims(jwt).get("type", "jwt") if JWT.fullmatch(jwt) else "no JWT"


def describe(home, name):
    mode = stat.S_IMODE(os.lstat(home.file(name)).st_mode)
    return f"{name} {mode:04o} {format_of(home.read(name))}"


def format_of(content):
    """Describes the format of a file to the byte, without the parts that differ each time."""
    text = content.decode("utf-8", "backslashreplace")
    text = JWT.sub(lambda match: f"<{kind(match.group())} token>", text)
    if text.startswith('{"keys"'):
        return "key set"
    text = re.sub(r'"(pid|start_time)":\d+', r'"\1":N', text)
    text = re.sub(r"(-----BEGIN [\w ]+-----).*(-----END [\w ]+-----)", r"\1..\2", text, flags=re.S)
    text = re.sub(r"^((?:ecdsa|ssh)-\S+) \S+", r"\1 ..", text)
    text = COMMENT.sub("<comment>", text)
    return repr(text if not text.startswith("https://") else "URL")


@dataclasses.dataclass(frozen=True)
class Listed:
    """A permitted difference: lines of one side that the other side does not have."""
    aspect: str
    side: str  # "ours", "peer"
    line: str  # a regular expression for the whole line
    reason: str
    scenarios: str = ".*"

    def covers(self, scenario, aspect, side, line):
        return (self.aspect == aspect and self.side == side and
                re.fullmatch(self.scenarios, scenario) and re.fullmatch(self.line, line, re.S))


def only_in(these, those):
    rest = list(those)
    found = []
    for line in these:
        if line in rest:
            rest.remove(line)
        else:
            found.append(line)
    return found


def order_of(lines, common):
    """Returns the lines in the order of their first appearance. How often a line appears is compared separately."""
    return list(dict.fromkeys(line for line in lines if line in common))


def differences(ours, peer):
    """Returns (aspect, side, line) for every line that one side has more often than the other."""
    found = []
    for aspect in ASPECTS:
        mine, other = getattr(ours, aspect), getattr(peer, aspect)
        found += [(aspect, "ours", line) for line in only_in(mine, other)]
        found += [(aspect, "peer", line) for line in only_in(other, mine)]
        common = set(mine) & set(other)
        if aspect == "requests" and order_of(mine, common) != order_of(other, common):
            found.append(("order", "ours", " / ".join(order_of(mine, common))))
    return found
