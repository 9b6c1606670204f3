"""Scenarios for mayfly and cloudflared, apart and in one directory."""
import json
import os
import signal
import socket

from harness.comparison import PROMPTS, Tool
from harness.home import Home
from harness.process import PIPE, run
from harness.programs import system
from harness.sshd import Sshd, client_config
from harness.waiting import eventually

HOSTS = ("web.example.com", "echo.example.com", "ssh.example.com", "tools.example.com",
         "a.wild.example.com", "svc.example.com", "acme.cloudflareaccess.com",
         "login.cloudflareaccess.org")
URL = r"https://\S+/cdn-cgi/access/cli\?\S+"
SERVICE = ("--service-token-id", "robot.access", "--service-token-secret", "secret")
GREETING = b"hello"


# Each tool in a home of its own


def login(*flags):
    def scenario(tool):
        tool.home.install_browser()
        tool.run("login", *flags)
    return scenario


def login_without_browser(tool):
    running = tool.start("login", "https://web.example.com")
    tool.edge.sign_in(running.wait_err(URL).group())
    tool.keep(running.finish())


def login_twice(tool):
    tool.home.install_browser()
    tool.run("login", "https://web.example.com")
    tool.run("login", "https://web.example.com")


def login_to_a_second_application(tool):
    tool.home.install_browser()
    tool.run("login", "https://web.example.com")
    tool.run("login", "https://echo.example.com")


def login_with_an_expired_token(tool):
    tool.home.install_browser()
    tool.home.plant_token("web", expires_in=-60)
    tool.run("login", "https://web.example.com")


def token_stored(tool):
    tool.home.plant_token("web")
    tool.run("token", "https://web.example.com")
    tool.run("token", "--app", "https://web.example.com")
    tool.run("token", "-app=https://web.example.com")


def token_none(tool):
    tool.run("token", "https://web.example.com")


def token_expired(tool):
    tool.home.plant_token("web", expires_in=-60)
    tool.run("token", "https://web.example.com")


def ssh_config(tool):
    tool.run("ssh-config")
    tool.run("ssh-config", "--hostname", "ssh.example.com")
    tool.run("ssh-config", "--short-lived-cert")
    tool.run("ssh-config", "--hostname", "ssh.example.com", "--short-lived-cert")


def ssh_gen(tool):
    tool.home.install_browser()
    tool.run("ssh-gen", "--hostname", "ssh.example.com")


def ssh_gen_again(tool):
    ssh_gen(tool)
    tool.run("ssh-gen", "--hostname", "ssh.example.com")


def ssh_gen_of_a_wildcard(tool):
    tool.home.plant_token("wild")
    tool.run("ssh-gen", "--hostname", "a.wild.example.com")


def converse(tool, *arguments):
    """Sends bytes, which come back, and then lets the edge close the tunnel."""
    running = tool.start(*arguments, stdin=PIPE)
    running.write(GREETING)
    running.wait_out(len(GREETING))
    tool.edge.ask("POST", "/close-tunnels", {"code": 1000})
    return tool.keep(running.finish())


def ssh_echo(tool):
    tool.home.install_browser()
    converse(tool, "ssh", "--hostname", "echo.example.com")


def ssh_known(tool):
    tool.home.plant_token("echo")
    converse(tool, "ssh", "--hostname", "echo.example.com")
    converse(tool, "tcp", "-T", "https://echo.example.com", "-H", "X-Added: 1", "--destination",
             "10.0.0.1:22")


def real_ssh(tool):
    """Uses the block that the tool prints with a real ssh and a real sshd."""
    sshd = Sshd(tool.edge.ssh_ca_pub)
    try:
        tool.edge.application("ssh", origin=f"tcp:127.0.0.1:{sshd.port}")
        tool.home.install_browser()
        advice = tool.run("ssh-config", "--hostname", "ssh.example.com", "--short-lived-cert")
        # ssh expands ~ from the account and not from HOME.
        block = advice.out.decode().split("config:\n", 1)[1].replace("~/", tool.home.path + "/")
        config = client_config(block, "ssh.example.com", sshd, tool.home.path)
        for word in ("once", "again"):
            done = run([system("ssh"), "-F", config, "ssh.example.com", "--", "printf " + word],
                       env={**tool.home.environment(), "SHELL": "/bin/sh"})
            assert tool.keep(done).out == word.encode(), done
        assert sshd.log().count("Accepted publickey") == 2, sshd.log()
    finally:
        sshd.stop()


def service_application(tool):
    tool.edge.application("svc", hostname="svc.example.com", origin="echo", policy="service",
                          service_tokens=[{"id": "robot.access", "secret": "secret"}])


def service_token(tool):
    service_application(tool)
    converse(tool, "tcp", "--hostname", "svc.example.com", *SERVICE)


def service_token_refused(tool):
    service_application(tool)
    tool.run("tcp", "--hostname", "svc.example.com", "--id", "robot.access", "--secret", "wrong",
             stdin=b"")


def listener(tool):
    tool.home.plant_token("echo")
    running = tool.start("tcp", "--hostname", "echo.example.com", "--url", "127.0.0.1:2222", stdin=PIPE)
    running.wait_err("Start Websocket listener")

    def connected():
        try:
            return socket.create_connection(("127.0.0.1", 2222), timeout=60)
        except ConnectionRefusedError:
            return None
    for _ in range(2):
        with eventually("it listens", connected) as connection:
            connection.sendall(GREETING)
            assert connection.recv(len(GREETING), socket.MSG_WAITALL) == GREETING
    running.send(signal.SIGTERM)
    tool.keep(running.finish())


