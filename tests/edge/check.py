#!/usr/bin/env python3
"""Checks mayfly-edge against its README, with Python's own TLS and a WebSocket client of a few lines."""

import base64, hashlib, http.client, json, os, re, shutil, socket, ssl, struct, subprocess, sys
import tempfile, time, unittest, urllib.parse

EDGE = os.path.abspath(sys.argv.pop())


def jwt_part(token, index):
    part = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body
        self.location = response.headers.get("Location", "")

    def cookie(self, name):
        for field in self.headers.get_all("Set-Cookie") or []:
            if field.startswith(name + "="):
                return field.split(";")[0].split("=", 1)[1]
        return None


class WebSocket:
    """Just enough of RFC 6455: raw frames out, raw frames in."""

    def __init__(self, stream):
        self.stream, self.buffer = stream, b""

    def send(self, opcode, payload, fin=True):
        head = bytes([(0x80 if fin else 0) | opcode])
        size = len(payload)
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        mask = b"\x01\x02\x03\x04"
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        self.stream.sendall(head + mask + masked)

    def take(self, count):
        while len(self.buffer) < count:
            more = self.stream.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def read(self):
        first, second = self.take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first, second >> 7, self.take(size)


class EdgeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        cls.process = subprocess.Popen(
            [EDGE, "--directory", cls.directory + "/edge", "--until-stdin-closes"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        cls.ready = json.loads(cls.process.stdout.readline())

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()
        assert cls.process.wait(10) == 0
        cls.process.stdout.close()
        shutil.rmtree(cls.directory)

    def configure(self, applications, **rest):
        self.control("PUT", "/config", {"applications": applications, **rest})
        for path in ("/log", "/stats"):
            self.control("DELETE", path)

    def control(self, method, path, body=None, status=200):
        connection = http.client.HTTPConnection("127.0.0.1", self.ready["control"])
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        connection.request(method, path, text)
        response = connection.getresponse()
        result = json.loads(response.read())
        connection.close()
        self.assertEqual(response.status, status, result)
        return result

    def tls(self, host, certificate=None, version=None, session=None, context=None):
        if context is None:
            context = ssl.create_default_context(cafile=self.ready["ca"])
            if certificate:
                context.load_cert_chain(certificate + ".pem", certificate + ".key")
            if version:
                context.maximum_version = version
        raw = socket.create_connection(("127.0.0.1", self.ready["port"]), 10)
        self.addCleanup(raw.close)
        stream = context.wrap_socket(raw, server_hostname=host, session=session)
        self.addCleanup(stream.close)
        return stream

    def request(self, host, target="/", method="GET", body=None, headers=None, **options):
        connection = http.client.HTTPSConnection(host)
        connection.sock = self.tls(host, **options)
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        answer = Answer(response, response.read())
        connection.close()
        return answer

    def follow(self, url, headers=None, **options):
        parts = urllib.parse.urlsplit(url)
        self.assertEqual(parts.scheme, "https")
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        return self.request(parts.netloc, target, headers=headers, **options)

    def upgrade(self, host, headers=None, **options):
        stream = self.tls(host, **options)
        lines = [f"GET / HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            more = stream.recv(65536)
            if not more:
                break
            head += more
        head, _, rest = head.partition(b"\r\n\r\n")
        client = WebSocket(stream)
        client.buffer = rest
        return head.decode(), client

    def mint(self, application, **body):
        return self.control("POST", "/mint", {"application": application, **body})["token"]

    def tunnel_log(self):
        for _ in range(100):
            entries = [e["tunnel"] for e in self.control("GET", "/log") if e["tunnel"]]
            if entries and not entries[-1]["open"]:
                return entries[-1]
            time.sleep(0.05)
        self.fail("the tunnel did not end")

    # Applications and tokens

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

    # Certificates

    def sign(self, application, key, **token):
        jwt = self.mint(application, **token)
        body = {"public_key": key, "jwt": jwt, "issuer": jwt_part(jwt, 1)["iss"]}
        return self.request("acme.cloudflareaccess.com", "/cdn-cgi/access/cert_sign", "POST",
                            json.dumps(body), {"Content-Type": "application/json"})

    def text(self, path):
        with open(path) as file:
            return file.read()

    def show(self, line):
        path = self.directory + "/shown-cert.pub"
        with open(path, "w") as file:
            file.write(line + "\n")
        shown = subprocess.run(["ssh-keygen", "-L", "-f", path], capture_output=True, text=True)
        return shown.stdout

    def test_cert_sign(self):
        self.configure({"a": {"hostname": "a.example.com", "email": "alice@example.com"}})
        path = self.directory + "/user"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        key = self.text(path + ".pub")
        answer = self.sign("a", key)
        self.assertEqual(answer.status, 200)
        shown = self.show(json.loads(answer.body)["certificate"])
        self.assertRegex(shown, r"user certificate")
        self.assertRegex(shown, r"Principals: \n +alice\n")
        self.assertEqual(self.sign("a", key, signature="bad").status, 403)
        self.assertEqual(json.loads(self.sign("a", key, kind="service").body)["status"], 403)
        for fault, expected in (("host_certificate", "host certificate"),
                                ("no_principals", r"Principals: \(none\)"),
                                ("extra_critical_option", "edge@example.com")):
            self.control("PATCH", "/config", {"faults": {"cert_sign." + fault: 1}})
            shown = self.show(json.loads(self.sign("a", key).body)["certificate"])
            self.assertRegex(shown, expected)
        self.control("PATCH", "/config", {"faults": {"cert_sign.html_502": 1}})
        self.assertEqual(self.sign("a", key).status, 502)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=self.directory, capture_output=True)

    def client_certificate(self, name, issuer, days="10"):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                     name + ".key", "-subj", "/CN=" + name, "-out", name + ".csr")
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey",
                     issuer + ".key", "-CAcreateserial", "-days", days, "-out", name + ".pem")
        return self.directory + "/" + name

    def test_mutual_tls(self):
        for name in ("root", "other"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-nodes", "-keyout", name + ".key", "-subj", "/CN=" + name, "-out",
                         name + ".pem")
        good = self.client_certificate("device", "root")
        stranger = self.client_certificate("stranger", "other")
        pem = self.text(self.directory + "/root.pem")
        self.configure({"a": {"hostname": "a.example.com", "policy": "certificate", "client_ca": pem}})
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            get = lambda **options: self.request("a.example.com", version=version, **options)
            self.assertEqual(get().status, 403)
            self.assertEqual(get(certificate=stranger).status, 403)
            answer = get(certificate=good)
            self.assertEqual(answer.status, 200)
            token = {"Cf-Access-Token": answer.cookie("CF_Authorization")}
            self.assertEqual(get(headers=token).status, 200)
        checks = [entry["tls"]["certificate_check"] for entry in self.control("GET", "/log")]
        self.assertEqual(checks[0], "none")
        self.assertNotIn(checks[1], ("ok", "none"))
        self.assertEqual(checks[2], "ok")
        self.control("PATCH", "/config", {"applications": {"a": {"session_duration": "no_duration"}}})
        self.assertIsNone(get(certificate=good).cookie("CF_Authorization"))
        self.assertEqual(get(headers=token).status, 403)
        self.control("PATCH", "/config", {"applications": {"a": {"common_names": ["other"]}}})
        self.assertEqual(get(certificate=good).status, 403)
        self.control("PATCH", "/config", {"applications": {"a": {
            "policy": "certificate+identity", "common_names": []}}})
        self.assertEqual(get(certificate=good).status, 302)
        self.assertEqual(get().status, 403)

    def test_resumption(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass"}})
        context = ssl.create_default_context(cafile=self.ready["ca"])
        first = self.tls("a.example.com", context=context)
        first.sendall(b"GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n")
        first.recv(65536)
        self.tls("a.example.com", context=context, session=first.session)
        self.assertEqual(self.control("GET", "/stats")["tls_resumed"], 1)

    def test_tls_faults(self):
        self.configure({"a": {"hostname": "a.example.com"}})
        for fault in ("expired", "wrong_host", "self_signed", "reset"):
            self.control("PATCH", "/config", {"faults": {"tls." + fault: 1}})
            self.assertRaises(OSError, self.tls, "a.example.com")
        self.tls("a.example.com")

    # Tunnels

    def test_echo(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "echo"}})
        head, client = self.upgrade("a.example.com")
        self.assertIn("101", head.split("\r\n")[0])
        self.assertIn("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head)  # RFC 6455 section 1.3
        for size in (0, 5, 125, 126, 65535, 65536, 300000):
            client.send(2, b"x" * size)
            received = b""
            while True:
                first, masked, payload = client.read()
                self.assertEqual(masked, 0)
                received += payload
                if first & 0x80:
                    break
            self.assertEqual(received, b"x" * size)
        client.send(9, b"ping")
        self.assertEqual(client.read(), (0x8A, 0, b"ping"))
        client.send(8, struct.pack(">H", 1000) + b"bye")
        self.assertEqual(client.read()[0], 0x88)
        record = self.tunnel_log()
        self.assertEqual((record["end"], record["close_received"], record["close_reason"]),
                         ("close", 1000, "bye"))
        self.assertEqual(record["bytes_in"], record["bytes_out"])

    def test_source(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass",
                              "origin": "source:1000000", "websocket": {"close_code": 1001}}})
        _, client = self.upgrade("a.example.com")
        received = b""
        while True:
            first, _, payload = client.read()
            if first == 0x88:
                break
            received += payload
        self.assertEqual(payload, struct.pack(">H", 1001))
        self.assertEqual(received, bytes(i % 251 for i in range(1000000)))

    def test_tcp(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass",
                              "origin": f"tcp:127.0.0.1:{port}"}})
        _, client = self.upgrade("a.example.com")
        origin, _ = listener.accept()
        client.send(2, b"to the origin")
        self.assertEqual(origin.recv(100), b"to the origin")
        origin.sendall(b"and back")
        self.assertEqual(client.read()[2], b"and back")
        origin.close()
        self.assertEqual(client.read(), (0x88, 0, struct.pack(">H", 1000)))
        client.send(8, struct.pack(">H", 1000))
        self.assertEqual(self.tunnel_log()["close_sent"], 1000)
        listener.close()
        head, _ = self.upgrade("a.example.com")
        self.assertIn("502", head.split("\r\n")[0])

    def test_http_origin(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        self.configure({"a": {"hostname": "a.example.com", "origin": f"http:127.0.0.1:{port}"}})
        connection = http.client.HTTPSConnection("a.example.com")
        connection.sock = self.tls("a.example.com")
        connection.request("POST", "/path", "body", {"Cf-Access-Token": self.mint("a")})
        origin, _ = listener.accept()
        text = b""
        while not text.endswith(b"body"):
            text += origin.recv(65536)
        self.assertNotIn(b"Cf-Access-Token", text)
        self.assertIn(b"Cf-Access-Jwt-Assertion", text)
        origin.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok")
        origin.close()
        response = connection.getresponse()
        self.assertEqual((response.status, response.read()), (201, b"ok"))
        self.assertIsNotNone(response.headers["cf-ray"])
        listener.close()

    def test_upgrade_faults(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "echo"}})
        for fault, expected in (("403_challenge", "cf-mitigated: challenge"), ("530_1033", " 530 "),
                                ("login_redirect", "/cdn-cgi/access/login/"), ("200", " 200 "),
                                ("wrong_upgrade", "h2c"), ("extension", "permessage-deflate"),
                                ("http_1_0", "HTTP/1.0 101")):
            self.control("PATCH", "/config", {"faults": {"upgrade." + fault: 1}})
            self.assertIn(expected, self.upgrade("a.example.com")[0])

    def test_tunnel_faults(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "echo"}})
        for fault, first in (("masked", 0x82), ("reserved_bits", 0xC2), ("unknown_opcode", 0x83),
                             ("oversized_ping", 0x89), ("continuation", 0x80), ("short_close", 0x88)):
            self.control("PATCH", "/config", {"faults": {"tunnel." + fault: 1}})
            _, client = self.upgrade("a.example.com")
            self.assertEqual(client.take(1)[0], first)
            client.send(8, struct.pack(">H", 1002))
            self.assertEqual(self.tunnel_log()["close_received"], 1002)
            self.control("DELETE", "/log")
        self.control("PATCH", "/config", {"faults": {"tunnel.eof": {"times": 1, "bytes": 3}}})
        _, client = self.upgrade("a.example.com")
        client.send(2, b"hello")
        self.assertEqual(client.read()[2], b"hel")
        self.assertRaises((EOFError, ssl.SSLEOFError), client.read)

    def test_close_tunnels(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "discard"}})
        _, client = self.upgrade("a.example.com")
        self.assertEqual(len(self.control("GET", "/tunnels")), 1)
        self.control("POST", "/close-tunnels", {"code": 1001, "reason": "away"})
        self.assertEqual(client.read(), (0x88, 0, struct.pack(">H", 1001) + b"away"))
        client.send(8, struct.pack(">H", 1001))
        self.assertEqual(self.tunnel_log()["end"], "close")
        _, client = self.upgrade("a.example.com")
        self.control("POST", "/close-tunnels", {"how": "reset"})
        self.assertRaises((EOFError, OSError), client.read)  # Python's TLS may hide the reset

    def test_script(self):
        script = [{"early": True}, {"frame": {"opcode": 1, "payload": "a", "fin": False}},
                  {"frame": {"opcode": 9, "payload": "p"}}, {"expect": {"opcode": 10, "payload": "p"}},
                  {"pieces": 1}, {"send": "8001 62"}, {"expect": {"opcode": 8, "code": 1000, "masked": True}},
                  {"end": "shutdown"}]
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "script",
                              "script": script}})
        _, client = self.upgrade("a.example.com")
        self.assertEqual(client.read(), (0x01, 0, b"a"))
        self.assertEqual(client.read(), (0x89, 0, b"p"))
        client.send(10, b"p")
        self.assertEqual(client.read(), (0x80, 0, b"b"))
        client.send(8, struct.pack(">H", 1000))
        record = self.tunnel_log()
        self.assertTrue(record["script"]["ok"], record)
        self.assertEqual(record["close_received"], 1000)

    def test_script_of_a_stream(self):
        for said, failure in ((b"xxxx", ""), (b"xxxy", "the data differs")):
            self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "script", "script": [
                {"frame": {"opcode": 2, "payload_size": 5, "payload_fill": "f", "fragment": 2}},
                {"expect_data": {"opcode": 2, "payload_size": 4, "payload_fill": "x"}}]}})
            _, client = self.upgrade("a.example.com")
            self.assertEqual([client.read() for _ in range(3)],
                             [(0x02, 0, b"ff"), (0x00, 0, b"ff"), (0x80, 0, b"f")])
            for opcode, piece in ((2, said[:1]), (9, b"meanwhile"), (2, said[1:])):
                client.send(opcode, piece)
            self.assertEqual(self.tunnel_log()["script"]["failure"], failure)

    def test_stalled_tunnel_answers_no_ping(self):
        self.configure({"a": {"hostname": "a.example.com", "policy": "bypass", "origin": "echo"}})
        _, client = self.upgrade("a.example.com")
        client.send(9, b"before")
        self.assertEqual(client.read(), (0x8a, 0, b"before"))
        self.control("POST", "/close-tunnels", {"how": "stall"})
        client.send(9, b"after")
        client.stream.settimeout(0.3)
        self.assertRaises(TimeoutError, client.read)


if __name__ == "__main__":
    unittest.main()
