"""The marks of Access, the origin's own answers, what reaches it, and the counters."""
import json
import subprocess

from edge_case import EdgeTest

HOST = "a.example.com"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
METADATA = "https://a.example.com/.well-known/cloudflare-access-protected-resource"


class Marks(EdgeTest):
    def test_login_redirect(self):
        self.configure({"a": {"hostname": HOST}})
        answer = self.request(HOST, "/x/y?z=1")
        self.assertEqual(answer.status, 302)
        self.assertEqual(answer.headers["WWW-Authenticate"],
                         f'Cloudflare-Access resource_metadata="{METADATA}/x/y"')

    def test_request_of_a_page(self):
        for oauth in (False, True):
            self.configure({"a": {"hostname": HOST, "managed_oauth": oauth}})
            answer = self.request(HOST, "/", headers={"X-Requested-With": "XMLHttpRequest"})
            self.assertEqual((answer.status, answer.location), (401, ""))
            self.assertEqual(answer.headers["WWW-Authenticate"],
                             f'Cloudflare-Access resource_metadata="{METADATA}/"')

    def test_client_that_is_no_browser(self):
        self.configure({"a": {"hostname": HOST, "managed_oauth": True}})
        answer = self.request(HOST, "/x", headers={"CF-Access-Metadata-Request": "true"})
        self.assertEqual(answer.status, 401)
        mark = answer.headers["WWW-Authenticate"]
        self.assertTrue(mark.startswith('Bearer realm="OAuth", error="invalid_token", '), mark)
        self.assertTrue(mark.endswith(f'resource_metadata="{METADATA}/x"'), mark)
        self.assertEqual(json.loads(answer.body)["resource_metadata"], METADATA + "/x")
        self.assertIsNotNone(answer.headers["cf-access-metadata"])
        self.assertIn(" 401 ", self.upgrade(HOST)[0])
        self.assertEqual(self.request(HOST, "/x", headers=BROWSER).status, 302)
        self.assertEqual(self.request(HOST, headers={"Cf-Access-Token": self.mint("a")}).status, 200)

    def test_refusal(self):
        self.configure({"a": {"hostname": HOST, "policy": "service"}})
        answer = self.request(HOST, headers={"Accept": "application/json"})
        self.assertEqual((answer.status, json.loads(answer.body)["status_code"]), (403, 403))
        self.assertEqual(answer.headers["cf-access-domain"], HOST)
        self.assertEqual(answer.headers["cf-access-aud"], json.loads(answer.body)["aud"])
        self.assertIsNotNone(answer.headers["Cf-Access-Error"])
        self.assertIsNone(answer.headers["WWW-Authenticate"])

    def test_document_of_the_resource(self):
        self.configure({"a": {"hostname": HOST}, "b": {"hostname": "b.example.com", "policy": "bypass"}})
        for path, resource in (("", ""), ("/", ""), ("/x/y", "/x/y")):
            document = json.loads(self.follow(METADATA + path).body)
            self.assertEqual(document["resource"], "https://a.example.com" + resource)
            self.assertEqual(document["team_domain"], "acme.cloudflareaccess.com")
            self.assertEqual(document["authorization_servers"], ["https://acme.cloudflareaccess.com"])
            self.assertEqual([one["name"] for one in document["authentication_methods"]], ["cloudflared"])
        self.assertEqual(self.follow(METADATA.replace("a.", "b.")).body, b"hello from b, \n")


