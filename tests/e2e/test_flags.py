"""Flags of the tunnel and of the log, host names of every kind, and the name under which mayfly is run."""
import json
import os
import stat

from harness import programs
from harness.case import LOGIN_NEEDED, NETWORK, USAGE
from harness.edge import header
from harness.listener import ListenerCase
from harness.origin import Origin
from harness.process import PIPE
from harness.waiting import eventually

LOGIN_URL = r"https://\S+/cdn-cgi/access/cli\?\S+"
ID, SECRET = "0123456789abcdef.access", "the-s3cret"


class Places(ListenerCase):
    """Flags before and after positionals, long and short, with one dash or two."""

    def assert_tunnel(self, *arguments, env=None):
        self.edge.ask("DELETE", "/log")
        running = self.home.start(*arguments, stdin=PIPE, env=env)
        running.write(b"through")
        self.assertEqual(running.wait_out(7), b"through")
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())
        return self.edge.upgrades()[-1]

    def test_flags_of_the_tunnel(self):
        for arguments in (["ssh", "-hostname", "echo.example.com", "-header", "X-A: 1", "-H", "X-B: 2"],
                          ["ssh", "-H=X-A: 1", "--header=X-B: 2", "-T=echo.example.com"],
                          ["forward", "rdp", "-header=X-A: 1", "-tunnel-host=echo.example.com", "-H",
                           "X-B: 2", "-log-level", "warn"]):
            with self.subTest(arguments):
                request = self.assert_tunnel(*arguments)
                self.assertEqual(header(request, "X-A") + header(request, "X-B"), ["1", "2"])

    def test_global_flags_of_cloudflared(self):
        """Flags that the command has work as if they stood after it."""
        path = os.path.join(self.home.path, "global.log")
        self.assert_tunnel("--no-autoupdate", "-loglevel=debug", "--logfile", path, "--config", "/dev/null",
                           "access", "ssh", "--hostname", "echo.example.com")
        with open(path, encoding="utf-8") as file:
            self.assertIn("debug", [json.loads(line)["level"] for line in file])
        self.assert_tunnel("--loglevel", "loud", "--logfile", "/nowhere/at/all", "access", "ssh", "--hostname",
                           "echo.example.com", "--logfile", path)

    def test_last_flag_counts(self):
        self.assert_tunnel("ssh", "-loglevel=info", "-log-level", "warn", "--hostname", "echo.example.com")

    def test_host_stands_alone(self):
        for arguments in (["ssh", "echo.example.com"], ["tcp", "-H", "X-A: 1", "https://echo.example.com/"],
                          ["rdp", "echo.example.com", "-H", "X-A: 1"]):
            with self.subTest(arguments):
                self.assert_tunnel(*arguments)
        self.assert_tunnel("smb", "echo.example.com", env={"TUNNEL_SERVICE_HOSTNAME": "nowhere.example.com"})
        for arguments in (["tcp", "echo.example.com", "127.0.0.1:0"], ["tcp", "127.0.0.1:0", "echo.example.com"]):
            with self.subTest(arguments):
                running = self.home.start(*arguments)
                port = int(self.places(running)[0].rsplit(":", 1)[1])
                self.assert_echo(self.connect(port))
        for command in ("socks", "http"):
            self.know("web")
            running = self.home.start(command, "web.example.com", "127.0.0.1:0")
            self.assertEqual(len(self.places(running)), 1)
        quiet = {"MAYFLY_CONNECT_TO": ":443:127.0.0.1:1"}
        for command in ("ssh-config", "doctor"):
            alone = self.home.mayfly(command, "vm.example.com", env=quiet)
            self.assertIn(b"vm.example.com", alone.out)
            self.assertEqual(alone.code, self.home.mayfly(command, "--hostname", "vm.example.com", env=quiet).code)
        self.assertEqual(self.home.mayfly("ssh-gen", "--check", "vm.example.com").code, 1)

    def test_two_hosts_are_refused(self):
        """Otherwise one of them would be served at the address that is meant for the other."""
        for command in ("tcp", "ssh", "rdp", "smb", "socks", "http", "ssh-gen", "ssh-config", "doctor"):
            twice = [command, "--hostname", "a.example.com", "--hostname", "b.example.com"]
            self.assert_error(self.home.mayfly(*twice), USAGE, "--hostname is given more than once")
            self.assert_error(self.home.mayfly(command, "--hostname", "a.example.com", "b.example.com"), USAGE,
                              "there are two hosts")
        self.assert_error(self.home.mayfly("tcp", "-T", "a.example.com", "-tunnel-host=a.example.com"), USAGE,
                          "--hostname is given more than once")
        for command in ("ssh-gen", "ssh-config", "doctor"):
            self.assert_error(self.home.mayfly(command, "a.example.com", "b.example.com"), USAGE, "not expected")

    def test_flags_after_the_positional(self):
        for arguments in (["127.0.0.1:0", "--hostname", "echo.example.com", "-H", "X-A: 1"],
                          ["-H", "X-A: 1", "127.0.0.1:0", "-hostname=echo.example.com"]):
            with self.subTest(arguments):
                self.edge.ask("DELETE", "/log")
                running = self.home.start("access", "tcp", *arguments)
                port = int(self.places(running)[0].rsplit(":", 1)[1])
                self.assert_echo(self.connect(port))
                self.assertEqual(header(self.edge.upgrades()[0], "X-A"), ["1"])

    def test_header_injection(self):
        for line in ("X-A: 1\r\nX-B: 2", "X-A: 1\nX-B: 2", "X-A\r\nX-B: 2", "X-A: 1\r", "no colon", ": 1"):
            for flag in ("-H", "--header"):
                with self.subTest(line=line, flag=flag):
                    self.assert_error(self.listen("--url", "127.0.0.1:0", flag, line).finish(), USAGE)
        result = self.home.mayfly("ssh", "--hostname", "echo.example.com", "--destination", "a:1\r\nX-B: 2")
        self.assert_error(result, USAGE)
        self.assertEqual(self.edge.upgrades(), [])

    def test_destination(self):
        origin = Origin(lambda connection: connection.sendall(b"inside"))
        self.addCleanup(origin.stop)
        self.edge.application("echo", origin="bastion")
        place = f"127.0.0.1:{origin.port}"
        for flags, env in [(["--destination", place], {}), (["-destination=" + place], {}),
                           ([], {"TUNNEL_SERVICE_DESTINATION": place})]:
            with self.subTest(flags):
                self.edge.ask("DELETE", "/log")
                _, port = self.at_free_port(*flags, env=env)
                self.assertEqual(self.connect(port).recv(6), b"inside")
                request, = self.edge.upgrades()
                self.assertEqual(header(request, "Cf-Access-Jump-Destination"), [place])

    def test_hidden_connect_to(self):
        here = f"127.0.0.1:{self.edge.port}"
        for text in (here, f"echo.example.com:{self.edge.port}:127.0.0.1"):
            for flag in (["--connect-to", text], [f"-connect-to={text}"]):
                with self.subTest(flag):
                    self.assert_tunnel("ssh", "--hostname", "echo.example.com", *flag,
                                       env={"MAYFLY_CONNECT_TO": None})
        self.assertNotIn(b"--connect-to", self.home.mayfly("ssh", "--help").out)

    def test_hidden_connect_to_changes_no_name(self):
        """The name in its first part is neither resolved nor used to verify the certificate."""
        words = ("ssh", "--hostname", "echo.example.com", "--batch", "--connect-to",
                 f"somewhere-else.invalid:{self.edge.port}:127.0.0.1")
        request = self.assert_tunnel(*words, env={"MAYFLY_CONNECT_TO": None})
        self.assertEqual(request["tls"]["sni"], "echo.example.com")
        self.edge.fault("tls.wrong_host")  # a good certificate, for that very name
        result = self.home.mayfly(*words, env={"MAYFLY_CONNECT_TO": None})
        self.assert_error(result, NETWORK, "certificate is for", "somewhere-else.invalid")

    def payloads(self, *flags):
        """Returns the payload that a tunnel with these flags logged."""
        path = os.path.join(self.home.path, "stream.log")
        self.assert_tunnel("ssh", "--hostname", "echo.example.com", "--logfile", path, *flags)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        os.unlink(path)
        self.assertNotIn(self.home.text(self.home.token_name("echo")).split(".")[2], text)
        return [line for line in map(json.loads, text.splitlines()) if line.get("kind") == "payload"]

    def test_hidden_debug_stream(self):
        debug = ("--log-level", "debug")
        for flag in (["--debug-stream", "10"], ["-debug-stream=10"], ["--debug-stream", "0"]):
            with self.subTest(flag):
                seen = self.payloads(*flag, *debug)
                self.assertEqual({line["dir"] for line in seen}, {"r", "w"})
                for line in seen:
                    self.assertEqual((line["level"], line["host"]), ("debug", "echo.example.com"))
                    self.assertRegex(line["message"], r'^".*"(\.\.\.)?$')
        self.assertEqual(len(self.payloads("--debug-stream", "1", *debug)), 1)
        self.assertEqual(self.payloads("--debug-stream", "10"), [], "nobody asked for debug")
        self.assertEqual(self.payloads(*debug), [], "nobody asked for the stream")
        self.assertNotIn(b"--debug-stream", self.home.mayfly("ssh", "--help").out)

    def test_fedramp_anywhere(self):
        for arguments in (["--fedramp", "access", "login", "web.example.com"],
                          ["access", "-fedramp", "login", "web.example.com"],
                          ["login", "web.example.com", "--fedramp"],
                          ["ssh", "--fedramp", "--hostname", "web.example.com"],
                          ["ssh-gen", "-fedramp", "--hostname", "web.example.com"]):
            with self.subTest(arguments):
                self.fresh()
                running = self.home.start(*arguments)
                self.edge.sign_in(running.wait_err(LOGIN_URL).group())
                running.finish()
                self.assertIn("login.fed.cloudflareaccess.org", self.edge.hosts())
                self.assertNotIn("login.cloudflareaccess.org", self.edge.hosts())

    def test_auto_close(self):
        for flags, there in [(["--auto-close"], True), (["-auto-close"], True), ([], False)]:
            with self.subTest(flags):
                self.fresh()
                running = self.home.start("login", *flags, "web.example.com")
                url = running.wait_err(LOGIN_URL).group()
                self.assertEqual("close_interstitial=true" in url, there, url)
                running.kill()


