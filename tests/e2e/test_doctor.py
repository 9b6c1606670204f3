"""doctor: each step to an application, whole or broken in one place, as text and as JSON."""
import json
import os
import re
import shlex
import shutil
import signal
import time

from harness import programs
from harness.authority import Authority
from harness.case import (FAILED, LOGIN_NEEDED, NETWORK, PROTOCOL, REFUSED, USAGE, EdgeCase)
from harness.edge import EMAIL, USER
from harness.origin import Origin, Proxy
from harness.process import Running
from harness.relay import Relay
from harness.sshd import Sshd, client_config
from harness.terminal import Terminal
from harness.waiting import eventually

HOST = "ssh.example.com"
NAMES = ["state_directory", "proxy", "dns", "tcp_ipv4", "tcp_ipv6", "tls", "clock", "application",
         "client_certificate", "service_token", "token", "upgrade", "ssh_banner", "ssh_config",
         "ssh_certificate", "agent"]
FINE = {"ok", "not_needed"}


class DoctorCase(EdgeCase):
    host = HOST

    def setUp(self):
        self.origin = Origin(lambda connection: connection.sendall(b"SSH-2.0-test\r\n") or connection.recv(1))
        self.addCleanup(self.origin.stop)
        super().setUp()

    def fresh(self):
        super().fresh()
        for application in ("ssh", "echo", "path"):  # doctor waits for a server that is silent.
            self.edge.application(application, origin=self.origin.address)
        self.home.install_browser()  # The browser must not be opened.
        self.home.plant_token("ssh")

    def doctor(self, *flags, host=None, **more):
        return self.home.mayfly("doctor", "--hostname", host or self.host, *flags, **more)

    def examine(self, *flags, **more):
        """Returns the JSON, with the checks by their names. Checks what is true of every run."""
        before = self.home.snapshot()
        result = self.doctor("--json", *flags, **more)
        report = json.loads(result.out)
        self.assertEqual(list(report), ["hostname", "ok", "checks", "first_failure"], result)
        self.assertEqual([check["name"] for check in report["checks"]], NAMES, result)
        for check in report["checks"]:
            self.assertIn(check["state"], FINE | {"warning", "failed", "skipped"})
            self.assertIsInstance(check["milliseconds"], int)
            self.assert_printable(check["detail"] + check.get("hint", ""))
        failures = [check["name"] for check in report["checks"] if check["state"] == "failed"]
        self.assertEqual(report["first_failure"], failures[0] if failures else None, result)
        self.assertEqual(report["ok"], not failures, result)
        self.assertEqual(result.code == 0, report["ok"], result)
        self.assertEqual(result.err, "")
        self.assert_unchanged(before)
        self.assertEqual(self.home.browsed(), [])
        report["checks"] = {check["name"]: check for check in report["checks"]}
        report["code"] = result.code
        return report

    def assert_broken(self, report, name, code, *words):
        """Checks the first failure, its exit code, and its text."""
        self.assertEqual((report["first_failure"], report["code"]), (name, code), report)
        check = report["checks"][name]
        for word in words:
            self.assertIn(word, check["detail"] + "\n" + check["hint"])
        return report

    def assert_state(self, report, state, *names):
        self.assertEqual({name: report["checks"][name]["state"] for name in names},
                         dict.fromkeys(names, state), report)

    def configure_ssh(self, config):
        """Writes the configuration that the ssh of doctor reads; it is a real ssh."""
        path = os.path.join(self.home.path, "ssh_config")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        self.home.script("ssh", f'exec {programs.system("ssh")} -F {shlex.quote(path)} "$@"\n')
        return path

    def write_block(self, *flags):
        advice = self.assert_done(self.home.mayfly("ssh-config", "--hostname", HOST, *flags))
        return advice.out.decode().split(":\n\n", 1)[1]


