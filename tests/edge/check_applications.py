"""Metadata, logins, exchanges and tokens."""
import base64
import http.client
import json
import os
import re
import urllib.parse

from edge_case import EdgeTest, jwt_part


class Applications(EdgeTest):
    def test_metadata(self):
        self.configure({"wild": {"hostname": "*.wild.example.com"}})
        answer = self.request("a.wild.example.com", method="HEAD",
                              headers={"CF-Access-Metadata-Request": "true"})
        self.assertEqual(answer.status, 302)
        claims = jwt_part(answer.headers["cf-access-metadata"], 1)
        self.assertEqual(claims["hostname"], "a.wild.example.com")
        self.assertEqual(claims["app_hostname"], "*.wild.example.com")
        self.assertEqual(claims["type"], "match")
        kid = jwt_part(answer.headers["cf-access-metadata"], 0)["kid"]
        keys = json.loads(self.request(claims["auth_domain"], "/cdn-cgi/access/certs").body)
        self.assertIn(kid, [key["kid"] for key in keys["keys"]])
        self.assertIsNone(self.request("a.wild.example.com").headers["cf-access-metadata"])

    def test_metadata_faults(self):
        self.configure({"a": {"hostname": "a.example.com"}})
        seen = {}
        for fault in ("bad_signature", "alg_none", "alg_hs256", "no_iat", "auth_domain_userinfo"):
            self.control("PATCH", "/config", {"faults": {"metadata." + fault: 1}})
            seen[fault] = self.request("a.example.com", headers={
                "CF-Access-Metadata-Request": "true"}).headers["cf-access-metadata"]
        self.assertEqual(jwt_part(seen["alg_none"], 0)["alg"], "none")
        self.assertEqual(jwt_part(seen["alg_hs256"], 0)["alg"], "HS256")
        self.assertNotIn("iat", jwt_part(seen["no_iat"], 1))
        self.assertIn("@", jwt_part(seen["auth_domain_userinfo"], 1)["auth_domain"])
        self.assertEqual(self.control("GET", "/config")["faults"], {})

    def test_metadata_refused(self):
        self.configure({"a": {"hostname": "a.example.com"}})
        for fault, status in (("403", 403), ("403_challenge", 403), ("403_waf", 403), ("404", 404), ("429", 429),
                              ("502", 502), ("530_1033", 530)):
            self.control("PATCH", "/config", {"faults": {"metadata." + fault: 1}})
            self.assertEqual(self.request("a.example.com").status, 302)
            answer = self.request("a.example.com", headers={"CF-Access-Metadata-Request": "true"})
            self.assertEqual(answer.status, status)
            self.assertIsNone(answer.headers["cf-access-metadata"])
            self.assertEqual(answer.headers["cf-mitigated"], "challenge" if "challenge" in fault else None)

    def test_login_form(self):
        self.configure({"a": {"hostname": "a.example.com", "allow": ["bob@example.com"]}})
        aud = self.control("GET", "/config")["applications"]["a"]["aud"]
        key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        query = urllib.parse.urlencode({"aud": aud, "token": key, "send_org_token": "true"})
        first = self.request("a.example.com", "/cdn-cgi/access/cli?" + query)
        session = first.cookie("CF_AppSession")
        page = self.follow(first.location)
        fields = dict(re.findall(r'name="(\w+)"[^>]*?value="([^"]*)"', page.body.decode()))
        fields = {name: value.replace("&amp;", "&") for name, value in fields.items()}
        post = {"Content-Type": "application/x-www-form-urlencoded"}
        callback = ("acme.cloudflareaccess.com", "/cdn-cgi/access/callback", "POST")
        refused = self.request(*callback, urllib.parse.urlencode(fields), post)
        self.assertEqual(refused.status, 403)
        fields["email"] = "bob@example.com"
        signed_in = self.request(*callback, urllib.parse.urlencode(fields), post)
        self.assertIsNotNone(signed_in.cookie("CF_Authorization"))
        authorized = self.follow(signed_in.location, {"Cookie": "CF_AppSession=" + session})
        token = authorized.cookie("CF_Authorization")
        self.assertEqual(jwt_part(token, 1)["email"], "bob@example.com")
        done = self.follow(authorized.location, {"Cookie": "CF_Authorization=" + token})
        self.assertIn(b"close this window", done.body)
        path = "/transfer/" + urllib.parse.quote(key)
        fetched = self.request("login.cloudflareaccess.org", path)
        self.assertEqual(fetched.status, 200)
        self.assertEqual(len(base64.urlsafe_b64decode(fetched.headers["service-public-key"])), 32)
        self.assertGreater(len(base64.b64decode(fetched.body)), 40)

    def test_exchange(self):
        self.configure({"a": {"hostname": "a.example.com"}})
        org = self.control("POST", "/mint", {"kind": "org"})["token"]
        first = self.request("a.example.com", "/x?y=1", "HEAD")
        second = self.follow(first.location, {"Cookie": "CF_Authorization=" + org})
        self.assertEqual(self.follow(second.location).status, 400)
        second = self.follow(first.location, {"Cookie": "CF_Authorization=" + org})
        session = {"Cookie": "CF_AppSession=" + first.cookie("CF_AppSession")}
        third = self.follow(second.location, session)
        self.assertEqual(third.location, "https://a.example.com/x?y=1")
        token = third.cookie("CF_Authorization")
        self.assertEqual(self.request("a.example.com", headers={"Cf-Access-Token": token}).status, 200)
        self.control("POST", "/revoke", {"kind": "app"})
        self.assertEqual(self.request("a.example.com", headers={"Cf-Access-Token": token}).status, 302)
        self.control("POST", "/revoke", {"kind": "org"})
        self.assertEqual(self.follow(first.location, {"Cookie": "CF_Authorization=" + org}).status, 200)

    def test_applications_on_one_host(self):
        self.configure({"a": {"hostname": "a.example.com"}, "b": {"hostname": "a.example.com/b"}})
        auds = {name: app["aud"] for name, app in self.control("GET", "/config")["applications"].items()}
        org = {"Cookie": "CF_Authorization=" + self.control("POST", "/mint", {"kind": "org"})["token"]}
        for name, target in (("a", "/"), ("a", "/bc"), ("b", "/b"), ("b", "/b/c")):
            first = self.request("a.example.com", target, "HEAD",
                                 headers={"CF-Access-Metadata-Request": "true"})
            self.assertEqual(jwt_part(first.headers["cf-access-metadata"], 1)["aud"], auds[name])
            second = self.follow(first.location, org)
            third = self.follow(second.location,
                                {"Cookie": "CF_AppSession=" + first.cookie("CF_AppSession")})
            token = third.cookie("CF_Authorization")
            self.assertEqual(jwt_part(token, 1)["aud"], [auds[name]])
            key = base64.urlsafe_b64encode(os.urandom(32)).decode()
            query = urllib.parse.urlencode({"aud": auds[name], "token": key})
            done = self.request("a.example.com", "/cdn-cgi/access/cli?" + query,
                                headers={"Cookie": "CF_Authorization=" + token})
            self.assertEqual(done.status, 200)

    def test_token_checks(self):
        self.configure({"a": {"hostname": "a.example.com"}, "b": {"hostname": "b.example.com"}})
        status = lambda token: self.request("a.example.com", headers={"Cf-Access-Token": token}).status
        self.assertEqual(status(self.mint("a")), 200)
        self.assertEqual(status(self.mint("b")), 302)
        self.assertEqual(status(self.mint("a", expires_in=-5)), 302)
        self.assertEqual(status(self.mint("a", signature="bad")), 302)
        self.assertEqual(status(self.mint("a", algorithm="HS256")), 302)
        self.assertEqual(status(self.mint("a", algorithm="none")), 302)
        self.assertEqual(status(self.mint("a", claims={"type": "org"})), 302)
        self.assertEqual(status(self.mint("a", claims={"type": 7, "exp": "x"})), 302)
        old = self.mint("a")
        self.control("POST", "/rotate-keys")
        self.assertEqual(status(old), 200)
        self.control("POST", "/rotate-keys?drop=1")
        self.assertEqual(status(old), 302)

    def test_service_token(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "service",
                              "service_tokens": [{"id": "x.access", "secret": "s"}]}})
        good = {"Cf-Access-Client-Id": "x.access", "Cf-Access-Client-Secret": "s"}
        token = self.request("a.example.com", headers=good).cookie("CF_Authorization")
        self.assertEqual(jwt_part(token, 1)["common_name"], "x.access")
        bad = self.request("a.example.com", headers={**good, "Cf-Access-Client-Secret": "t"})
        self.assertEqual(bad.status, 403)
        self.control("PATCH", "/config", {"applications": {"a": {"service_refusal": "login"}}})
        bad = self.request("a.example.com", headers={**good, "Cf-Access-Client-Secret": "t"})
        self.assertEqual(bad.status, 302)

    def test_binding_cookie_refuses_bare_tokens(self):
        self.configure({"a": {"hostname": "a.example.com", "binding_cookie": True}})
        token = self.mint("a")
        self.assertEqual(self.request("a.example.com", headers={"Cf-Access-Token": token}).status, 302)

    def test_poll_wakes_up(self):
        self.configure({"a": {"hostname": "a.example.com"}}, poll_seconds=0.2)
        key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        poll = lambda: self.request("login.cloudflareaccess.org", "/transfer/" + key)
        self.assertEqual(poll().status, 404)
        self.control("PATCH", "/config", {"poll_seconds": 20})
        connection = http.client.HTTPSConnection("login.cloudflareaccess.org")
        connection.sock = self.tls("login.cloudflareaccess.org")
        connection.request("GET", "/transfer/" + key)
        self.assertEqual(self.control("POST", "/sign-in?wait=5")["token"], key)
        self.assertEqual(connection.getresponse().status, 200)

    def test_bad_configuration_changes_nothing(self):
        self.configure({"a": {"hostname": "a.example.com"}})
        before = self.control("GET", "/config")
        for patch in ({"faults": {"no.such": 1}}, {"applications": {"b": {"hostnam": "x"}}},
                      {"applications": {"a": {"origin": "tcp"}}}, {"poll_seconds": "x"}):
            self.control("PATCH", "/config", patch, status=400)
        self.assertEqual(self.control("GET", "/config"), before)