class Log(ListenerCase):
    def lines(self, path):
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def assert_private(self, path):
        self.assertEqual(stat.S_IMODE(os.lstat(path).st_mode), 0o600)

    def test_file(self):
        path = os.path.join(self.home.path, "log")
        for run in (1, 2):
            running, port = self.at_free_port("--logfile", path, umask=0)
            running.kill()
            line = [one for one in self.lines(path) if one["message"] == "Start Websocket listener"][-1]
            self.assertEqual((line["level"], line["host"]), ("info", f"127.0.0.1:{port}"))
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
            self.assert_private(path)
            self.assertGreaterEqual(len(self.lines(path)), run, "it is appended to")

    def test_log_pipe_keeps_its_mode(self):
        path = os.path.join(self.home.path, "pipe")
        os.mkfifo(path)
        os.chmod(path, 0o622)
        reader = os.open(path, os.O_RDWR)
        self.addCleanup(os.close, reader)
        self.assert_done(self.home.mayfly("login", "--batch", "-q", "--log-level", "debug", "--logfile", path,
                                          "echo.example.com"))
        self.assertEqual(stat.S_IMODE(os.lstat(path).st_mode), 0o622)
        self.assertIn(b'"level":', os.read(reader, 1 << 16))

    def test_directory_with_rotation(self):
        folder = os.path.join(self.home.path, "logs")
        os.mkdir(folder)
        path = os.path.join(folder, "cloudflared.log")
        running, _ = self.at_free_port("--log-directory", folder, umask=0)
        running.kill()
        self.assert_private(path)
        self.assertTrue(all({"level", "time", "message"} <= set(line) for line in self.lines(path)))
        with open(path, "a", encoding="ascii") as file:
            file.write("x" * (1 << 20) + "\n")
        running, _ = self.at_free_port("--log-directory", folder, umask=0)
        running.kill()
        self.assertEqual(sorted(os.listdir(folder)), ["cloudflared.1.log", "cloudflared.log"])
        for name in os.listdir(folder):
            self.assert_private(os.path.join(folder, name))
        self.assertTrue(self.lines(path))

    def test_directory_that_others_rotate_too(self):
        """Another process, of this mayfly or not, has renamed the file: new lines go to the new file."""
        other = os.path.join(self.home.path, "other.log")
        for more in ([], ["--logfile", other]):
            with self.subTest(more):
                folder = os.path.join(self.home.path, f"logs{len(more)}")
                os.mkdir(folder)
                path, renamed = (os.path.join(folder, name) for name in ("cloudflared.log", "cloudflared.1.log"))
                _, port = self.at_free_port("--log-directory", folder, "--log-level", "debug", *more)
                os.rename(path, renamed)
                size = os.path.getsize(renamed)
                self.assert_echo(self.connect(port))
                eventually("there is a new one", lambda: os.path.exists(path) and self.lines(path))
                self.assertEqual(os.path.getsize(renamed), size)
                self.assert_private(path)
        self.assertEqual(self.lines(other)[-1], self.lines(path)[-1])

    def test_levels(self):
        path = os.path.join(self.home.path, "log")
        for flag in ("--log-level", "--loglevel", "-log-level", "-loglevel"):
            running = self.listen("--url", "0.0.0.0:0", flag, "warn", "--logfile", path)
            running.wait_err("WRN")
            running.kill()
            self.assertEqual({line["level"] for line in self.lines(path)}, {"warn"})
            self.assertNotIn("INF", running.err)

    def test_levels_of_cloudflared(self):
        """cloudflared accepts any level, and uses info for an unknown one."""
        for level, is_known, least in (("trace", True, "debug"), ("DEBUG", True, "debug"), ("INFO", True, "info"),
                                       ("Warn", True, "warn"), ("loud", False, "info"), ("disabled", False, "info")):
            with self.subTest(level):
                path = os.path.join(self.home.path, f"log-{level}")
                running = self.listen("--url", "0.0.0.0:0", "--log-level", level, "--logfile", path)
                running.wait_err("WRN")
                if least == "debug":
                    self.assert_echo(self.connect(int(self.places(running)[0].rsplit(":", 1)[1])))
                running.kill()
                levels = {line["level"] for line in self.lines(path)}
                self.assertEqual("info" in levels, least != "warn", levels)
                self.assertEqual("debug" in levels, least == "debug", levels)
                self.assertEqual(f"mayfly: warning: {level} is no log level" in running.err, not is_known, running.err)

    def test_file_that_cannot_be_written(self):
        for flags in (["--logfile", "/nonexistent/log"], ["--logfile", self.home.path]):
            with self.subTest(flags):
                if flags[1] == "/nonexistent/log" and os.geteuid() == 0:
                    continue  # Root may make the directory.
                self.assert_error(self.listen("--url", "127.0.0.1:0", *flags).finish(), 1, "log")

    def test_stdout_stays_the_wire(self):
        path = os.path.join(self.home.path, "log")
        running = self.home.start("ssh", "--hostname", "echo.example.com", "--log-level", "debug",
                                  "--logfile", path, "-v", stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assertEqual(self.assert_done(running.finish()).out, b"through")

    def test_nothing_secret_at_any_level(self):
        self.fresh()
        path = os.path.join(self.home.path, "log")
        flags = ["-v", "--log-level", "debug", "--logfile", path]
        self.home.install_browser()
        self.edge.application("ssh", service_tokens=[{"id": ID, "secret": SECRET}],
                              certificate={"service_principals": ["deploy"]})
        service = {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET}
        text = self.assert_done(self.home.mayfly("login", "-q", *flags, "echo.example.com")).err
        self.edge.fault("exchange.refuse", 1)
        text += self.assert_done(self.home.mayfly("login", "-q", *flags, "web.example.com")).err
        for env in (service, {**service, "TUNNEL_SERVICE_TOKEN_SECRET": "wr0ng-" + SECRET}):
            text += self.home.mayfly("ssh-gen", *flags, "--force", "--hostname", "ssh.example.com",
                                     env=env).err
        running, port = self.at_free_port(*flags)
        self.assert_echo(self.connect(port))
        self.edge.ask("POST", "/close-tunnels", {"how": "reset"})
        running.wait_err("a tunnel ended")
        running.kill()
        text += running.err
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text += file.read()
        self.assertNotIn(SECRET, text)
        self.assertNotRegex(text, r"PRIVATE KEY|CF_Authorization=")
        secrets = [self.home.text(n) for n in self.home.files() if n.endswith("-token")]
        self.assertGreaterEqual(len(secrets), 4)
        for token in secrets:
            self.assertNotIn(token.split(".")[2], text)
            self.assertNotIn(token.split(".")[1], text)


class HostNames(ListenerCase):
    def assert_tunnel(self, host):
        running = self.home.start("ssh", "--batch", "--hostname", host, stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        self.edge.ask("POST", "/close-tunnels", {"code": 1000})
        self.assert_done(running.finish())

    def test_international(self):
        self.edge.application("idn", hostname="xn--bcher-kva.example.com", origin="echo")
        self.home.plant_token("idn")
        for host in ("bücher.example.com", "BÜCHER.example.com", "https://bücher.example.com/",
                     "xn--bcher-kva.example.com"):
            with self.subTest(host):
                self.edge.ask("DELETE", "/log")
                self.assert_tunnel(host)
                self.assertEqual(self.edge.hosts() - {"acme.cloudflareaccess.com"},
                                 {"xn--bcher-kva.example.com"})

    def test_international_application_without_a_token(self):
        self.edge.application("idn", hostname="xn--bcher-kva.example.com", origin="echo")
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "-q", "bücher.example.com"))
        self.assertIn(self.home.token_name("idn"), self.home.files())

    def test_wildcard_has_one_token_for_all_its_hosts(self):
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "-q", "one.wild.example.com"))
        for host in ("one.wild.example.com", "two.wild.example.com", "deep.er.wild.example.com"):
            with self.subTest(host):
                self.assert_tunnel(host)
        self.assertEqual(len(self.home.browsed()), 1)
        self.assertIn(self.home.token_name("wild"), self.home.files())

    def test_application_at_a_path(self):
        self.home.install_browser()
        self.assert_done(self.home.mayfly("login", "-q", "https://tools.example.com/admin"))
        self.assertIn(self.home.token_name("path"), self.home.files())
        for host in ("tools.example.com/admin", "https://tools.example.com/admin"):
            with self.subTest(host):
                self.edge.ask("DELETE", "/log")
                self.assert_tunnel(host)
                self.assertEqual(self.edge.upgrades()[-1]["path"], "/admin")

    def test_bare_ipv6(self):
        # No application of Access has an IP address as its host, so this one is not protected.
        self.edge.application("ipv6", hostname="[::1]", origin="echo", policy="none")
        for host in ("::1", "[::1]", "https://[::1]"):
            with self.subTest(host):
                self.assert_tunnel(host)
                self.assertEqual(header(self.edge.upgrades()[-1], "Host"), ["[::1]"])


