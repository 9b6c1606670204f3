"""Short-lived SSH certificates, client certificates, TLS."""
import json
import ssl
import subprocess

from edge_case import EdgeTest, jwt_part


class Certificates(EdgeTest):
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
        for fault, message in (("no_ca", "Please create a ca for application"),
                               ("custom_domain", "Invalid issuer. Currently only cloudflareaccess subdomains are "
                                                 "supported")):
            self.control("PATCH", "/config", {"faults": {"cert_sign." + fault: 1}})
            self.assertEqual(json.loads(self.sign("a", key).body), {"status": 400, "message": message})
        self.control("PATCH", "/config", {"faults": {"cert_sign.empty": 1}})
        answer = self.sign("a", key)
        self.assertEqual((answer.status, answer.body), (200, b""))

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
