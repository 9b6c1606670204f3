"""Managed OAuth: discovery, registration, authorization, tokens, and all that a strict server refuses."""
import http.server
import json
import re
import threading
import urllib.parse

from edge_case import EdgeTest

HOST, TEAM = "a.example.com", "acme.cloudflareaccess.com"
OAUTH = f"https://{TEAM}/cdn-cgi/access/oauth/"
RESOURCE = "https://a.example.com"
CALLBACK = "http://127.0.0.1:8400/callback"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def pkce():
    """A verifier and its S256 challenge: those of RFC 7636, appendix B."""
    return "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class OauthCase(EdgeTest):
    def setUp(self):
        self.control("POST", "/reset")
        self.use()

    def use(self, oauth=True, **more):
        self.configure({"a": {"hostname": HOST, "managed_oauth": oauth, **more},
                        "b": {"hostname": "b.example.com", "managed_oauth": True},
                        "c": {"hostname": "c.example.com"}})

    def post(self, url, fields, headers=None):
        parts = urllib.parse.urlsplit(url)
        body = fields if isinstance(fields, str) else urllib.parse.urlencode(fields)
        answer = self.request(parts.netloc, parts.path, "POST", body, {**FORM, **(headers or {})})
        return answer.status, json.loads(answer.body) if answer.body else None

    def registration(self, *uris, **more):
        body = {"redirect_uris": list(uris or [CALLBACK]), "token_endpoint_auth_method": "none",
                "client_name": "a client", **more}
        answer = self.request(TEAM, "/cdn-cgi/access/oauth/registration", "POST", json.dumps(body),
                              {"Content-Type": "application/json"})
        return answer.status, json.loads(answer.body)

    def client(self, *uris, **more):
        status, told = self.registration(*uris, **more)
        self.assertEqual(status, 201, told)
        return told["client_id"]

    def org(self, email="alice@example.com"):
        token = self.control("POST", "/mint", {"kind": "org", "email": email})["token"]
        return {"Cookie": "CF_Authorization=" + token}

    def authorize(self, client, challenge, person=None, **changes):
        query = {"client_id": client, "redirect_uri": CALLBACK, "response_type": "code", "state": "s t&1",
                 "code_challenge": challenge, "code_challenge_method": "S256", "resource": RESOURCE, **changes}
        query = {name: value for name, value in query.items() if value is not None}
        return self.follow(OAUTH + "authorization?" + urllib.parse.urlencode(query), person)

    def decide(self, consent, person, decision="approve"):
        """Answers the page that asks the person, and gives what the client is told."""
        page = self.follow(f"https://{TEAM}{consent.location}", person)
        self.assertEqual(page.status, 200, page.body)
        request = re.search(rb'name="request" value="([^"]+)"', page.body)[1].decode()
        self.assertIn(b"a client asks for access", page.body)
        body = urllib.parse.urlencode({"request": request, "decision": decision})
        answer = self.request(TEAM, "/cdn-cgi/access/oauth/consent", "POST", body, {**FORM, **person})
        return self.told(answer)

    def told(self, answer):
        self.assertEqual(answer.status, 302)
        address, _, query = answer.location.partition("?")
        return address, dict(urllib.parse.parse_qsl(query))

    def code(self, client, challenge, **changes):
        _, told = self.decide(self.authorize(client, challenge, self.org(), **changes), self.org())
        return told["code"]

    def exchange(self, client, issued, verifier, **changes):
        fields = {"grant_type": "authorization_code", "code": issued, "client_id": client,
                  "redirect_uri": CALLBACK, "code_verifier": verifier, **changes}
        return self.post(OAUTH + "token", {name: value for name, value in fields.items() if value is not None})

    def refresh(self, client, token, **changes):
        return self.post(OAUTH + "token", {"grant_type": "refresh_token", "refresh_token": token,
                                           "client_id": client, **changes})

    def grant(self, **more):
        """A client with the tokens of a whole login."""
        client, (verifier, challenge) = self.client(**more), pkce()
        status, tokens = self.exchange(client, self.code(client, challenge), verifier)
        self.assertEqual(status, 200, tokens)
        return client, tokens

    def bearer(self, token, host=HOST):
        return self.request(host, headers={"Authorization": "Bearer " + token})


