"""Other ports of an application's host. Whoever serves them, a token goes there only if a person names the port, and
only to ports of Cloudflare's edge."""
import http.client
import os
import signal

from harness import programs
from harness.case import PROTOCOL
from harness.edge import header
from harness.listener import ListenerCase
from harness.origin import Origin
from harness.process import PIPE
from harness.stranger import HELLO, Stranger
from harness.web import Web

HOST = "web.example.com"
SERVICE = {"TUNNEL_SERVICE_TOKEN_ID": "0123456789abcdef.access", "TUNNEL_SERVICE_TOKEN_SECRET": "the-s3cret"}


class Port(ListenerCase):
    def setUp(self):
        super().setUp()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.edge.application("web", origin="echo")
        self.token = self.know("web")
        self.org_token = self.home.plant_org_token()

    def impostor(self, port, head=b""):
        """Starts another party's server at that port of the host, which repeats the metadata of the edge."""
        metadata = self.edge.mint("meta", "web", claims={
            "type": "match", "hostname": HOST, "auth_domain": "acme.cloudflareaccess.com",
            "aud": self.edge.audience("web"), "app_hostname": HOST})
        answer = HELLO.replace(b"\r\n\r\n", b"\r\ncf-access-metadata: " + metadata.encode() + b"\r\n\r\n")
        impostor = Stranger(self.edge, HOST, head or answer)
        self.addCleanup(impostor.stop)
        self.environment = {
            "MAYFLY_CONNECT_TO": f"{HOST}:{port}:127.0.0.1:{impostor.port},{self.edge.connect_to}"}
        return impostor

    def assert_nothing_told(self, impostor):
        for text in impostor.requests:
            for secret in (self.token, self.org_token, *SERVICE.values(), "CF_Authorization"):
                self.assertNotIn(secret, text)

    def test_port_of_another_party(self):
        impostor = self.impostor(9443)
        at = f"{HOST}:9443"
        for command in (["ssh", "--batch", "--hostname", at], ["login", "--batch", at],
                        ["ssh-gen", "--batch", "--hostname", at], ["curl", "--batch", f"https://{at}/"],
                        ["curl", "--batch", "-L", f"https://{at}/"],
                        ["curl", "--allow-request", "-s", f"https://{at}/"],
                        ["doctor", "--hostname", at], ["token", at]):
            for env in ({}, SERVICE):
                with self.subTest(command=command, env=env):
                    result = self.home.mayfly(*command, env={**self.environment, **env}, stdin=PIPE)
                    self.assert_nothing_told(impostor)
                    if "--allow-request" not in command and command[0] != "doctor":
                        self.assert_error(result, PROTOCOL, "port 9443")
        for command in ("tcp", "http", "socks"):
            with self.subTest(command=command):
                running = self.home.start(command, "--batch", "--hostname", at, "--url", "127.0.0.1:0",
                                          env=self.environment)
                port = int(self.places(running)[0].rsplit(":", 1)[1])
                if command == "http":
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                    connection.request("GET", "/")
                    self.assertIn(b"port 9443", connection.getresponse().read())
                    connection.close()
                else:
                    connection = self.connect(port)
                    if command == "socks":
                        connection.sendall(b"\x05\x01\x00\x05\x01\x00\x03\x02db\x00\x16")
                    while connection.recv(1 << 16):
                        pass
                running.send(signal.SIGTERM)
                running.finish()
        self.assert_nothing_told(impostor)
        self.assertNotIn(f"{HOST}:9443-app", self.home.files())

    def test_port_of_the_edge_is_asked_for_itself(self):
        environment = {"MAYFLY_CONNECT_TO": f"{HOST}:8443:127.0.0.1:{self.edge.port},{self.edge.connect_to}"}
        for requests in (["HEAD", "GET"], ["GET"]):
            self.edge.ask("DELETE", "/log")
            running = self.home.start("ssh", "--batch", "--hostname", f"{HOST}:8443", env=environment, stdin=PIPE)
            running.write(b"through")
            running.wait_out(7)
            self.edge.ask("POST", "/close-tunnels", {"code": 1000})
            self.assert_done(running.finish())
            self.assertEqual([entry["method"] for entry in self.edge.log(HOST)], requests)
            self.assertEqual(header(self.edge.upgrades(HOST)[0], "Cf-Access-Token"), [self.token])
        self.assertIn(f"{HOST}:8443-app", self.home.files())
        self.assertIn(f"{HOST}-app", self.home.files())
        self.assert_done(self.home.mayfly("logout", f"{HOST}:8443"))
        self.assertEqual([name for name in self.home.files() if name.startswith(HOST)], [])

    def test_redirect_of_curl(self):
        for status in (301, 302, 307, 308):
            for other in ("9443", "8443"):
                with self.subTest(status=status, port=other):
                    impostor = self.impostor(other)
                    web = Web(lambda handler: handler.say(status, Location=f"https://{HOST}:{other}/stolen"))
                    self.addCleanup(web.stop)
                    self.edge.application("web", origin=web.address)
                    result = self.home.mayfly("curl", "--batch", "-s", "-S", "-L", "--allow-redirects", f"https://{HOST}/",
                                              env=self.environment)
                    self.assert_nothing_told(impostor)
                    self.assertEqual(result.code, 6, result)
                    self.assertIn("the-token-is-for-port-443.invalid", result.err)
                    self.assertTrue(web.requests, "the token did not reach the application")

    def test_redirect_of_curl_at_the_same_port(self):
        def answer(handler):
            if handler.path == "/":
                handler.say(302, Location=f"https://{HOST}/next")
            else:
                handler.say(200, b"arrived")
        web = Web(answer)
        self.addCleanup(web.stop)
        self.edge.application("web", origin=web.address)
        result = self.assert_done(self.home.mayfly("curl", "--batch", "-s", "-L", "--allow-redirects", f"https://{HOST}/"))
        self.assertEqual(result.out, b"arrived")

    def test_redirect_of_curl_by_way_of_plain_http(self):
        """An origin that believes that it is reached without TLS sends this redirect, and the edge redirects back."""
        def plain(connection):
            heard.append(connection.recv(10000).decode())
            connection.sendall(f"HTTP/1.0 301 Moved\r\nLocation: https://{HOST}/next\r\n\r\n".encode())
        heard = []
        server = Origin(plain)
        self.addCleanup(server.stop)
        web = Web(lambda handler: handler.say(302, Location=f"http://{HOST}/next") if handler.path == "/"
                  else handler.say(200, b"arrived"))
        self.addCleanup(web.stop)
        self.edge.application("web", origin=web.address)
        env = {"MAYFLY_CONNECT_TO": f"{HOST}:80:127.0.0.1:{server.port},{self.edge.connect_to}"}
        result = self.assert_done(self.home.mayfly("curl", "--batch", "-s", "-L", "--allow-redirects", f"https://{HOST}/", env=env))
        self.assertEqual(result.out, b"arrived")
        self.assertNotIn(self.token, heard[0])

    def test_urls_of_curl(self):
        impostor = self.impostor(9443)
        for arguments in ([f"https://{HOST}:9443/"], ["--next", "-s", f"https://{HOST}:9443/"],
                          [f"https://{HOST}:{{9443,443}}/"]):
            with self.subTest(arguments):
                self.home.mayfly("curl", "--batch", "-s", f"https://{HOST}/", *arguments, env=self.environment)
                self.assert_nothing_told(impostor)
        self.home.plant("../redirecting", f'url = "https://{HOST}:9443/"\n')
        self.home.mayfly("curl", "--batch", "-s", "-K", self.home.file("../redirecting"), f"https://{HOST}/",
                         env=self.environment)
        self.assert_nothing_told(impostor)

    def test_redirect_through_http(self):
        """The program has to follow the redirect, which leads away from the listener."""
        web = Web(lambda handler: handler.say(302, Location=f"https://{HOST}:9443/stolen"))
        self.addCleanup(web.stop)
        self.edge.application("web", origin=web.address)
        running = self.home.start("http", "--batch", "--hostname", HOST, "--url", "127.0.0.1:0")
        port = int(self.places(running)[0].rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/")
        self.assertEqual(connection.getresponse().getheader("Location"), f"https://{HOST}:9443/stolen")
        connection.close()