class Origin(EdgeTest):
    def use(self, **answers):
        self.configure({"a": {"hostname": HOST, "origin": "echo", "own_answers": answers["answers"]}})
        return {"Cf-Access-Token": self.mint("a")}

    def test_answers_of_its_own(self):
        forged = f'Cloudflare-Access resource_metadata="{METADATA}/forged"'
        elsewhere = "https://elsewhere.example/"
        login = "https://acme.cloudflareaccess.com/cdn-cgi/access/login/a.example.com"
        token = self.use(answers={
            "/401": {"status": 401, "headers": [["WWW-Authenticate", 'Basic realm="wiki"']], "body": "who?"},
            "/forged": {"status": 401, "headers": [["WWW-Authenticate", forged]]},
            "/403": {"status": 403, "body": "no"},
            "/here": {"status": 302, "headers": [["Location", "/there"]]},
            "/elsewhere": {"status": 307, "headers": [["Location", elsewhere]]},
            "/login": {"status": 302, "headers": [["Location", login]]},
            "/all/*": {"status": 404}})
        for path, status, location, mark in (("/401", 401, "", 'Basic realm="wiki"'), ("/forged", 401, "", forged),
                                             ("/403", 403, "", None), ("/here", 302, "/there", None),
                                             ("/elsewhere", 307, elsewhere, None), ("/login", 302, login, None),
                                             ("/all/of/it", 404, "", None), ("/all", 200, "", None)):
            with self.subTest(path):
                answer = self.request(HOST, path, headers=token)
                self.assertEqual((answer.status, answer.location, answer.headers["WWW-Authenticate"]),
                                 (status, location, mark))
                self.assertFalse([name for name in answer.headers if name.lower().startswith("cf-access")])
        self.assertEqual(self.request(HOST, "/401").status, 302)  # Access comes before the origin

    def test_upgrade_that_the_origin_refuses(self):
        token = self.use(answers={"/": {"status": 403, "body": "no tunnel here"}})
        head, _ = self.upgrade(HOST, token)
        self.assertIn(" 403 ", head)
        self.assertNotIn("cf-access", head.lower())

    def test_what_reaches_it(self):
        token = self.use(answers={"/401": {"status": 401}})
        self.request(HOST, "/refused")
        self.request(HOST, "/cdn-cgi/access/get-identity", headers=token)
        self.assertEqual(self.control("GET", "/origin"), [])
        self.request(HOST, "/401?q=1", "POST", "body", {**token, "X-Own": "kept", "Cf-Access-Jwt-Assertion": "forged"})
        self.upgrade(HOST, token)
        first, second = self.control("GET", "/origin?application=a")
        self.assertEqual((first["method"], first["target"], first["status"]), ("POST", "/401?q=1", 401))
        names = [name.lower() for name, _ in first["headers"]]
        self.assertIn("x-own", names)
        self.assertFalse([name for name in names if name.startswith("cf-access")])
        self.assertEqual((second["target"], second["status"]), ("/", 101))
        self.assertEqual(self.control("GET", "/origin?application=b"), [])

    def test_counters(self):
        token = self.use(answers={})
        for _ in range(2):
            self.upgrade(HOST, token)
        stream = self.tls(HOST)
        for _ in range(3):
            stream.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            stream.recv(65536)
        stats = self.control("GET", "/stats")
        self.assertEqual(stats["applications"]["a"], {"connections": 3, "requests": 5, "origin_requests": 2})
        self.assertEqual(stats["hosts"][HOST], {"connections": 3, "requests": 5})
        self.assertEqual(self.control("DELETE", "/stats")["applications"], {})

    def test_curl_sees_the_same(self):
        self.use(answers={})
        shown = subprocess.run(
            ["curl", "-sS", "-o", "/dev/null", "-D", "-", "--cacert", self.ready["ca"], "--connect-to",
             f"::127.0.0.1:{self.ready['port']}", f"https://{HOST}/"], capture_output=True, text=True, check=True)
        self.assertIn(f'WWW-Authenticate: Cloudflare-Access resource_metadata="{METADATA}/"', shown.stdout)


class Persons(EdgeTest):
    def cookie(self, token):
        return {"Cookie": "CF_Authorization=" + token}

    def identity(self, host, headers):
        answer = self.request(host, "/cdn-cgi/access/get-identity", headers=headers)
        return answer.status, json.loads(answer.body)

    def test_get_identity(self):
        person = {"name": "Alice", "groups": [{"id": "1", "name": "ops"}], "idp": {"id": "x", "type": "azureAD"},
                  "devicePosture": {"1": {"type": "disk_encryption", "success": False}}}
        self.configure({"a": {"hostname": HOST, "service_tokens": [{"id": "x.access", "secret": "s"}]}},
                       people={"alice@example.com": person})
        org = self.control("POST", "/mint", {"kind": "org"})["token"]
        for host, token in ((HOST, self.mint("a")), ("acme.cloudflareaccess.com", org),
                            ("acme.cloudflareaccess.com", self.mint("a"))):
            status, told = self.identity(host, self.cookie(token))
            self.assertEqual(status, 200)
            self.assertEqual({name: told[name] for name in person}, person)
            self.assertEqual((told["email"], told["service_token_status"]), ("alice@example.com", False))
            self.assertEqual(self.identity(host, {}), (400, {"err": "no app token set"}))
        pair = {"Cf-Access-Client-Id": "x.access", "Cf-Access-Client-Secret": "s"}
        _, told = self.identity(HOST, pair)
        self.assertEqual((told["service_token_status"], told["service_token_id"], told["email"]),
                         (True, "x.access", ""))

    def test_logout_ends_all_sessions_of_the_person(self):
        for host in (HOST, "acme.cloudflareaccess.com"):
            with self.subTest(host):
                self.configure({"a": {"hostname": HOST}, "b": {"hostname": "b.example.com"}})
                org = self.control("POST", "/mint", {"kind": "org"})["token"]
                tokens = {name: self.mint(name) for name in ("a", "b")}
                other = self.mint("a", email="bob@example.com")
                status = lambda name, token: self.request(
                    f"{name}.example.com", headers={"Cf-Access-Token": token}).status
                self.request(host, "/cdn-cgi/access/logout")
                self.request(host, "/cdn-cgi/access/logout", headers={"Cf-Access-Token": tokens["a"]})
                self.assertEqual(status("a", tokens["a"]), 200)  # without its cookie, no session is meant
                answer = self.request(host, "/cdn-cgi/access/logout",
                                      headers=self.cookie(tokens["a"] if host == HOST else org))
                self.assertEqual((answer.status, answer.cookie("CF_Authorization")), (200, ""))
                self.assertEqual([status(name, token) for name, token in tokens.items()], [302, 302])
                self.assertEqual(status("a", other), 200)
                self.assertEqual(self.identity("acme.cloudflareaccess.com", self.cookie(org))[0], 400)

    def test_logout_takes_a_while(self):
        self.configure({"a": {"hostname": HOST}}, logout_seconds=30)
        token = self.mint("a")
        self.request(HOST, "/cdn-cgi/access/logout", headers=self.cookie(token))
        self.assertEqual(self.request(HOST, headers=self.cookie(token)).status, 200)
        self.control("PATCH", "/config", {"clock_skew": 31})
        self.assertEqual(self.request(HOST, headers=self.cookie(token)).status, 302)