class Discovery(OauthCase):
    def test_from_the_401_to_the_endpoints(self):
        challenge = self.request(HOST, "/").headers["WWW-Authenticate"]
        document = json.loads(self.follow(re.search(r'resource_metadata="([^"]+)"', challenge)[1]).body)
        self.assertEqual(document["authorization_servers"], [f"https://{TEAM}"])
        for host in (TEAM, HOST):
            server = json.loads(self.follow(f"https://{host}/.well-known/oauth-authorization-server").body)
            self.assertEqual(server["issuer"], f"https://{TEAM}")
            for name in ("authorization", "token", "registration"):
                self.assertEqual(server[name + "_endpoint"], OAUTH + name)
            self.assertEqual(server["revocation_endpoint"], OAUTH + "revoke")
            self.assertEqual(server["code_challenge_methods_supported"], ["S256"])
            self.assertIn("none", server["token_endpoint_auth_methods_supported"])

    def test_application_that_is_its_own_issuer(self):
        self.use({"issuer": "host"})
        server = json.loads(self.follow(f"https://{HOST}/.well-known/oauth-authorization-server").body)
        self.assertEqual((server["issuer"], server["token_endpoint"]),
                         (RESOURCE, RESOURCE + "/cdn-cgi/access/oauth/token"))
        client, (verifier, challenge) = self.client(), pkce()
        query = urllib.parse.urlencode({"client_id": client, "redirect_uri": CALLBACK})
        there = self.follow(server["authorization_endpoint"] + "?" + query)
        self.assertEqual(there.location, OAUTH + "authorization?" + query)
        status, _ = self.post(server["token_endpoint"], {
            "grant_type": "authorization_code", "code": self.code(client, challenge), "client_id": client,
            "redirect_uri": CALLBACK, "code_verifier": verifier})
        self.assertEqual(status, 200)

    def test_nothing_without_managed_oauth(self):
        self.configure({"c": {"hostname": HOST}})
        server = json.loads(self.follow(f"https://{TEAM}/.well-known/oauth-authorization-server").body)
        self.assertNotIn("registration_endpoint", server)
        self.assertEqual(self.request(HOST, "/.well-known/oauth-authorization-server").status, 302)
        self.assertEqual(self.registration()[0], 400)

    def test_faults(self):
        for fault, name, value in (("issuer_without_scheme", "issuer", TEAM),
                                   ("foreign_issuer", "issuer", "https://evil.example"),
                                   ("foreign_endpoint", "token_endpoint", "https://evil.example/token"),
                                   ("no_s256", "code_challenge_methods_supported", ["plain"]),
                                   ("no_registration", "registration_endpoint", None)):
            self.control("PATCH", "/config", {"faults": {"oauth." + fault: 1}})
            server = json.loads(self.follow(f"https://{TEAM}/.well-known/oauth-authorization-server").body)
            self.assertEqual(server.get(name), value)


class Registration(OauthCase):
    def test_loopback_addresses_only(self):
        for uri, status in (("http://127.0.0.1/cb", 201), ("http://127.0.0.1:1/cb", 201), ("http://[::1]:9/", 201),
                            ("http://localhost:8400/callback", 201), ("https://127.0.0.1/cb", 400),
                            ("https://example.com/cb", 400), ("http://127.0.0.1.example.com/", 400),
                            ("http://127.0.0.1@example.com/", 400), ("http://127.0.0.1/cb#x", 400),
                            ("cursor://a/b", 400), ("http://127.0.0.2/", 400), ("", 400)):
            with self.subTest(uri):
                got, told = self.registration(uri)
                self.assertEqual(got, status, told)
                if status == 400:
                    self.assertEqual(told["error"], "invalid_client_metadata")
        self.assertEqual(self.registration(CALLBACK, "https://example.com/cb")[0], 400)

    def test_what_the_account_allows(self):
        self.configure({"a": {"hostname": HOST, "managed_oauth": {
            "allow_any_on_localhost": False, "allowed_uris": ["https://ok.example/cb/*", "https://one.example/x"]}}})
        for uri, status in (("http://localhost:1/", 400), ("https://ok.example/cb/1", 201), ("https://ok.example/c", 400),
                            ("https://one.example/x", 201), ("https://one.example/xy", 400), (CALLBACK, 201)):
            self.assertEqual(self.registration(uri)[0], status, uri)

    def test_public_clients_only(self):
        status, told = self.registration(resource=RESOURCE, grant_types=["authorization_code", "refresh_token"])
        self.assertEqual((status, told["token_endpoint_auth_method"]), (201, "none"))
        self.assertNotIn("client_secret", told)
        for changes in ({"token_endpoint_auth_method": "client_secret_basic"}, {"token_endpoint_auth_method": None},
                        {"redirect_uris": []}, {"redirect_uris": "x"}, {"grant_types": ["password"]},
                        {"response_types": ["token"]}, {"resource": "https://c.example.com"}):
            self.assertEqual(self.registration(**changes)[0], 400, changes)


