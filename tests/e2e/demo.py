"""The demonstration that tools/demo runs, from step 3 on: an edge, an sshd, a login, an ssh."""
import os
import shlex
import shutil
import signal
import subprocess
import sys

from harness import process, programs
from harness.browser import Browser
from harness.edge import USER, Edge
from harness.home import Home
from harness.process import PIPE, Running
from harness.sshd import Sshd, client_config
from harness.window import Window

HOST = "vm.example.com"
LOGIN_SECONDS = 300


def step(number, text):
    print(f"\n[{number}/7] {text}", flush=True)


def show(text):
    for line in text.rstrip("\n").splitlines():
        print("    " + line, flush=True)


class Demo:
    def __init__(self):
        self.to_end = []

    def begin(self):
        step(3, "Starting an Access edge and an ssh server, on this machine only")
        edge = Edge()
        self.to_end.append(edge.stop)
        sshd = Sshd(edge.ssh_ca_pub)
        self.to_end.append(sshd.stop)
        edge.ask("PUT", "/config", {
            "team": "demo", "login_email": f"{USER}@example.com",
            "applications": {"vm": {"hostname": HOST, "origin": f"tcp:127.0.0.1:{sshd.port}"}}})
        home = Home(edge)
        self.to_end.append(home.remove)
        # ssh expands ~ from the account and not from HOME, so the files get a directory of their own.
        home.variables["MAYFLY_HOME"] = home.state
        show(f"https://{HOST} is an application of the team demo.cloudflareaccess.com\n"
             f"behind it: sshd on port {sshd.port}, which trusts the edge's certificate authority")
        self.edge, self.sshd, self.home = edge, sshd, home

    def log_in(self):
        step(4, f"mayfly access login https://{HOST}")
        window = self.desktop_window()
        running = self.home.start("access", "login", "-q", f"https://{HOST}", stdin=PIPE)
        url = running.wait_err(r"https://\S+/cdn-cgi/access/cli\?\S+").group()
        show(running.err)
        if window:
            print("\n    A window of your browser shows the login page: sign in there.", flush=True)
            try:
                result = running.finish(LOGIN_SECONDS)
            except AssertionError:
                raise SystemExit("nobody signed in; run tools/demo again") from None
        else:
            print("\n    There is no desktop here, so the demo signs in by itself. A person would see:",
                  flush=True)
            Browser(self.edge.connect_to, self.edge.ca).log_in(
                url, show=lambda page: show("\n" + page.rendering()))
            result = running.finish()
        if result.code:
            raise SystemExit(f"the login failed: {result}")
        show("\nStored in the state directory: " + ", ".join(self.home.files()))

    def desktop_window(self):
        """Returns the address at which a desktop's browser can open the login page, if there is a desktop."""
        opener = shutil.which("xdg-open")
        if not opener or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            return None
        window = Window(self.edge)
        self.to_end.append(window.stop)
        kept = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        settings = " ".join(shlex.quote(f"{name}={value}") for name, value in kept.items())
        command = " ".join(shlex.quote(word) for word in (programs.PYTHON, window.opener, window.address))
        self.home.script("xdg-open", f'exec /usr/bin/env -i {settings} {command} {opener} "$1"\n')
        return window

    def configure(self):
        step(5, f"mayfly access ssh-config --hostname {HOST} --short-lived-cert")
        advice = self.home.mayfly("access", "ssh-config", "--hostname", HOST, "--short-lived-cert")
        show(advice.out.decode())
        block = advice.out.decode().split(":\n\n", 1)[1]
        self.config = client_config(block, HOST, self.sshd, self.home.path)

    def connect(self):
        command = 'echo "Hello from $(uname -n). You are $(id -un), at $(date)."'
        step(6, f"ssh {HOST} -- '{command}'")
        env = {**self.home.environment(), "SHELL": "/bin/sh"}
        running = Running([programs.system("ssh"), "-F", self.config, HOST, "--", command], env=env)
        result = running.finish()
        show(result.err + result.out.decode())
        if result.code:
            raise SystemExit(f"ssh failed with exit code {result.code}\n{self.sshd.log()}")
        self.sshd.wait_log("Accepted publickey .*CERT")

    def show_certificate(self):
        step(7, "The certificate that ssh used (ssh-keygen -L)")
        show(self.home.keygen("-L", "-f", self.home.file(f"{HOST}-cf_key-cert.pub")))

    def run(self):
        self.begin()
        self.log_in()
        self.configure()
        self.connect()
        self.show_certificate()

    def end(self):
        process.end_all()
        while self.to_end:
            self.to_end.pop()()


def main():
    # A terminal that is closed must leave nothing over either.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(f"interrupted by signal {number}"))
    demo = Demo()
    try:
        demo.run()
    except KeyboardInterrupt:
        sys.exit("\ndemo: interrupted; nothing is left running")
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"\ndemo: failed: {error}")
    finally:
        demo.end()
    print("\ndemo: done: a command ran on a server over ssh with a short-lived certificate; "
          "nothing is left running", flush=True)


if __name__ == "__main__":
    main()