class Well(DoctorCase):
    """A real sshd, a real ssh, a certificate and an agent, all in order."""

    def fresh(self):
        super().fresh()
        self.sshd = Sshd(self.edge.ssh_ca_pub)
        self.addCleanup(self.sshd.stop)
        self.edge.application("ssh", origin=f"tcp:127.0.0.1:{self.sshd.port}")
        self.home.variables["MAYFLY_HOME"] = self.home.state  # ssh does not expand ~ to HOME.
        block = self.write_block("--short-lived-cert")
        config = client_config(block, HOST, self.sshd, self.home.path)
        with open(config, encoding="utf-8") as file:
            self.configure_ssh(file.read())
        self.home.variables["SHELL"] = "/bin/sh"

    def connect(self):
        result = Running([os.path.join(self.home.bin, "ssh"), HOST, "true"],
                         env=self.home.environment()).finish()
        self.assert_done(result)

    def agent(self):
        socket = os.path.join(self.home.path, "agent")
        Running([programs.system("ssh-agent"), "-D", "-a", socket], env=self.home.environment())
        eventually("the agent listens", lambda: os.path.exists(socket))
        self.home.variables["SSH_AUTH_SOCK"] = socket

    def test_everything(self):
        self.connect()
        self.agent()
        report = self.examine()
        self.assertEqual(report["hostname"], HOST)
        self.assert_state(report, "ok", "state_directory", "dns", "tcp_ipv4", "tls", "clock",
                          "application", "token", "upgrade", "ssh_banner", "ssh_config",
                          "ssh_certificate", "agent")
        self.assert_state(report, "not_needed", "proxy", "tcp_ipv6", "client_certificate",
                          "service_token")
        details = {name: check["detail"] for name, check in report["checks"].items()}
        self.assertIn(self.home.state, details["state_directory"])
        self.assertIn("127.0.0.1", details["dns"])
        self.assertRegex(details["tls"], r"^TLSv1\.3, key exchange \S+ \((not )?post-quantum\), "
                                         r"issued by \".+\", valid until 20")
        self.assertIn("acme.cloudflareaccess.com", details["application"])
        self.assertIn(self.edge.audience("ssh")[:12], details["application"])
        self.assertIn(EMAIL, details["token"])
        self.assertRegex(details["upgrade"], "101, cf-ray [0-9a-f]+")
        self.assertTrue(details["ssh_banner"].startswith("SSH-2.0-OpenSSH_"), details)
        self.assertIn(programs.mayfly(), details["ssh_config"])
        self.assertIn("OpenSSH_", details["ssh_config"])
        self.assertIn(f"for {USER}, ends in", details["ssh_certificate"])

    def test_as_text(self):
        self.connect()
        result = self.assert_done(self.doctor())
        lines = result.out.decode().splitlines()
        self.assertEqual([re.match(r"(?:ok|not needed) +(\S+) +\d+ ms  \S", line).group(1)
                          for line in lines[:-1]], NAMES)
        self.assertEqual(lines[-1], f"all is well: {HOST} can be reached")
        self.assertEqual(result.err, "")
        self.assertNotIn(b"\x1b", result.out)

    def test_no_certificate_is_made_by_looking(self):
        report = self.examine()
        self.assertEqual(report["code"], 0, report)
        self.assertIn("the next ssh makes one", report["checks"]["ssh_certificate"]["detail"])
        self.assertEqual(self.edge.stats()["signatures"], 0)

    def test_dead_agent(self):
        report = self.examine(env={"SSH_AUTH_SOCK": "/nonexistent/agent"})
        self.assertEqual(report["code"], 0, report)
        self.assert_state(report, "warning", "agent")
        self.configure_ssh(self.write_block("--agent"))
        self.assert_broken(self.examine(env={"SSH_AUTH_SOCK": "/nonexistent/agent"}),
                           "agent", FAILED, "SSH_AUTH_SOCK")
        self.assert_broken(self.examine(), "agent", FAILED, "ssh-agent")

    def test_certificate_in_the_agent(self):
        self.agent()
        self.configure_ssh(self.write_block("--agent"))
        self.assert_done(self.home.mayfly("ssh-gen", "--agent", "--hostname", HOST))
        report = self.examine()
        self.assertEqual(report["code"], 0, report)
        self.assertIn(f"certificate for {USER}", report["checks"]["agent"]["detail"])


