"""Trust and routes: certificates, --cacert, SSL_CERT_*, proxies, unreachable servers."""
import os
import re
import shutil
import socket

from harness import programs
from harness.case import LOGIN_NEEDED, NETWORK, EdgeCase
from harness.origin import Origin, Proxy, SocksProxy, TlsProxy
from harness.process import PIPE, Running, run
from harness.server_certificate import make_server_certificate
from harness.waiting import eventually

LENIENT_OPENSSL = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = any
[any]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""
ASK = ("login", "--batch", "web.example.com")
TUNNEL = ("ssh", "--batch", "--hostname", "web.example.com")


class Trust(EdgeCase):
    def assert_refused(self, *words, env=None):
        for command in (ASK, TUNNEL, ("ssh-gen", "--batch", "--hostname", "web.example.com")):
            with self.subTest(command=command, words=words):
                before = self.home.snapshot([".cloudflared"])
                self.assert_error(self.home.mayfly(*command, env=env), NETWORK, *words)
                self.assert_unchanged(before, besides=[".cloudflared"])
        self.assertFalse([e for e in self.edge.log() if "Cf-Access-Token" in str(e["headers"])])

    def test_bad_server_certificates(self):
        for fault, word in [("expired", "expired"), ("wrong_host", "certificate is for"),
                            ("self_signed", "not trusted")]:
            self.edge.reset()
            self.edge.fault("tls." + fault)
            self.assert_refused("web.example.com", word)

    def test_unknown_authority(self):
        self.assert_refused("not trusted", "--cacert", env={"SSL_CERT_FILE": None})

    def test_another_authority(self):
        other = os.path.join(self.home.path, "other.pem")
        made = run([programs.system("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other", "-days", "2",
                    "-keyout", other + ".key", "-out", other], env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(made.code, 0, made)
        self.assert_refused("not trusted", env={"SSL_CERT_FILE": other})

    def test_ways_to_name_the_authority(self):
        hashed = os.path.join(self.home.path, "certs")
        os.mkdir(hashed)
        shutil.copy(self.edge.ca, os.path.join(hashed, "edge.pem"))
        made = run([programs.system("openssl"), "rehash", hashed], env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(made.code, 0, made)
        for flags, env in [([], {}), (["--cacert", self.edge.ca], {"SSL_CERT_FILE": None}),
                           (["--cacert", self.edge.ca], {"SSL_CERT_FILE": "/nonexistent"}),
                           ([], {"SSL_CERT_FILE": None, "SSL_CERT_DIR": hashed})]:
            with self.subTest(flags=flags, env=env):
                self.fresh()
                self.assert_error(self.home.mayfly(*ASK, *flags, env=env), LOGIN_NEEDED)

    def test_connection_that_is_reset(self):
        self.edge.fault("tls.reset")
        self.assert_refused("web.example.com")

    def test_closed_port(self):
        self.assert_refused("web.example.com", "refused",
                            env={"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"})

    def test_name_that_is_not_known(self):
        self.assert_refused("name", env={"MAYFLY_CONNECT_TO": ":443:no-such-host.invalid:443"})

    def test_old_versions_of_tls(self):
        self.edge.configure(tls_versions=["1.2"])
        self.assert_error(self.home.mayfly(*ASK), LOGIN_NEEDED)

    def test_versions_before_1_2(self):
        """The system's OpenSSL would accept these versions, as an old one does, and the server offers no other."""
        make_server_certificate(self.edge, "web.example.com", self.home.path)
        lenient = os.path.join(self.home.path, "openssl.cnf")
        with open(lenient, "w", encoding="ascii") as file:
            file.write(LENIENT_OPENSSL)
        env = {"OPENSSL_CONF": lenient, "PATH": "/usr/bin:/bin"}
        for version in ("-tls1", "-tls1_1"):
            server = Running([programs.system("openssl"), "s_server", "-accept", "127.0.0.1:0", version, "-cert",
                              "server.pem", "-key", "server.key", "-www"], env=env, cwd=self.home.path)
            self.addCleanup(server.kill)
            address = eventually("it listens", lambda: re.search(rb"ACCEPT (\S+)\n", server.out))[1].decode()
            taken = run([programs.system("openssl"), "s_client", "-connect", address, version], env=env)
            self.assertEqual(taken.code, 0, taken)
            self.assert_refused("TLS", env={"OPENSSL_CONF": lenient, "MAYFLY_CONNECT_TO": f":443:{address}"})

    def old_server(self, version):
        """Returns a server with a good certificate that speaks that version only, and an environment in which OpenSSL
        accepts it."""
        make_server_certificate(self.edge, "web.example.com", self.home.path)
        lenient = os.path.join(self.home.path, "openssl.cnf")
        with open(lenient, "w", encoding="ascii") as file:
            file.write(LENIENT_OPENSSL)
        env = {"OPENSSL_CONF": lenient, "PATH": "/usr/bin:/bin"}
        server = Running([programs.system("openssl"), "s_server", "-accept", "127.0.0.1:0", version, "-cert",
                          "server.pem", "-key", "server.key", "-www"], env=env, cwd=self.home.path)
        self.addCleanup(server.kill)
        address = eventually("it listens", lambda: re.search(rb"ACCEPT (\S+)\n", server.out))[1].decode()
        taken = run([programs.system("openssl"), "s_client", "-connect", address, version], env=env)
        self.assertEqual(taken.code, 0, taken)
        return address, {"OPENSSL_CONF": lenient}

    def test_versions_before_1_2_in_the_tunnel_itself(self):
        """The application is known and its token is stored, so that the tunnel's TLS comes first."""
        for version in ("-tls1", "-tls1_1"):
            self.fresh()
            self.home.plant_token("web")
            self.assert_done(self.home.mayfly("login", "--batch", "-q", "web.example.com"))
            address, env = self.old_server(version)
            for command in (TUNNEL, ("tcp", "--hostname", "web.example.com", "--url", "127.0.0.1:0")):
                with self.subTest(version=version, command=command):
                    running = self.home.start(*command, env={**env, "MAYFLY_CONNECT_TO": f":443:{address}"})
                    if command is not TUNNEL:
                        port = int(running.wait_err(r"host=127\.0\.0\.1:(\d+)").group(1))
                        with socket.create_connection(("127.0.0.1", port), 60):
                            running.wait_err("protocol")
                    running.wait_err("cannot reach web.example.com: .*TLS.*(protocol version|unsupported protocol)")
                    running.kill()

    def test_server_without_a_certificate(self):
        """If the system's OpenSSL allows cipher suites without a certificate, a server in between can use one."""
        for command in (TUNNEL, ("tcp", "--hostname", "web.example.com", "--url", "127.0.0.1:0"),
                        ("http", "--hostname", "web.example.com", "--url", "127.0.0.1:0"), ASK):
            with self.subTest(command=command):
                self.fresh()
                lenient = os.path.join(self.home.path, "openssl.cnf")
                with open(lenient, "w", encoding="ascii") as file:
                    file.write(LENIENT_OPENSSL)
                token = self.home.plant_token("web")
                self.assert_done(self.home.mayfly("login", "--batch", "-q", "web.example.com"))
                env = {"OPENSSL_CONF": lenient, "PATH": "/usr/bin:/bin"}
                server = Running([programs.system("openssl"), "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-nocert",
                                  "-cipher", "aNULL:@SECLEVEL=0"], env=env, stdin=PIPE)
                self.addCleanup(server.kill)
                address = eventually("it listens", lambda: re.search(rb"ACCEPT (\S+)\n", server.out))[1].decode()
                running = self.home.start(*command, stdin=PIPE, env={
                    "OPENSSL_CONF": lenient, "MAYFLY_CONNECT_TO": f":443:{address}"})
                if command[0] in ("tcp", "http"):
                    port = int(running.wait_err(r"127\.0\.0\.1:(\d+)").group(1))
                    with socket.create_connection(("127.0.0.1", port), 60) as local:
                        local.sendall(b"GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % port)
                        running.wait_err("certificate")
                running.wait_err("certificate")
                running.kill()
                eventually("the handshake is over", lambda: b"CIPHER is A" in server.out)
                self.assertNotIn(token[-20:].encode(), server.out)

    def test_versions_before_1_2_of_an_https_proxy(self):
        for version in ("-tls1", "-tls1_1"):
            self.fresh()
            address, env = self.old_server(version)
            for command in (ASK, TUNNEL):
                with self.subTest(version=version, command=command):
                    result = self.home.mayfly(*command, "--proxy", f"https://{address}", env=env)
                    self.assert_error(result, NETWORK, "protocol")

    def test_one_mapping_of_several(self):
        env = {"MAYFLY_CONNECT_TO": "other.example.com:443:127.0.0.1:1," + self.edge.connect_to}
        self.assert_error(self.home.mayfly(*ASK, env=env), LOGIN_NEEDED)


class Proxies(EdgeCase):
    def proxy(self, credentials=None):
        proxy = Proxy(credentials)
        self.addCleanup(proxy.stop)
        return proxy

    def test_from_flag_and_environment(self):
        for name in ("--proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            with self.subTest(name):
                self.fresh()
                proxy = self.proxy()
                url = f"http://127.0.0.1:{proxy.port}"
                flags, env = ([name, url], {}) if name.startswith("--") else ([], {name: url})
                self.assert_error(self.home.mayfly(*ASK, *flags, env=env), LOGIN_NEEDED)
                self.assertTrue(proxy.requests)

    def test_tunnel_through_a_proxy(self):
        self.home.plant_token("echo")
        origin = Origin(lambda connection: connection.sendall(connection.recv(100)))
        self.addCleanup(origin.stop)
        self.edge.application("echo", origin=origin.address)
        proxy = self.proxy()
        result = self.home.start("ssh", "--hostname", "echo.example.com", stdin=b"through",
                                 env={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}).finish()
        self.assertEqual((result.code, result.out), (0, b"through"), result)
        self.assertTrue(proxy.requests)

    def test_credentials(self):
        proxy = self.proxy("alice:s3cret")
        def ask(who):
            return self.home.mayfly(*ASK, "--proxy", f"http://{who}127.0.0.1:{proxy.port}")
        self.assert_error(ask("alice:s3cret@"), LOGIN_NEEDED)
        result = self.assert_error(ask("alice:wr0ng@"), NETWORK, "407")
        self.assertNotIn("wr0ng", result.err)
        self.assert_error(ask(""), NETWORK, "407")

    def certificate(self):
        """Makes a certificate of the edge's CA for a proxy at 127.0.0.1."""
        path, ca = os.path.join(self.home.path, "proxy.pem"), self.edge.ca
        extensions = os.path.join(self.home.path, "extensions")
        with open(extensions, "w", encoding="ascii") as file:
            file.write("subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth\n")
        for words in (["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=proxy", "-keyout", path + ".key",
                       "-out", path + ".csr"],
                      ["x509", "-req", "-in", path + ".csr", "-CA", ca, "-CAkey", ca.replace("ca.pem", "ca.key"),
                       "-set_serial", "4711", "-days", "2", "-extfile", extensions, "-out", path]):
            made = run([programs.system("openssl"), *words], env={"PATH": "/usr/bin:/bin"})
            self.assertEqual(made.code, 0, made)
        with open(path, "a", encoding="ascii") as file, open(path + ".key", encoding="ascii") as key:
            file.write(key.read())
        return path

    def test_other_kinds_with_credentials(self):
        for kind, make, refusal in (("https", lambda: TlsProxy(self.certificate(), "alice:s3cret"), "407"),
                                    ("socks5h", lambda: SocksProxy("alice:s3cret"), "proxy")):
            with self.subTest(kind):
                self.fresh()
                self.home.plant_token("echo")
                proxy = make()
                self.addCleanup(proxy.stop)
                self.assert_works_with("alice:s3cret", kind, proxy)
                for command in (ASK, TUNNEL):
                    result = self.home.mayfly(*command, "--proxy", f"{kind}://alice:wr0ng@127.0.0.1:{proxy.port}")
                    self.assert_error(result, NETWORK, refusal)
                    self.assertNotIn("wr0ng", result.err)

    def assert_works_with(self, credentials, kind, proxy):
        """Checks a request and a tunnel."""
        flags = ("--proxy", f"{kind}://{credentials}@127.0.0.1:{proxy.port}")
        self.assert_done(self.home.mayfly("login", "-q", "echo.example.com", *flags))
        asked = len(proxy.requests)
        self.assertGreater(asked, 0)
        running = self.home.start("ssh", "--hostname", "echo.example.com", *flags, stdin=PIPE)
        running.write(b"through")
        self.assertEqual(running.wait_out(7), b"through")
        # A proxy of HTTP gets the password when it has asked for it.
        self.assertEqual(len(proxy.requests), asked + (2 if kind == "https" and credentials else 1))
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())

    def test_exceptions(self):
        """The forms of libcurl, and those of cloudflared."""
        for exempt in ("example.com,cloudflareaccess.com", "*.example.com,*.cloudflareaccess.com",
                       "web.example.com:443,acme.cloudflareaccess.com:443"):
            with self.subTest(exempt):
                self.fresh()
                proxy = self.proxy()
                env = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": exempt}
                self.assert_error(self.home.mayfly(*ASK, env=env), LOGIN_NEEDED)
                self.home.plant_token("web")
                self.assert_done(self.home.mayfly("login", "--batch", "-q", "web.example.com", env=env))
                self.assertEqual(proxy.requests, [])

    def test_unreachable_proxy(self):
        """The proxy is named with its source, and not the application alone."""
        for name in ("--proxy", "HTTPS_PROXY", "all_proxy"):
            for scheme in ("http", "https", "socks5h", "socks"):
                with self.subTest((name, scheme)):
                    url = f"{scheme}://alice:s3cret@127.0.0.1:1"
                    flags, env = ([name, url], {}) if name.startswith("--") else ([], {name: url})
                    shown = url.replace("alice:s3cret@", "").replace("socks://", "socks5h://")
                    for command in (ASK, TUNNEL):
                        result = self.home.mayfly(*command, *flags, env=env)
                        self.assert_error(result, NETWORK, f"the proxy {shown} (named by {name})")
                        self.assertNotIn("s3cret", result.err)

    def test_socks_without_a_version(self):
        """GNOME sets all_proxy=socks://HOST:PORT/. It means SOCKS5, and the proxy looks the name up."""
        proxy = SocksProxy()
        self.addCleanup(proxy.stop)
        host, port = self.edge.connect_to.rsplit(":", 2)[1:]
        env = {"all_proxy": f"socks://127.0.0.1:{proxy.port}/", "MAYFLY_CONNECT_TO": f":443:localhost:{port}"}
        self.assert_error(self.home.mayfly(*ASK, env=env), LOGIN_NEEDED)
        self.assertIn(("localhost", int(port)), proxy.requests, host)