class ByItsOtherName(ListenerCase):
    def setUp(self):
        super().setUp()
        self.link = os.path.join(self.home.path, "cloudflared")
        os.symlink(programs.mayfly(), self.link)

    def test_commands(self):
        running = self.home.start("access", "ssh", "--hostname", "echo.example.com", program=self.link,
                                  stdin=PIPE)
        running.write(b"through")
        running.wait_out(7)
        result = self.home.mayfly("access", "token", "-app=https://echo.example.com", program=self.link)
        self.assertEqual(self.assert_done(result).out.decode(), self.token)

    def test_hints_and_usage_have_the_name_of_the_link(self):
        result = self.assert_error(self.home.mayfly("access", "login", program=self.link), USAGE)
        self.assertIn("hint: run: cloudflared access login HOST\n", result.err)
        os.unlink(self.home.file(self.home.token_name("echo")))
        result = self.home.mayfly("access", "ssh", "--batch", "--hostname", "echo.example.com", program=self.link)
        self.assert_error(result, LOGIN_NEEDED, "run: cloudflared access login https://echo.example.com")
        examined = self.home.mayfly("doctor", "--hostname", "echo.example.com", program=self.link)
        self.assertIn(b"hint: run: cloudflared access login https://echo.example.com", examined.out)
        for words, line in ((["access", "login", "--help"], "usage: cloudflared access login [flags] URL"),
                            (["access", "ssh", "--help-all"], "usage: cloudflared access ssh [flags] HOST [ADDRESS...] [-- PROGRAM [ARGS...]]"),
                            (["--help"], "usage: cloudflared [access] COMMAND [flags]")):
            with self.subTest(words):
                shown = self.assert_done(self.home.mayfly(*words, program=self.link)).out.decode()
                self.assertEqual(shown.splitlines()[0], line)
                self.assertEqual(self.home.mayfly(*words).out.decode().splitlines()[0],
                                 line.replace("cloudflared", "mayfly"))
                self.assertNotRegex(shown.replace("man mayfly", ""), r"\bmayfly ")

    def test_version_by_the_flags_of_cloudflared(self):
        wanted = self.assert_done(self.home.mayfly("--version")).out
        for word in ("-v", "-V", "--version", "version"):
            with self.subTest(word):
                result = self.assert_done(self.home.mayfly(word, program=self.link))
                self.assertEqual((result.out, result.err), (wanted, ""))

    def test_ssh_config_names_the_link(self):
        result = self.assert_done(self.home.start(
            "access", "ssh-config", "--hostname", "vm.example.com", "--short-lived-cert",
            program=self.link).finish())
        text = result.out.decode()
        self.assertIn(f"ProxyCommand {self.link} access ssh --hostname %h\n", text)
        self.assertIn(f'exec "{self.link} access ssh-gen --hostname %h"', text)
        self.assertNotIn(programs.mayfly(), text)