class Network(DoctorCase):
    def test_name_that_is_not_known(self):
        report = self.examine(env={"MAYFLY_CONNECT_TO": ":443:no-such-host.invalid:443"})
        self.assert_broken(report, "dns", NETWORK, "no-such-host.invalid")
        self.assert_state(report, "skipped", "tcp_ipv4", "tcp_ipv6", "tls", "clock", "application",
                          "token", "upgrade", "ssh_banner")

    def test_closed_port(self):
        report = self.examine(env={"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"})
        self.assert_broken(report, "tcp_ipv4", NETWORK, "127.0.0.1 port 1", "refused")
        self.assert_state(report, "skipped", "tls", "application", "token", "upgrade")

    def test_closed_port_of_ipv6(self):
        report = self.examine(env={"MAYFLY_CONNECT_TO": ":443:[::1]:1"})
        self.assert_broken(report, "tcp_ipv6", NETWORK, "::1 port 1")
        self.assert_state(report, "not_needed", "tcp_ipv4")

    def test_ipv6_alone(self):
        relay = Relay(self.edge.port, address="::1")
        self.addCleanup(relay.stop)
        report = self.examine(env={"MAYFLY_CONNECT_TO": relay.connect_to})
        self.assert_state(report, "not_needed", "tcp_ipv4")
        self.assert_state(report, "ok", "tcp_ipv6", "tls", "application", "upgrade", "ssh_banner")
        self.assertEqual(report["code"], 0, report)
        self.assertIn("::1", report["checks"]["tcp_ipv6"]["detail"])

    def test_foreign_authority(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        authority.root("other")
        report = self.examine("--cacert", authority.path("other.pem"))
        self.assert_broken(report, "tls", NETWORK, "issued by", "not trusted", "--cacert")
        self.assert_state(report, "skipped", "clock", "application", "token", "upgrade")
        report = self.examine("--cacert", "/nonexistent.pem")
        self.assert_broken(report, "tls", USAGE, "/nonexistent.pem")

    def test_expired_certificate_of_the_server(self):
        """test_unverified.py has the other cases."""
        self.edge.application("ssh", faults={"tls.expired": 99})
        report = self.examine()
        self.assert_broken(report, "tls", NETWORK, "expired on 20", "has to renew the certificate")
        self.assert_state(report, "ok", "clock")
        self.assert_state(report, "skipped", "application", "token", "upgrade")
        self.assertEqual({entry["host"] for entry in self.edge.log()}, {"login.cloudflareaccess.org"})

    def test_wrong_name_in_the_certificate(self):
        self.edge.fault("tls.wrong_host")
        self.assert_broken(self.examine(), "tls", NETWORK, "certificate is for")

    def test_connection_that_is_reset(self):
        self.edge.fault("tls.reset")
        self.assert_broken(self.examine(), "tls", NETWORK, HOST)

    def test_older_tls(self):
        self.edge.configure(tls_versions=["1.2"])
        self.assertIn("TLSv1.2", self.examine()["checks"]["tls"]["detail"])

    def test_silence_ends_by_itself(self):
        self.edge.fault("tls.stall")
        began = time.monotonic()
        running = self.home.start("doctor", "--hostname", HOST)
        running.wait_out(1)
        eventually("what is known is shown while it waits",
                   lambda: b"tcp_ipv4" in running.out and b" tls " not in running.out)
        result = running.finish()
        self.assertEqual(result.code, NETWORK, result)
        self.assertIn("broken: tls: ", result.out.decode())
        self.assertLess(time.monotonic() - began, 40)

    def test_signal_ends_it(self):
        self.edge.fault("tls.stall")
        running = self.home.start("doctor", "--hostname", HOST)
        eventually("it has come to TLS", lambda: b"tcp_ipv6" in running.out)
        running.send(signal.SIGTERM)
        result = running.finish(5)
        self.assertEqual(result.code, FAILED, result)
        self.assertIn("interrupted", result.err)


class Clock(DoctorCase):
    def test_far_off(self):
        for skew, words in ((-7230, "2 h ahead of"), (7230, "2 h behind")):
            self.edge.configure(date_skew=skew)
            report = self.assert_broken(self.examine(), "clock", FAILED, words,
                                        "compare this computer's clock with another source")
            self.assert_state(report, "ok", "application", "upgrade")

    def test_a_little_off(self):
        self.edge.configure(date_skew=-120)
        report = self.examine()
        self.assertEqual(report["code"], 0)
        self.assert_state(report, "warning", "clock")
        text = self.assert_done(self.doctor()).out.decode()
        self.assertIn("works: ssh.example.com can be reached, with 1 warning\n", text)

    def test_clock_is_named_before_the_checks_that_it_breaks(self):
        self.edge.configure(clock_skew=3600)
        self.assert_broken(self.examine(), "clock", FAILED, "behind")


class Proxies(DoctorCase):
    def proxy(self, credentials=None):
        proxy = Proxy(credentials)
        self.addCleanup(proxy.stop)
        return proxy

    def test_working_proxy(self):
        proxy = self.proxy("alice:s3cret")
        report = self.examine(env={"HTTPS_PROXY": f"http://alice:s3cret@127.0.0.1:{proxy.port}"})
        self.assertEqual(report["code"], 0, report)
        self.assertEqual(report["checks"]["proxy"]["detail"],
                         f"http://127.0.0.1:{proxy.port}, named by HTTPS_PROXY")
        self.assert_state(report, "not_needed", "dns", "tcp_ipv4", "tcp_ipv6")
        self.assertNotIn("s3cret", str(report))
        self.assertTrue(proxy.requests)

    def test_broken_proxies(self):
        locked = self.proxy("alice:s3cret")
        self.assert_broken(self.examine("--proxy", f"http://127.0.0.1:{locked.port}"),
                           "proxy", NETWORK, "--proxy", "407")
        report = self.examine(env={"ALL_PROXY": "http://127.0.0.1:1"})
        self.assert_broken(report, "proxy", NETWORK, "http://127.0.0.1:1, named by ALL_PROXY", "refused")
        self.assert_state(report, "skipped", "tls", "application", "upgrade")

    def test_exception(self):
        report = self.examine(env={"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "example.com,cloudflareaccess.com"})
        self.assertEqual(report["code"], 0, report)
        self.assertIn("NO_PROXY", report["checks"]["proxy"]["detail"])
        self.assert_state(report, "ok", "dns", "tcp_ipv4")


class Identity(DoctorCase):
    def test_no_application(self):
        self.edge.application("ssh", policy="none")
        report = self.examine()
        self.assert_broken(report, "application", FAILED, "no Access application", "cf-ray")
        self.assert_state(report, "not_needed", "token")
        self.assert_state(report, "ok", "upgrade")

    def test_host_that_does_not_exist(self):
        report = self.examine(host="unknown.example.net")
        self.assert_broken(report, "application", NETWORK, "530", "DNS record")

    def test_question_that_is_turned_away(self):
        for fault, code, word in (("403", REFUSED, "a policy of Access"), ("403_challenge", REFUSED, "challenge"),
                                  ("429", NETWORK, "429"), ("502", NETWORK, "502"), ("530_1033", NETWORK, "530")):
            with self.subTest(fault):
                self.edge.reset()
                self.edge.fault("metadata." + fault)
                report = self.assert_broken(self.examine(), "application", code, word, "cf-ray")
                self.assert_state(report, "skipped", "token")

    def test_signature_that_does_not_verify(self):
        self.edge.fault("metadata.bad_signature")
        report = self.assert_broken(self.examine(), "application", PROTOCOL, "signature")
        self.assert_state(report, "skipped", "token", "upgrade", "ssh_banner")

    def test_no_token(self):
        os.unlink(self.home.file(self.home.token_name("ssh")))
        report = self.examine()
        self.assert_broken(report, "token", LOGIN_NEEDED, "none is stored",
                           f"run: mayfly access login https://{HOST}")
        self.assert_state(report, "skipped", "upgrade", "ssh_banner")
        result = self.doctor()
        self.assertEqual(result.code, LOGIN_NEEDED)
        self.assertRegex(result.out.decode().splitlines()[-1],
                         rf"^broken: token: none is stored .*; run: mayfly access login https://{HOST}$")
        self.assertEqual(self.edge.stats()["polls"], 0)

    def test_no_state_directory(self):
        home = self.home.variables["MAYFLY_HOME"] = os.path.join(self.home.path, "elsewhere")
        report = self.examine()
        self.assert_broken(report, "token", LOGIN_NEEDED)
        self.assertIn("not there yet", report["checks"]["state_directory"]["detail"])
        self.assertFalse(os.path.exists(home))

    def test_token_that_has_ended(self):
        self.home.plant_token("ssh", expires_in=-7200)
        self.assert_broken(self.examine(), "token", LOGIN_NEEDED, EMAIL, "ended 2 h ago")

    def test_token_of_the_team(self):
        os.unlink(self.home.file(self.home.token_name("ssh")))
        self.home.plant_org_token()
        report = self.examine()
        self.assertEqual(report["code"], 0, report)
        self.assertIn("the team's token earns one", report["checks"]["token"]["detail"])
        self.assert_state(report, "ok", "upgrade")
        self.edge.fault("exchange.refuse")
        self.assert_broken(self.examine(), "token", LOGIN_NEEDED, "not accepted")

    def test_token_that_was_revoked(self):
        self.edge.ask("POST", "/revoke", {"kind": "app"})
        self.assert_broken(self.examine(), "upgrade", LOGIN_NEEDED, "revoked", "access login")
        self.home.plant_org_token()
        self.assertEqual(self.examine()["code"], 0)

    def test_binding_cookie(self):
        self.edge.application("ssh", binding_cookie=True)
        self.assert_broken(self.examine(), "upgrade", LOGIN_NEEDED, "Binding Cookie")
        self.home.plant_org_token()
        self.assert_broken(self.examine(), "upgrade", REFUSED, "Binding Cookie", "cf-ray")

    def test_upgrade_that_is_refused(self):
        for fault, code, word in (("403", REFUSED, "403"), ("403_challenge", REFUSED, "challenge"),
                                  ("502", NETWORK, "502"), ("530_1033", NETWORK, "1033"),
                                  ("200", PROTOCOL, "200"), ("bad_accept", PROTOCOL, "Accept"),
                                  ("close", NETWORK, "closed")):
            with self.subTest(fault):
                self.edge.reset()
                self.edge.fault("upgrade." + fault)
                report = self.assert_broken(self.examine(), "upgrade", code, word)
                self.assert_state(report, "skipped", "ssh_banner")

    def test_service_token(self):
        self.edge.application("ssh", policy="service", service_tokens=[{"id": "a.access", "secret": "s3cret"}])
        env = {"TUNNEL_SERVICE_TOKEN_ID": "a.access", "TUNNEL_SERVICE_TOKEN_SECRET": "s3cret"}
        report = self.examine(env=env)
        self.assertEqual(report["code"], 0, report)
        self.assert_state(report, "ok", "service_token", "upgrade")
        env["TUNNEL_SERVICE_TOKEN_SECRET"] = "wr0ng"
        report = self.assert_broken(self.examine(env=env), "service_token", REFUSED, "not accepted")
        self.assertNotIn("wr0ng", str(report))
        self.assert_state(report, "skipped", "token", "upgrade")
        del env["TUNNEL_SERVICE_TOKEN_SECRET"]
        self.assert_broken(self.examine(env=env), "service_token", USAGE, "secret is missing")

    def test_destination_behind_a_bastion(self):
        origin = Origin(lambda connection: connection.sendall(b"SSH-2.0-far\x1b[31m\r\n"))
        self.addCleanup(origin.stop)
        self.edge.application("ssh", origin="bastion")
        self.assert_broken(self.examine(), "upgrade", PROTOCOL, "--destination")
        report = self.examine("--destination", f"127.0.0.1:{origin.port}")
        self.assertEqual(report["code"], 0, report)
        self.assertEqual(report["checks"]["ssh_banner"]["detail"], "SSH-2.0-far\\x1b[31m")


class ClientCertificate(DoctorCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = Authority()
        cls.addClassCleanup(cls.ca.remove)
        for name in ("root", "other"):
            cls.ca.root(name)
        cls.ca.device("device", "root")
        cls.ca.device("stranger", "other")

    def fresh(self):
        super().fresh()
        os.unlink(self.home.file(self.home.token_name("ssh")))
        self.edge.application("ssh", policy="certificate", client_ca=self.ca.read("root.pem"))

    def test_accepted(self):
        report = self.examine(*self.ca.flags("device"))
        self.assertEqual(report["code"], 0, report)
        self.assertRegex(report["checks"]["client_certificate"]["detail"],
                         r'CN=device.* issued by .*CN=root.* valid from 20.* to 20.*; accepted')
        self.assert_state(report, "ok", "upgrade")

    def test_wanted(self):
        report = self.examine()
        self.assert_broken(report, "client_certificate", REFUSED, "asked for a client certificate",
                           "CN=root", "--cert")

    def test_refused(self):
        report = self.examine(*self.ca.flags("stranger"))
        self.assert_broken(report, "client_certificate", REFUSED, "CN=stranger")
        self.assert_state(report, "skipped", "upgrade")

    def test_not_asked_for(self):
        self.edge.application("ssh", policy="identity", client_ca="")
        self.home.plant_token("ssh")
        report = self.examine(*self.ca.flags("device"))
        self.assert_state(report, "warning", "client_certificate")
        self.assertEqual(report["code"], 0, report)

    def test_cannot_be_read(self):
        report = self.examine("--cert", "/nonexistent.pem")
        self.assert_broken(report, "client_certificate", USAGE, "/nonexistent.pem")

    def test_no_password_is_asked_for(self):
        locked = self.ca.path("locked.key")
        self.ca.openssl("ec", "-in", "device.key", "-aes256", "-passout", "pass:secret", "-out", locked)
        terminal = Terminal([programs.mayfly(), "doctor", "--hostname", HOST, "--cert",
                             self.ca.path("device.pem"), "--key", locked],
                            env=self.home.environment())
        self.addCleanup(terminal.end)
        self.assertEqual(terminal.finish(), LOGIN_NEEDED, terminal.text)
        self.assertIn("--cert-password-file", terminal.text)


class Ssh(DoctorCase):
    """Configurations of ssh."""

    def test_not_installed(self):
        self.assert_state(self.examine(), "not_needed", "ssh_config")

    def test_no_block(self):
        self.configure_ssh("Host other\n  User x\n")
        report = self.examine()
        self.assertEqual(report["code"], 0, report)
        self.assert_state(report, "warning", "ssh_config")
        self.assertIn("ssh-config --hostname ssh.example.com", report["checks"]["ssh_config"]["hint"])

    def test_cannot_be_read(self):
        path = self.configure_ssh(f"Host {HOST}\n  Prxycommand x\n")
        self.assert_broken(self.examine(), "ssh_config", FAILED, f"{path}: line 2", "prxycommand")

    def test_program_that_is_gone(self):
        self.configure_ssh(f"Host {HOST}\n  ProxyCommand '/opt/no where/cloudflared' access ssh --hostname %h\n")
        self.assert_broken(self.examine(), "ssh_config", FAILED, "/opt/no where/cloudflared")

    def test_leads_elsewhere(self):
        self.configure_ssh(f"Host {HOST}\n  HostName 10.0.0.5\n"
                           f"  ProxyCommand {programs.mayfly()} access ssh --hostname %h\n")
        self.assert_broken(self.examine(), "ssh_config", FAILED, "leads to 10.0.0.5")

    def test_certificate_kept_elsewhere(self):
        self.configure_ssh(self.write_block("--short-lived-cert"))
        report = self.examine(env={"MAYFLY_HOME": self.home.state})
        self.assert_broken(report, "ssh_config", FAILED, self.home.state, "MAYFLY_HOME")

    def test_nothing_in_a_match_exec_logs_in(self):
        browser = self.home.script("cloudflared", f"echo run >> {self.home.transcript}\n")
        os.unlink(self.home.file(self.home.token_name("ssh")))
        self.configure_ssh(f'''Match host {HOST} exec "{browser} access ssh-gen --hostname %h"
  ProxyCommand {browser} access ssh --hostname %h
Match exec "test -e /"
  User fromtest
''')
        report = self.examine()
        self.assertIn("no CertificateFile", report["checks"]["ssh_config"]["detail"])
        self.assertFalse(os.path.exists(self.home.transcript))

    def test_program_whose_path_has_to_be_quoted(self):
        program = os.path.join(self.home.path, "o'brien \"5%\"", "mayfly")
        os.mkdir(os.path.dirname(program))
        shutil.copy(programs.mayfly(), program)
        self.home.variables["MAYFLY_HOME"] = self.home.state
        block = self.home.mayfly("ssh-config", "--hostname", HOST, "--short-lived-cert", program=program)
        self.configure_ssh(block.out.decode().split(":\n\n", 1)[1])
        check = self.examine()["checks"]["ssh_config"]
        self.assertEqual(check["state"], "ok", check)
        self.assertIn(f"ProxyCommand {program}, short-lived certificate on disk", check["detail"])

    def test_alias(self):
        self.home.variables["MAYFLY_HOME"] = self.home.state
        self.configure_ssh(self.write_block("--short-lived-cert", "--alias", "vm"))
        for flags in ((), ("--alias", "vm")):
            self.assert_state(self.examine(*flags), "ok", "ssh_config")

    def test_application_on_a_path(self):
        self.home.plant_token("path")
        self.home.variables["MAYFLY_HOME"] = self.home.state
        advice = self.home.mayfly("ssh-config", "--hostname", "tools.example.com/admin", "--alias", "tools",
                                  "--short-lived-cert")
        self.configure_ssh(advice.out.decode().split(":\n\n", 1)[1])
        report = self.examine(host="tools.example.com/admin")
        self.assertEqual(report["hostname"], "tools.example.com/admin")
        self.assertIn("--alias", report["checks"]["ssh_config"]["detail"])
        report = self.examine("--alias", "tools", host="tools.example.com/admin")
        self.assert_state(report, "ok", "ssh_config")

    def test_origin_that_is_no_ssh_server(self):
        for words, waits, detail in ((b"220 ready\r\n", False, '"220 ready"'), (b"", False, "closed before a word came"),
                                     (b"", True, "nothing came")):
            origin = Origin(lambda connection, words=words, waits=waits:
                            connection.sendall(words) or (waits and connection.recv(1)))
            self.addCleanup(origin.stop)
            self.edge.application("ssh", origin=origin.address)
            report = self.examine()
            self.assertEqual(report["code"], 0, report)
            self.assertIn(detail, report["checks"]["ssh_banner"]["detail"])


class StateDirectory(DoctorCase):
    def test_open_to_others(self):
        os.chmod(self.home.state, 0o755)
        report = self.examine()
        self.assert_state(report, "warning", "state_directory")
        self.assertEqual(report["code"], 0)
        os.chmod(self.home.state, 0o777)
        report = self.assert_broken(self.examine(), "state_directory", FAILED, "others can write", "chmod")
        self.assert_state(report, "ok", "tls", "application")
        self.assert_state(report, "skipped", "token", "upgrade")

    def test_directory_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a directory away")
        os.chown(self.home.state, 65534, 65534)
        self.assert_broken(self.examine(), "state_directory", FAILED, "it belongs to nobody")

    def test_link(self):
        os.rename(self.home.state, self.home.state + ".real")
        os.symlink(self.home.state + ".missing", self.home.state)
        self.assert_broken(self.examine(), "state_directory", FAILED, "no symbolic link of yours")

    def test_link_in_the_directory(self):
        name = self.home.token_name("echo")
        os.symlink("/etc/passwd", self.home.file(name))
        self.assert_broken(self.examine(), "state_directory", FAILED, name, "symbolic link")

    def test_token_that_others_can_read(self):
        os.chmod(self.home.file(self.home.token_name("ssh")), 0o644)
        report = self.examine()
        self.assert_state(report, "warning", "state_directory")
        self.assertIn("chmod 600", report["checks"]["state_directory"]["hint"])

    def test_lock_of_a_login_that_died(self):
        lock = self.home.token_name("ssh") + ".lock"
        self.home.plant(lock, '{"pid":999999,"start_time":1}\n')
        self.home.make_older(lock, 60)
        report = self.examine()
        self.assert_state(report, "warning", "state_directory")
        self.assertIn(lock, report["checks"]["state_directory"]["detail"])
        self.home.plant(lock, json.dumps({"pid": os.getpid(), "start_time": start_time_ms(os.getpid())}))
        self.assert_state(self.examine(), "ok", "state_directory")


def start_time_ms(pid):
    """Returns the start time as cloudflared's library computes it: boot time and field 22 of /proc/PID/stat."""
    with open("/proc/stat", encoding="ascii") as file:
        boot = int(re.search(r"^btime (\d+)", file.read(), re.M).group(1))
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        ticks = int(file.read().rsplit(")", 1)[1].split()[19])
    return boot * 1000 + ticks * 1000 // os.sysconf("SC_CLK_TCK")


class Query(DoctorCase):
    def test_query_of_a_typed_url_is_asked_for_nowhere(self):
        """Somebody else may have chosen the URL; what stands in it would be done with the person's token."""
        self.home.mayfly("doctor", f"https://{self.host}/?delete=everything")
        entries = self.edge.log()
        self.assertTrue([entry for entry in entries if entry["host"] == self.host])
        self.assertNotIn("everything", json.dumps(entries))


class Looks(DoctorCase):
    host = "echo.example.com"

    def fresh(self):
        super().fresh()
        self.home.plant_token("echo")
        self.home.plant_token("web")

    def at_terminal(self, *flags, env=None, host=None):
        terminal = Terminal([programs.mayfly(), "doctor", "--hostname", host or self.host, *flags],
                            env={**self.home.environment(env), "TERM": (env or {}).get("TERM", "xterm")})
        self.addCleanup(terminal.end)
        self.code = terminal.finish()
        return terminal.seen.decode()

    def test_colors_at_a_terminal(self):
        shown = self.at_terminal(host="web.example.com")  # This application has no WebSocket.
        self.assertEqual(self.code, PROTOCOL, shown)
        self.assertRegex(shown, "\x1b\\[32mok *\x1b\\[0m  tls ")
        self.assertRegex(shown, "\x1b\\[31mfailed *\x1b\\[0m  upgrade ")
        self.assertRegex(shown, "\x1b\\[2mskipped *\x1b\\[0m  ssh_banner ")
        self.assertRegex(shown, "\x1b\\[31mbroken\x1b\\[0m: upgrade: ")
        self.assertIn("...         tls\r\x1b[K", shown)

    def test_no_colors_when_they_are_not_wanted(self):
        self.assertNotRegex(self.at_terminal(env={"NO_COLOR": "1"}), "\x1b\\[[0-9;]*m")
        for kind in ("dumb", ""):
            self.assertNotIn("\x1b", self.at_terminal(env={"TERM": kind}))
        self.assertRegex(self.at_terminal(env={"NO_COLOR": ""}), "\x1b\\[32m")

    def test_json_at_a_terminal(self):
        shown = self.at_terminal("--json").replace("\r\n", "\n")
        self.assertEqual(json.loads(shown)["ok"], True)

    def test_no_color_in_a_pipe(self):
        self.assertNotIn(b"\x1b", self.assert_done(self.doctor()).out)

    def test_hints_are_shown_below(self):
        os.unlink(self.home.file(self.home.token_name("echo")))
        lines = self.doctor().out.decode().splitlines()
        at, = [i for i, line in enumerate(lines) if re.match("failed +token ", line)]
        self.assertEqual(lines[at + 1].strip(), f"hint: run: mayfly access login https://{self.host}")

    def test_usage(self):
        self.assert_error(self.home.mayfly("doctor"), USAGE, "--hostname")
        self.assert_error(self.home.mayfly("doctor", "--hostname", "no host"), USAGE)
        help_text = self.assert_done(self.home.mayfly("doctor", "--help")).out.decode()
        for flag in ("--json", "--alias", "--destination", "--cert", "--proxy", "--cacert"):
            self.assertIn(flag, help_text)

    def test_nothing_secret_in_the_log(self):
        path = os.path.join(self.home.path, "log")
        self.assert_done(self.doctor("--logfile", path, "--log-level", "debug"))
        with open(path, encoding="utf-8") as file:
            self.assertNotIn("eyJ", file.read())
