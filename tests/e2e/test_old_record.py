"""A record that is older than a day: mayfly asks the edge before any credential is sent."""
import http.client
import os
import signal
import time

from harness import programs
from harness.case import LOGIN_NEEDED, NETWORK, NOWHERE
from harness.edge import header
from harness.listener import ListenerCase
from harness.process import PIPE
from harness.stranger import Stranger

HOST = "a.wild.example.com"
RECORD = f"{HOST}-app"
JWKS = "acme.cloudflareaccess.com-jwks"
DAY = 24 * 3600
SERVICE_ID, SERVICE_SECRET = "0123456789abcdef.access", "the-s3cret"
SERVICE = {"TUNNEL_SERVICE_TOKEN_ID": SERVICE_ID, "TUNNEL_SERVICE_TOKEN_SECRET": SERVICE_SECRET}


class OldRecord(ListenerCase):
    def setUp(self):
        super().setUp()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.remember(400 * DAY)

    def record(self, age, application="wild", hostname=HOST, **claims):
        """Returns a record as the edge signed it `age` seconds ago."""
        config = self.edge.application(application)
        return self.edge.mint("meta", application, claims={
            "type": "match", "hostname": hostname, "aud": config["aud"], "app_hostname": config["hostname"],
            "auth_domain": f"{config.get('team', 'acme')}.cloudflareaccess.com",
            "iat": int(time.time()) - age, **claims})

    def remember(self, age):
        self.token = self.home.plant_token("wild")
        self.org_token = self.home.plant_org_token()
        self.assert_done(self.home.mayfly("login", "--batch", "-q", HOST))
        self.home.plant(RECORD, self.record(age))
        self.edge.ask("DELETE", "/log")

    def stranger(self, **more):
        stranger = Stranger(self.edge, HOST, **more)
        self.addCleanup(stranger.stop)
        self.environment = {"MAYFLY_CONNECT_TO":
                            f"{HOST}:443:127.0.0.1:{stranger.port},{self.edge.connect_to}"}
        return stranger

    def commands(self):
        at = ("--batch", "--hostname", HOST)
        return [["ssh", *at], ["login", "--batch", HOST], ["ssh-gen", *at], ["curl", "--batch", f"https://{HOST}/"],
                ["curl", "--batch", "-L", f"https://{HOST}/"],
                ["curl", "--allow-request", f"https://{HOST}/"], ["doctor", *at[1:]]]

    def use_listeners(self, env):
        """Makes a connection to each kind of listener. Its result does not matter."""
        for command in ("tcp", "http", "socks"):
            running = self.home.start(command, "--batch", "--hostname", HOST, "--url", "127.0.0.1:0", env=env)
            port = int(self.places(running)[0].rsplit(":", 1)[1])
            if command == "http":
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("GET", "/")
                connection.getresponse().read()
                connection.close()
            else:
                connection = self.connect(port)
                if command == "socks":
                    connection.sendall(b"\x05\x01\x00\x05\x01\x00\x03\x02db\x00\x16")
                while connection.recv(1 << 16):
                    pass
            running.send(signal.SIGTERM)
            running.finish()

    def assert_nothing_told(self, seen):
        for text in seen:
            for secret in (self.token, self.org_token, SERVICE_ID, SERVICE_SECRET, "Cf-Access-Token",
                           "CF_Authorization"):
                self.assertNotIn(secret, text)

    def test_name_that_another_server_holds_now(self):
        stranger = self.stranger()
        for command in self.commands():
            for env in ({}, SERVICE):
                with self.subTest(command=command, env=env):
                    before = len(stranger.requests)
                    self.home.mayfly(*command, env={**self.environment, **env}, stdin=PIPE)
                    self.assertGreater(len(stranger.requests), before, "it was not asked")
        self.use_listeners(self.environment)
        self.use_listeners({**self.environment, **SERVICE})
        self.assert_nothing_told(stranger.requests)

    def test_name_that_another_team_holds_now(self):
        self.home.mayfly("ssh", "--batch", "--hostname", HOST, env=SERVICE, stdin=PIPE)
        self.assertIn(SERVICE_SECRET, str(self.edge.log(HOST)), "the service token belongs to this team")
        self.edge.application("taken", hostname=HOST, team="other", origin="echo")
        self.edge.application("wild", hostname="*.moved.example.com")
        for env in ({}, SERVICE):
            for command in self.commands():
                with self.subTest(command=command, env=env):
                    self.home.plant(RECORD, self.record(400 * DAY, app_hostname="*.wild.example.com"))
                    self.edge.ask("DELETE", "/log")
                    self.home.mayfly(*command, env=env, stdin=PIPE)
                    self.assertTrue(self.edge.log(HOST), "it was not asked")
                    self.assert_nothing_told(str(entry) for entry in self.edge.log(HOST))
            self.home.plant(RECORD, self.record(400 * DAY, app_hostname="*.wild.example.com"))
            self.edge.ask("DELETE", "/log")
            self.use_listeners(env)
            self.assert_nothing_told(str(entry) for entry in self.edge.log(HOST))

    def test_service_token_at_another_team(self):
        """A name that somebody else chose, as in the URL of a submodule, leads to a team of that person."""
        self.home.mayfly("ssh", "--batch", "--hostname", HOST, env=SERVICE, stdin=PIPE)
        self.edge.application("lure", hostname="lure.example.net", team="other", origin="echo")
        for command in self.commands():  # The first ones ask, and the record is young after them.
            command = [word.replace(HOST, "lure.example.net") for word in command]
            with self.subTest(command=command):
                self.edge.ask("DELETE", "/log")
                result = self.home.mayfly(*command, env=SERVICE, stdin=PIPE)
                self.assertIn("belongs to the team other.cloudflareaccess.com", result.err + result.out.decode())
                self.assert_nothing_told(str(entry) for entry in self.edge.log("lure.example.net"))

    def test_application_that_has_another_audience_now(self):
        self.edge.application("wild", aud="5" * 64)
        os.unlink(self.home.file("acme.cloudflareaccess.com-org-token"))
        self.assert_error(self.home.mayfly("ssh", "--batch", "--hostname", HOST, stdin=PIPE), LOGIN_NEEDED)
        self.assertFalse(any(self.token in str(entry) for entry in self.edge.log()))

    def test_network_that_cannot_say(self):
        for command in (["ssh", "--batch", "--hostname", HOST], ["curl", "--batch", f"https://{HOST}/"],
                        ["curl", "--allow-request", f"https://{HOST}/"]):
            with self.subTest(command=command):
                self.assert_error(self.home.mayfly(*command, env=NOWHERE, stdin=PIPE), NETWORK)

    def through(self):
        """Opens a tunnel that ends well. Returns the requests for metadata meanwhile."""
        self.edge.ask("DELETE", "/log")
        running = self.home.start("ssh", "--batch", "--hostname", HOST, stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())
        return [(entry["method"], entry["status"]) for entry in self.edge.log(HOST)]

    def test_asked_once_and_then_known_for_another_day(self):
        self.assertEqual(self.through(), [("HEAD", 302), ("GET", 101)])
        self.assertEqual(self.through(), [("GET", 101)])
        self.assertEqual(header(self.edge.upgrades()[0], "Cf-Access-Token"), [self.token])

    def test_ages(self):
        asked, known = [("HEAD", 302), ("GET", 101)], [("GET", 101)]
        for age, requests in ((DAY - 600, known), (DAY + 60, asked), (-240, known), (-600, asked)):
            with self.subTest(age):
                self.home.plant(RECORD, self.record(age))
                self.assertEqual(self.through(), requests)
        for age, requests in ((DAY - 600, known), (DAY + 60, asked)):
            with self.subTest(keys=age):
                self.home.make_older(JWKS, age)
                self.assertEqual(self.through(), requests)

    def test_listener_notices_while_it_runs(self):
        self.home.plant(RECORD, self.record(0))
        running, port = self.at_free_port(host=HOST)
        self.assert_echo(self.connect(port))
        self.assertEqual([entry["method"] for entry in self.edge.log(HOST)], ["GET"])
        self.home.plant(RECORD, self.record(DAY + 1))
        time.sleep(1.1)  # A listener keeps a result for a second.
        self.edge.ask("DELETE", "/log")
        self.assert_echo(self.connect(port))
        self.assertEqual([entry["method"] for entry in self.edge.log(HOST)], ["HEAD", "GET"])
        self.assertIsNone(running.process.poll())

    def test_commands_that_send_nothing(self):
        result = self.assert_done(self.home.mayfly("token", HOST, env=NOWHERE))
        self.assertEqual(result.out.decode(), self.token)
        self.assertIn("wild.example.com", self.assert_done(self.home.mayfly("status", env=NOWHERE)).out.decode())
        self.assert_done(self.home.mayfly("logout", HOST, env=NOWHERE))
        self.assertNotIn(RECORD, self.home.files())
