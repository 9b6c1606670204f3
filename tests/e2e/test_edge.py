"""The test edge itself, as its clients see it: Managed OAuth and strict service tokens with curl, openssl and the scripted
person, without mayfly."""
import http.server
import json
import os
import queue
import threading
import unittest
import urllib.parse

from harness import programs
from harness.browser import Browser
from harness.case import shared_edge
from harness.edge import EMAIL
from harness.process import run
from harness.waiting import GENEROUS

HOST, TEAM = "wiki.example.com", "acme.cloudflareaccess.com"
ID, SECRET = "0123456789abcdef.access", "the-s3cret"


class EdgeOnly(unittest.TestCase):
    def setUp(self):
        self.edge = shared_edge()
        self.edge.reset()

    def curl(self, *arguments):
        """Status, headers (lower case) and body of curl's answer."""
        result = run([programs.system("curl"), "-q", "-sS", "-i", "--max-time", str(GENEROUS), "--cacert", self.edge.ca,
                      "--connect-to", f"::127.0.0.1:{self.edge.port}", *arguments])
        self.assertEqual(result.code, 0, result)
        head, _, body = result.out.decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        return int(first.split()[1]), headers, body


class StrictServiceTokens(EdgeOnly):
    PAIR = ("-H", "CF-Access-Client-Id: " + ID, "-H", "CF-Access-Client-Secret: " + SECRET)

    def setUp(self):
        super().setUp()
        self.edge.application("wiki", hostname=HOST, policy="service", service_tokens=[{"id": ID, "secret": SECRET}],
                              own_answers={"/401": {"status": 401}})
        self.edge.strict()

    def test_curl_gets_no_cookie_and_pays_one_request(self):
        status, headers, _ = self.curl(*self.PAIR, f"https://{HOST}/")
        self.assertEqual((status, headers.get("set-cookie")), (200, None))
        self.assertEqual(self.edge.traffic("wiki"), {"connections": 1, "requests": 1, "origin_requests": 1})
        reached, = self.edge.reached_origin("wiki")
        self.assertFalse([name for name, _ in reached["headers"] if name.lower().startswith("cf-access")])

    def test_refusals_of_access_and_of_the_origin(self):
        status, headers, _ = self.curl(*self.PAIR[:2], "-H", "CF-Access-Client-Secret: wrong", f"https://{HOST}/401")
        self.assertEqual((status, "www-authenticate" in headers), (401, True))
        self.assertEqual(self.edge.reached_origin("wiki"), [])
        status, headers, _ = self.curl(*self.PAIR, f"https://{HOST}/401")
        self.assertEqual((status, "www-authenticate" in headers), (401, False))
        self.assertEqual(len(self.edge.reached_origin("wiki")), 1)

    def test_rotation(self):
        new = self.edge.service_token(ID, "rotate", grace=60)["secret"]
        for secret in (SECRET, new):
            pair = (*self.PAIR[:2], "-H", "CF-Access-Client-Secret: " + secret)
            self.assertEqual(self.curl(*pair, f"https://{HOST}/")[0], 200)


class ManagedOauth(EdgeOnly):
    """RFC 8252: the person's browser comes back to a loopback address."""

    def setUp(self):
        super().setUp()
        self.edge.application("wiki", hostname=HOST, managed_oauth=True)
        self.came = queue.Queue()
        came = self.came

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                came.put(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.callback = f"http://127.0.0.1:{server.server_address[1]}/callback"

    def document(self, url):
        status, _, body = self.curl(url)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def openssl(self, text):
        """The S256 challenge of RFC 7636."""
        program = programs.system("openssl")
        digest = run([program, "dgst", "-sha256", "-binary"], stdin=text.encode()).out
        encoded = run([program, "base64", "-A"], stdin=digest).out.decode()
        return encoded.rstrip("=").replace("+", "-").replace("/", "_")

    def proof(self):
        while True:
            verifier = os.urandom(32).hex()
            challenge = self.openssl(verifier)
            if challenge[0].isalnum():
                return verifier, challenge

    def visit(self, decision, email=EMAIL):
        """The whole way to the redirect; the endpoints, the client, the verifier, and what the client is told."""
        status, headers, _ = self.curl(f"https://{HOST}/")
        self.assertEqual(status, 401)
        resource = self.document(headers["www-authenticate"].split('resource_metadata="')[1].rstrip('"'))
        server = self.document(resource["authorization_servers"][0] + "/.well-known/oauth-authorization-server")
        status, _, body = self.curl(
            "-H", "Content-Type: application/json", "--data", json.dumps({
                "redirect_uris": [self.callback], "token_endpoint_auth_method": "none", "client_name": "curl"}),
            server["registration_endpoint"])
        self.assertEqual(status, 201, body)
        client, (verifier, challenge) = json.loads(body)["client_id"], self.proof()
        query = urllib.parse.urlencode({
            "response_type": "code", "client_id": client, "redirect_uri": self.callback, "state": "the state",
            "code_challenge": challenge, "code_challenge_method": "S256", "resource": resource["resource"]})
        browser = Browser(self.edge.connect_to, self.edge.ca, decision)
        browser.log_in(server["authorization_endpoint"] + "?" + query, email)
        return server, client, verifier, self.came.get(timeout=GENEROUS)

    def tokens(self, server, **fields):
        arguments = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
        status, _, body = self.curl(*arguments, server["token_endpoint"])
        return status, json.loads(body)

    def test_the_person_approves(self):
        server, client, verifier, told = self.visit("approve")
        self.assertEqual(told["state"], "the state")
        status, tokens = self.tokens(server, grant_type="authorization_code", code=told["code"], client_id=client,
                                     redirect_uri=self.callback, code_verifier=verifier)
        self.assertEqual(status, 200, tokens)
        status, _, body = self.curl("-H", "Authorization: Bearer " + tokens["access_token"], f"https://{HOST}/")
        self.assertEqual((status, body), (200, f"hello from wiki, {EMAIL}\n"))
        status, fresh = self.tokens(server, grant_type="refresh_token", client_id=client,
                                    refresh_token=tokens["refresh_token"])
        self.assertEqual(status, 200, fresh)
        grant, = self.edge.oauth()["grants"]
        self.assertEqual((grant["email"], grant["alive"], grant["refreshes"]), (EMAIL, True, 1))

    def test_the_person_denies(self):
        told = self.visit("deny")[3]
        self.assertEqual((told["error"], told["state"]), ("access_denied", "the state"))
        self.assertEqual(self.edge.oauth()["grants"], [])

    def test_another_person(self):
        server, client, verifier, told = self.visit("approve", "bob@example.com")
        self.tokens(server, grant_type="authorization_code", code=told["code"], client_id=client,
                    redirect_uri=self.callback, code_verifier=verifier)
        self.assertEqual([grant["email"] for grant in self.edge.oauth()["grants"]], ["bob@example.com"])