class Authorization(OauthCase):
    def test_the_person_approves(self):
        client, (verifier, challenge) = self.client(), pkce()
        address, told = self.decide(self.authorize(client, challenge, self.org()), self.org())
        self.assertEqual((address, told["state"]), (CALLBACK, "s t&1"))
        self.assertNotIn("iss", told)
        status, tokens = self.exchange(client, told["code"], verifier)
        self.assertEqual(status, 200)
        self.assertTrue(tokens["access_token"].startswith("oauth:"))
        self.assertTrue(tokens["refresh_token"].startswith("oauth:"))
        self.assertEqual((tokens["token_type"], tokens["expires_in"], tokens["resource"], tokens["scope"]),
                         ("bearer", 900, RESOURCE + "/", ""))
        self.assertEqual(self.bearer(tokens["access_token"]).body, b"hello from a, alice@example.com\n")

    def test_the_person_denies(self):
        client, (_, challenge) = self.client(), pkce()
        _, told = self.decide(self.authorize(client, challenge, self.org()), self.org(), "deny")
        self.assertEqual((told["error"], told["state"]), ("access_denied", "s t&1"))
        self.assertNotIn("code", told)

    def test_login_form_comes_first(self):
        client, (verifier, challenge) = self.client(), pkce()
        page = self.authorize(client, challenge)
        fields = dict(re.findall(r'name="(\w+)"[^>]*?value="([^"]*)"', page.body.decode()))
        fields = {**fields, "email": "bob@example.com"}
        signed_in = self.request(TEAM, "/cdn-cgi/access/callback", "POST", urllib.parse.urlencode(fields), FORM)
        person = {"Cookie": "CF_Authorization=" + signed_in.cookie("CF_Authorization")}
        signed_in.location = signed_in.location.removeprefix(f"https://{TEAM}")
        _, told = self.decide(signed_in, person)
        _, tokens = self.exchange(client, told["code"], verifier)
        self.assertEqual(self.bearer(tokens["access_token"]).body, b"hello from a, bob@example.com\n")

    def test_person_whom_no_policy_lets_in(self):
        self.use(allow=["alice@example.com"])
        client, (_, challenge) = self.client(), pkce()
        bob = self.org("bob@example.com")
        consent = self.authorize(client, challenge, bob)
        self.assertEqual(self.follow(f"https://{TEAM}{consent.location}", bob).status, 403)

    def test_wrong_client_or_address_is_never_redirected_to(self):
        client, (_, challenge) = self.client(), pkce()
        for changes in ({"client_id": "unknown"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": None},
                        {"redirect_uri": "http://127.0.0.1:8400/other"}, {"redirect_uri": "http://localhost:8400/callback"}):
            answer = self.authorize(client, challenge, self.org(), **changes)
            self.assertEqual((answer.status, answer.location), (400, ""), changes)

    def test_loopback_address_may_have_any_port(self):
        client, (verifier, challenge) = self.client("http://127.0.0.1/callback"), pkce()
        code = self.code(client, challenge)
        self.assertEqual(self.exchange(client, code, verifier, redirect_uri="http://127.0.0.1/callback")[0], 400)
        self.assertEqual(self.exchange(client, code, verifier)[0], 200)
        client = self.client("http://localhost/callback")
        answer = self.authorize(client, challenge, redirect_uri="http://localhost:99/callback")
        self.assertEqual(answer.status, 400)

    def test_errors_that_the_client_is_told(self):
        client, (_, challenge) = self.client(), pkce()
        for changes, error in (({"code_challenge_method": "plain"}, "invalid_request"),
                               ({"code_challenge_method": None}, "invalid_request"),
                               ({"code_challenge": None}, "invalid_request"),
                               ({"code_challenge": "short"}, "invalid_request"),
                               ({"code_challenge": "-" + challenge[1:]}, "invalid_request"),
                               ({"response_type": "token"}, "unsupported_response_type"),
                               ({"resource": None}, "invalid_target"), ({"resource": "https://c.example.com"}, "invalid_target"),
                               ({"resource": "https://evil.example"}, "invalid_target")):
            address, told = self.told(self.authorize(client, challenge, self.org(), **changes))
            self.assertEqual((address, told["error"], told["state"]), (CALLBACK, error, "s t&1"), changes)
        bound = self.client(resource="https://b.example.com")
        self.assertEqual(self.told(self.authorize(bound, challenge))[1]["error"], "invalid_target")

    def test_issuer_in_the_answer(self):
        self.use({"iss": True})
        client, (_, challenge) = self.client(), pkce()
        _, told = self.decide(self.authorize(client, challenge, self.org()), self.org())
        self.assertEqual(told["iss"], f"https://{TEAM}")
        server = json.loads(self.follow(f"https://{HOST}/.well-known/oauth-authorization-server").body)
        self.assertTrue(server["authorization_response_iss_parameter_supported"])

    def test_faults(self):
        client, (_, challenge) = self.client(), pkce()
        for fault, name, value in (("wrong_state", "state", "somebody-else"), ("no_state", "state", None),
                                   ("wrong_iss", "iss", "https://evil.example"), ("error", "error", "server_error")):
            self.control("PATCH", "/config", {"faults": {"oauth." + fault: 1}})
            _, told = self.decide(self.authorize(client, challenge, self.org()), self.org())
            self.assertEqual(told.get(name), value)


class Tokens(OauthCase):
    def test_code_works_once_and_only_as_it_was_asked_for(self):
        client, other, (verifier, challenge) = self.client(), self.client(), pkce()
        for changes in ({"client_id": other}, {"redirect_uri": "http://127.0.0.1:1/callback"},
                        {"code_verifier": verifier[::-1]}, {"code_verifier": None}, {"resource": "https://b.example.com"},
                        {"code": "unknown"}, {"client_id": None}, {"grant_type": "password"}):
            status, told = self.exchange(client, self.code(client, challenge), verifier, **changes)
            self.assertIn(status, (400, 401), changes)
            self.assertIn("error", told)
        code = self.code(client, challenge)
        _, tokens = self.exchange(client, code, verifier, resource=RESOURCE)
        self.assertEqual(self.bearer(tokens["access_token"]).status, 200)
        self.assertEqual(self.exchange(client, code, verifier)[1]["error"], "invalid_grant")
        self.assertEqual(self.bearer(tokens["access_token"]).status, 401)  # the code was stolen, perhaps
        self.assertEqual(self.refresh(client, tokens["refresh_token"])[0], 400)
        late = self.code(client, challenge)
        self.control("PATCH", "/config", {"clock_skew": 61})
        self.assertEqual(self.exchange(client, late, verifier)[1]["error"], "invalid_grant")

    def test_request_that_is_no_form(self):
        client, (verifier, challenge) = self.client(), pkce()
        fields = urllib.parse.urlencode({"grant_type": "authorization_code", "client_id": client, "code_verifier": verifier,
                                         "redirect_uri": CALLBACK, "code": self.code(client, challenge)})
        for body, headers in ((fields, {"Content-Type": "application/json"}), (fields + "&client_id=x", {})):
            self.assertEqual(self.post(OAUTH + "token", body, headers)[1]["error"], "invalid_request")
        status, told = self.post(OAUTH + "token", fields, {"Authorization": "Basic eDp5"})
        self.assertEqual((status, told["error"]), (401, "invalid_client"))
        self.assertEqual(self.post(OAUTH + "token", fields)[0], 200)

    def test_access_token_opens_its_application_for_its_time(self):
        self.use({"access_token_lifetime": 300})
        _, tokens = self.grant()
        self.assertEqual(tokens["expires_in"], 300)
        self.assertEqual(self.bearer(tokens["access_token"], "b.example.com").status, 401)
        self.assertEqual(self.bearer(tokens["access_token"], "c.example.com").status, 302)
        self.assertEqual(self.bearer(tokens["refresh_token"]).status, 401)
        self.control("PATCH", "/config", {"clock_skew": 301})
        self.assertEqual(self.bearer(tokens["access_token"]).status, 401)

    def test_the_origin_gets_an_assertion_and_no_access_token(self):
        _, tokens = self.grant()
        seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.headers)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.control("PATCH", "/config", {"applications": {"a": {"origin": f"http:127.0.0.1:{server.server_address[1]}"}}})
        self.assertEqual(self.bearer(tokens["access_token"]).status, 204)
        self.assertEqual(seen[0]["Cf-Access-Authenticated-User-Email"], "alice@example.com")
        self.assertEqual(seen[0]["Cf-Access-Jwt-Assertion"].count("."), 2)
        self.assertIsNone(seen[0]["Authorization"])

    def test_upgrade(self):
        for accepted, status in ((True, 101), (False, 401)):
            self.use({"websocket": accepted}, origin="echo")
            _, tokens = self.grant()
            head, _ = self.upgrade(HOST, {"Authorization": "Bearer " + tokens["access_token"]})
            self.assertIn(f" {status} ", head)
            self.assertEqual(self.bearer(tokens["access_token"]).status, 200)

    def test_refresh_tokens_rotate_and_are_not_reused(self):
        client, first = self.grant()
        status, second = self.refresh(client, first["refresh_token"])
        self.assertEqual(status, 200)
        self.assertNotEqual(second["refresh_token"], first["refresh_token"])
        self.assertEqual(self.bearer(second["access_token"]).status, 200)
        self.assertEqual(self.refresh(self.client(), second["refresh_token"])[1]["error"], "invalid_grant")
        status, third = self.refresh(client, second["refresh_token"], resource=RESOURCE)
        self.assertEqual(status, 200)
        self.assertEqual(self.refresh(client, first["refresh_token"])[1]["error"], "invalid_grant")
        self.assertEqual(self.refresh(client, third["refresh_token"])[1]["error"], "invalid_grant")
        self.assertEqual(self.bearer(third["access_token"]).status, 401)
        grant, = self.control("GET", "/oauth")["grants"]
        self.assertEqual((grant["alive"], grant["ended"]), (False, "refresh token replayed"))

    def test_refresh_asks_the_policy_again_and_ends_with_the_session(self):
        self.use({"session_duration": 1000})
        client, tokens = self.grant()
        self.control("PATCH", "/config", {"applications": {"a": {"allow": ["bob@example.com"]}}})
        self.assertEqual(self.refresh(client, tokens["refresh_token"])[1]["error"], "invalid_grant")
        self.control("PATCH", "/config", {"applications": {"a": {"allow": []}}})
        _, tokens = self.refresh(client, tokens["refresh_token"])
        self.control("PATCH", "/config", {"clock_skew": 1001})
        self.assertEqual(self.refresh(client, tokens["refresh_token"])[1]["error"], "invalid_grant")

    def test_revocation(self):
        client, tokens = self.grant()
        access, refresh = tokens["access_token"], tokens["refresh_token"]
        revoke = lambda token, by=client: self.post(OAUTH + "revoke", {"token": token, "client_id": by})[0]
        self.assertEqual((revoke(refresh, self.client()), revoke("unknown")), (200, 200))
        self.assertEqual(self.bearer(access).status, 200)
        self.assertEqual((revoke(access), self.bearer(access).status), (200, 401))
        _, tokens = self.refresh(client, refresh)
        self.assertEqual(revoke(tokens["refresh_token"]), 200)
        self.assertEqual(self.bearer(tokens["access_token"]).status, 401)
        self.assertEqual(self.refresh(client, tokens["refresh_token"])[1]["error"], "invalid_grant")
        self.assertEqual(revoke(refresh, "unknown"), 401)

    def test_what_the_test_can_end(self):
        client, tokens = self.grant()
        self.control("POST", "/oauth", {"expire_access_tokens": True})
        self.assertEqual(self.bearer(tokens["access_token"]).status, 401)
        _, tokens = self.refresh(client, tokens["refresh_token"])
        self.assertEqual(self.control("POST", "/oauth", {"end": True, "application": "b"})["ended"], 0)
        self.assertEqual(self.control("POST", "/oauth", {"end": True, "application": "a"})["ended"], 1)
        self.assertEqual(self.refresh(client, tokens["refresh_token"])[1]["error"], "invalid_grant")
        self.control("POST", "/oauth", {"forget_clients": True})
        self.assertEqual(self.refresh(client, tokens["refresh_token"])[1]["error"], "invalid_client")

    def test_logout_ends_the_grant(self):
        _, tokens = self.grant()
        self.request(TEAM, "/cdn-cgi/access/logout", headers=self.org())
        self.assertEqual(self.bearer(tokens["access_token"]).status, 401)

    def test_answer_that_is_lost(self):
        client, tokens = self.grant()
        self.control("PATCH", "/config", {"faults": {"oauth_token.lost": 1}})
        self.assertRaises(OSError, self.refresh, client, tokens["refresh_token"])
        self.assertEqual(self.refresh(client, tokens["refresh_token"])[1]["error"], "invalid_grant")