def curl(tool):
    os.symlink(system("curl"), os.path.join(tool.home.bin, "curl"))
    tool.home.plant_token("web")
    tool.run("curl", "https://web.example.com/a?b=1", "-s", "-H", "X-Added: 1")
    tool.run("curl", "https://web.example.com/a?b=1", "-s", "--data", "posted", "-o", "/dev/null",
             "-w", "%{http_code}")


def no_application(tool):
    tool.run("login", "https://tools.example.com/elsewhere")


def without_arguments(tool):
    tool.run("login")
    tool.run("token")
    tool.run("curl")


ALONE = {
    "login": login("https://web.example.com"),
    "login-app": login("--app", "https://web.example.com"),
    "login-single-dash": login("-app=https://web.example.com"),
    "login-no-verbose": login("--no-verbose", "https://web.example.com"),
    "login-quiet": login("-q", "https://web.example.com"),
    "login-auto-close": login("--auto-close", "https://web.example.com"),
    "login-host-and-path": login("https://web.example.com/a/b?c=1"),
    "login-bare-host": login("web.example.com"),
    "login-wildcard": login("https://a.wild.example.com"),
    "login-without-browser": login_without_browser,
    "login-twice": login_twice,
    "login-second-application": login_to_a_second_application,
    "login-expired-token": login_with_an_expired_token,
    "token-stored": token_stored,
    "token-none": token_none,
    "token-expired": token_expired,
    "ssh-config": ssh_config,
    "ssh-gen": ssh_gen,
    "ssh-gen-again": ssh_gen_again,
    "ssh-gen-wildcard": ssh_gen_of_a_wildcard,
    "ssh": ssh_echo,
    "ssh-known": ssh_known,
    "real-ssh": real_ssh,
    "service-token": service_token,
    "service-token-refused": service_token_refused,
    "listener": listener,
    "curl": curl,
    "no-application": no_application,
    "without-arguments": without_arguments,
}


# Both in one directory


def pair(edge, programs_of, order):
    home = Home(edge)
    first = Tool(order[0], programs_of[order[0]], edge, home)
    home.variables["MAYFLY_CONNECT_TO"] = ""  # Each Tool removes this variable.
    return first, Tool(order[1], programs_of[order[1]], edge, home)


def uses_what_the_other_stored(*order):
    def scenario(edge, programs_of):
        first, second = pair(edge, programs_of, order)
        first.home.install_browser()
        token = first.run("login", "--no-verbose", "https://ssh.example.com").out
        made = first.run("ssh-gen", "--hostname", "ssh.example.com")
        assert made.code == 0, made
        os.unlink(first.home.file("ssh.example.com-cf_key-cert.pub"))
        assert second.run("token", "https://ssh.example.com").out == token
        made = second.run("ssh-gen", "--hostname", "ssh.example.com")
        assert made.code == 0, made
        converse(second, "ssh", "--hostname", "ssh.example.com")
        exchanged = second.run("login", "-q", "https://web.example.com")
        assert exchanged.code == 0, exchanged
        stats = edge.stats()
        assert len(first.home.browsed()) == 1, first.home.browsed()
        assert stats["jwks"] == 1, "the stored keys were fetched again"
        assert (stats["signatures"], stats["exchanges"], stats["transfers"]) == (2, 1, 1), stats
        return [first]
    return scenario


def one_login_for_both(*order):
    """The first process waits for the person. The second process shows the same URL and ends with the first one's
    token."""
    def scenario(edge, programs_of):
        first, second = pair(edge, programs_of, order)
        running = first.start("login", "--no-verbose", "https://web.example.com")
        url = running.wait_err(URL).group()
        waiting = second.start("login", "--no-verbose", "https://web.example.com")
        assert waiting.wait_err(URL).group() == url
        edge.sign_in(url)
        tokens = {one.finish().out for one in (running, waiting)}
        assert len(tokens) == 1 and b"" not in tokens, tokens
        assert edge.stats()["transfers"] == 1, edge.stats()
        return [first]
    return scenario


def started_at_once(edge, programs_of):
    first, second = pair(edge, programs_of, ("ours", "peer"))
    first.home.install_browser()
    both = [tool.start("login", "--no-verbose", "https://web.example.com")
            for tool in (first, second)]
    results = [running.finish() for running in both]
    assert [r.code for r in results] == [0, 0], "\n".join(map(str, results))
    assert len({r.out for r in results}) == 1, results
    assert len(first.home.browsed()) == 1, json.dumps(first.home.browsed(), indent=1)
    return [first]


def two_of_each_at_once(edge, programs_of):
    """All processes finish with one token. Only cloudflared may open a second browser: it treats a lock that another
    process has created and not yet written into as stale."""
    home = Home(edge)
    tools = []
    for name in ("peer", "ours", "peer", "ours"):
        home.variables["MAYFLY_CONNECT_TO"] = ""  # Each Tool removes this variable.
        tools.append(Tool(name, programs_of[name], edge, home))
    home.install_browser()
    all_four = [tool.start("login", "--no-verbose", "https://web.example.com") for tool in tools]
    results = [running.finish() for running in all_four]
    assert [r.code for r in results] == [0] * 4, "\n".join(map(str, results))
    opened = [tool.name for tool, r in zip(tools, results) if PROMPTS[0] in r.err]
    assert len(opened) == len(home.browsed()), (opened, home.browsed())
    assert opened.count("ours") <= 1 and len(opened) <= 2, opened
    assert len({r.out for r in results}) <= len(opened), results
    return [tools[0]]


TOGETHER = {
    "peer-uses-ours": uses_what_the_other_stored("ours", "peer"),
    "ours-uses-peers": uses_what_the_other_stored("peer", "ours"),
    "peer-waits-for-ours": one_login_for_both("ours", "peer"),
    "ours-waits-for-peer": one_login_for_both("peer", "ours"),
    "started-at-once": started_at_once,
    "two-of-each-at-once": two_of_each_at_once,
}
