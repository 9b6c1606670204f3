"""Service tokens in organisations of both kinds, and how they change while the edge runs."""
import json

from edge_case import EdgeTest, jwt_part

HOST = "a.example.com"
ID, SECRET = "0123456789abcdef.access", "first-secret"
PAIR = {"CF-Access-Client-Id": ID, "CF-Access-Client-Secret": SECRET}
TOKENS = {"service_tokens": [{"id": ID, "secret": SECRET}]}


class ServiceTokens(EdgeTest):
    def use(self, strict, policy="service", **more):
        self.configure({"a": {"hostname": HOST, "policy": policy, "origin": "echo", **TOKENS, **more},
                        "b": {"hostname": "b.example.com", "policy": "service"}},
                       teams={"acme": {"strict_service_token_auth": strict}})

    def get(self, headers=None, host=HOST, **more):
        return self.request(host, headers=headers, **more)

    def change(self, action, **more):
        return self.control("POST", "/service-token", {"id": ID, "action": action, **more})

    def assert_marked(self, answer):
        self.assertEqual(answer.headers["cf-access-domain"], HOST)
        self.assertRegex(answer.headers["cf-access-aud"], "^[0-9a-f]{64}$")
        self.assertIsNotNone(answer.headers["Cf-Access-Error"])

    def test_strict_earns_no_cookie(self):
        self.use(strict=True)
        answer = self.get(PAIR)
        self.assertEqual((answer.status, answer.headers["Set-Cookie"]), (200, None))
        head, _ = self.upgrade(HOST, PAIR)
        self.assertIn(" 101 ", head)
        self.assertNotIn("CF_Authorization", head)

    def test_strict_wants_the_headers_each_time(self):
        for policy, without in (("service", 403), ("identity", 302)):
            self.use(strict=False, policy=policy)
            cookie = {"Cookie": "CF_Authorization=" + self.get(PAIR).cookie("CF_Authorization")}
            self.assertEqual(self.get(cookie).status, 200)
            self.use(strict=True, policy=policy)
            self.assertEqual(self.get(cookie).status, without)
            self.assertIn(f" {without} ", self.upgrade(HOST, cookie)[0])
            self.assertEqual(self.get({**PAIR, **cookie}).status, 200)

    def test_strict_ignores_a_person_beside_the_headers(self):
        self.use(strict=True, policy="identity")
        token = self.mint("a")
        wrong = {**PAIR, "CF-Access-Client-Secret": "wrong"}
        for person in ({"Cookie": "CF_Authorization=" + token}, {"Cf-Access-Token": token}):
            self.assertEqual(self.get(person).status, 200)
            answer = self.get({**wrong, **person})
            self.assertEqual((answer.status, answer.location), (401, ""))
            self.assertIn(" 401 ", self.upgrade(HOST, {**wrong, **person})[0])

    def test_strict_refusals(self):
        self.use(strict=True, policy="identity")
        unknown = self.get({"CF-Access-Client-Id": "nobody.access", "CF-Access-Client-Secret": SECRET})
        self.assertEqual((unknown.status, unknown.location), (401, ""))
        self.assertIn("Cloudflare-Access resource_metadata=", unknown.headers["WWW-Authenticate"])
        other = self.get(PAIR, host="b.example.com")
        self.assertEqual(other.status, 403)
        self.assertEqual(other.headers["cf-access-domain"], "b.example.com")
        for mark, header in (("aud", "cf-access-aud"), ("none", None)):
            self.control("PATCH", "/config", {"applications": {"a": {"strict_401": mark}}})
            answer = self.get({**PAIR, "CF-Access-Client-Secret": "wrong"})
            marks = [name for name in answer.headers if name.lower() in
                     ("www-authenticate", "cf-access-aud", "cf-access-error")]
            self.assertEqual((answer.status, marks), (401, [header] if header else []))

    def test_strict_refuses_malformed_credentials(self):
        self.use(strict=True, read_service_tokens_from_header="Authorization")
        single = json.dumps({"cf-access-client-id": ID, "cf-access-client-secret": SECRET})
        ids, secrets = "CF-Access-Client-Id: " + ID, "CF-Access-Client-Secret: " + SECRET
        for fields, status in (([ids, secrets], 200), (["Authorization: " + single], 200),
                               ([ids], 401), ([secrets], 401), ([ids, ids, secrets], 401),
                               ([ids, secrets, secrets], 401), ([ids, secrets, "Authorization: " + single], 401),
                               (["Authorization: " + json.dumps({"cf-access-client-id": ID})], 401),
                               (["Authorization: Basic eDp5"], 403), ([ids, secrets, "Authorization: Basic eDp5"], 200)):
            with self.subTest(fields):
                self.assertEqual(self.status_of(fields), status)

    def status_of(self, fields):
        """Raw, since Python's client sends no field twice."""
        stream = self.tls(HOST)
        lines = ["GET / HTTP/1.1", "Host: " + HOST, "Connection: close", *fields]
        stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return int(stream.recv(12)[9:12])

    def test_an_application_changes_from_one_kind_to_the_other(self):
        self.use(strict=False)
        stream = self.tls(HOST)
        ask = "GET / HTTP/1.1\r\nHost: {}\r\nCF-Access-Client-Id: {}\r\nCF-Access-Client-Secret: {}\r\n\r\n"
        for strict in (False, True, None):
            self.control("PATCH", "/config", {"applications": {"a": {"strict_service_token_auth": strict}}})
            stream.sendall(ask.format(HOST, ID, SECRET).encode())
            head = stream.recv(65536).decode()
            self.assertEqual((" 200 " in head, "CF_Authorization=" in head), (True, not strict), head)

    def test_classic_earns_a_cookie(self):
        self.use(strict=False, policy="identity")
        self.assertEqual(jwt_part(self.get(PAIR).cookie("CF_Authorization"), 1)["common_name"], ID)
        wrong = self.get({**PAIR, "CF-Access-Client-Secret": "wrong"})
        self.assertEqual(wrong.status, 302)
        self.use(strict=False)
        self.assert_marked(self.get({**PAIR, "CF-Access-Client-Secret": "wrong"}))

    def test_classic_policy_that_wants_the_token_with_each_request(self):
        """Recorded: with Service Auth policies alone, the earned cookie is refused without the headers."""
        self.use(strict=False, service_token_use="always")
        cookie = {"Cookie": "CF_Authorization=" + self.get(PAIR).cookie("CF_Authorization")}
        refused = self.get(cookie)
        self.assertEqual(refused.status, 403)
        self.assert_marked(refused)
        self.assertIn(" 403 ", self.upgrade(HOST, cookie)[0])
        self.assertEqual(self.get({**PAIR, **cookie}).status, 200)

    def test_rotation_disabling_expiry_and_deletion(self):
        for strict, refused in ((True, 401), (False, 403)):
            with self.subTest(strict):
                self.use(strict)
                new = self.change("rotate", grace=3600)["secret"]
                self.assertRegex(new, "^cfast_[0-9A-Za-z]{40}[0-9a-f]{8}$")
                fresh = {**PAIR, "CF-Access-Client-Secret": new}
                self.assertEqual([self.get(pair).status for pair in (PAIR, fresh)], [200, 200])
                self.control("PATCH", "/config", {"clock_skew": 3601})
                self.assertEqual([self.get(pair).status for pair in (PAIR, fresh)], [refused, 200])
                self.change("disable")
                self.assertEqual(self.get(fresh).status, refused)
                self.change("enable")
                self.assertEqual(self.get(fresh).status, 200)
                self.change("expire")
                self.assertEqual(self.get(fresh).status, refused)
                self.use(strict)
                self.change("rotate", secret="second-secret")
                self.assertEqual([self.get({**PAIR, "CF-Access-Client-Secret": secret}).status
                                  for secret in (SECRET, "second-secret")], [refused, 200])
                self.change("delete")
                self.assertEqual(self.get({**PAIR, "CF-Access-Client-Secret": "second-secret"}).status, refused)
        self.control("POST", "/service-token", {"id": "no.access", "action": "rotate"}, status=400)

    def test_token_of_the_team(self):
        """An application names the token; its secret is the team's."""
        self.configure({"a": {"hostname": HOST, "policy": "service", "service_tokens": [{"id": ID}]},
                        "b": {"hostname": "b.example.com", "policy": "service"}},
                       teams={"acme": {"strict_service_token_auth": True, **TOKENS}})
        self.assertEqual(self.get(PAIR).status, 200)
        self.assertEqual(self.get(PAIR, host="b.example.com").status, 403)
        new = self.change("rotate")["secret"]
        self.assertEqual(self.get(PAIR).status, 401)
        self.assertEqual(self.get({**PAIR, "CF-Access-Client-Secret": new}).status, 200)
