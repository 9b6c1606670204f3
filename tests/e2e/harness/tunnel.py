"""The test case of tunnels on stdin and stdout."""
from .case import EdgeCase
from .origin import Origin
from .process import PIPE

ECHO = ("access", "ssh", "--hostname", "echo.example.com")


class TunnelCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.token = self.know("echo")

    def know(self, application):
        """Stores the metadata and the token of the application, without a person."""
        hostname = self.edge.application(application)["hostname"]
        token = self.home.plant_token(application)
        self.assert_done(self.home.mayfly("login", "--batch", "-q", hostname))
        self.edge.ask("DELETE", "/log")
        return token

    def open(self, *flags, **more):
        more.setdefault("stdin", PIPE)
        return self.home.start(*ECHO, *flags, **more)

    def ready(self, *flags, **more):
        running = self.open(*flags, **more)
        running.write(b"ready")
        running.wait_out(5)
        return running

    def hang_up(self, running):
        """Lets the peer's Close end the tunnel at once; after the end of stdin, mayfly would wait for more."""
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        return self.assert_done(running.finish())

    def origin(self, part):
        origin = Origin(part)
        self.addCleanup(origin.stop)
        self.edge.application("echo", origin=origin.address)
        return origin
