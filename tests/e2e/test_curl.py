"""mayfly access curl: runs curl with the token, which no other user can see."""
import contextlib
import http.server
import os
import re
import shutil
import tempfile
import threading
import types

from harness import memory, namespace, programs
from harness.authority import Authority
from harness.case import DONE, LOGIN_NEEDED, USAGE, EdgeCase
from harness.edge import header
from harness.origin import Origin, Proxy, SocksProxy
from harness.process import run
from harness.stranger import Stranger
from harness.waiting import eventually
from harness.web import Web

URL = "https://web.example.com"
ID, SECRET = "0123456789abcdef.access", "the-s3cret"
PAGE = b"hello from web"


class HttpOrigin:
    """An HTTP server behind the edge: GET /STATUS answers with that status, POST sends the body back, and GET /slow
    keeps only that curl waiting."""

    def __init__(self):
        self.going_on = going_on = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                word = self.path.strip("/")
                if word == "slow" and self.headers.get("User-Agent", "").startswith("curl/"):
                    going_on.wait(60)
                self._answer(int(word) if word.isdigit() else 200, b"the page")

            def do_POST(self):
                self._answer(200, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def _answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http:127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.going_on.set()
        self.server.shutdown()
        self.server.server_close()


class CurlCase(EdgeCase):
    def setUp(self):
        super().setUp()
        self.prepare()

    def prepare(self):
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.token = self.know("web")
        self.edge.ask("DELETE", "/log")

    def know(self, application):
        token = self.home.plant_token(application)
        hostname = self.edge.application(application)["hostname"]
        self.assert_done(self.home.mayfly("login", "--batch", "-q", hostname))
        return token

    def curl(self, *arguments, **more):
        return self.home.mayfly("access", "curl", *arguments, **more)

    def with_origin(self):
        origin = HttpOrigin()
        self.addCleanup(origin.stop)
        self.edge.application("web", origin=origin.address)

    def request(self):
        """Returns the last request that curl itself sent."""
        return [e for e in self.edge.log("web.example.com")
                if any(v.startswith("curl/") for v in header(e, "User-Agent"))][-1]

    def assert_page(self, result):
        self.assert_done(result)
        self.assertTrue(result.out.startswith(PAGE), result)
        return result

    def carried(self, entry):
        """Returns whether a request of the edge's log contains the token, in any form."""
        return self.token in str(entry["headers"]) + entry["target"] + entry["body"]


class InPlace(CurlCase):
    def test_page(self):
        for before in ([], ["access"], ["forward"]):
            result = self.assert_page(self.home.mayfly(*before, "curl", "-s", URL))
            self.assertEqual(result.err, "")
        self.assertEqual(header(self.request(), "Cf-Access-Token"), [self.token])

    def test_exit_codes_are_curls(self):
        self.with_origin()
        for arguments, code in [(["-sf", URL + "/404"], 22), (["-s", URL + "/404"], 0),
                                (["-sf", URL + "/500"], 22), (["-s", "--no-such-option", URL], 2),
                                (["-s", "-o", "/nonexistent/file", URL], 23)]:
            with self.subTest(arguments):
                self.assertEqual(self.curl(*arguments).code, code)

    def test_stdin_and_stdout_are_curls(self):
        self.with_origin()
        data = bytes(range(256)) * 4096
        result = self.curl("-s", "--data-binary", "@-", URL, stdin=data)
        self.assertEqual(result.code, 0, result.err)
        self.assertTrue(result.out == data)

    def test_url_anywhere(self):
        for arguments in ([URL, "-s"], ["-s", URL, "-X", "GET"], ["-s", "--url", URL],
                          ["-X", "GET", "-s", URL], ["-sSX", "GET", URL], ["-s", "-H", "X-Url: https://other.example.com", URL],
                          ["-s", "-A", "https://other.example.com", "--url", URL],
                          ["-s", "--", URL], ["-s", URL + "/a{b}c?x={a}|\""], ["-sg", URL + "/{}?[]"],
                          ["-s", URL + "/[1-2]"], ["-s", "https://user:pw@web.example.com/"]):
            with self.subTest(arguments):
                self.edge.ask("DELETE", "/log")
                self.assert_page(self.curl(*arguments))
                self.assertTrue(any(self.carried(e) for e in self.edge.log("web.example.com")))
                self.assertNotIn("other.example.com", self.edge.hosts())

    def test_without_a_scheme_it_is_https(self):
        self.assert_page(self.curl("-s", "web.example.com"))

    def test_no_token_over_plain_http(self):
        heard = []

        def hear(connection):
            heard.append(connection.recv(10000).decode())
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        server = Origin(hear)
        self.addCleanup(server.stop)
        to = ["--connect-to", f"web.example.com:80:127.0.0.1:{server.port}"]
        for arguments in (["http://web.example.com/"], ["--proto-default", "http", "web.example.com"],
                          [URL, "--next", "-s", "http://web.example.com/"]):
            with self.subTest(arguments):
                del heard[:]
                self.assert_done(self.curl("-s", *to, *arguments, *to))
                self.assertIn("GET / ", heard[0])
                self.assertNotIn(self.token, heard[0])

    def test_next_url_without_a_scheme_is_https_too(self):
        self.edge.ask("DELETE", "/log")
        self.assert_done(self.curl("-s", URL, "--next", "-s", "web.example.com/next"))
        self.assertIn("/next", [entry["target"] for entry in self.edge.log("web.example.com")])

    def test_way_to_the_server(self):
        """The first matching entry counts, for curl and for mayfly. Entries of the command line come first."""
        nobody = "web.example.com:443:127.0.0.1:1"
        edge = f"web.example.com:443:127.0.0.1:{self.edge.port}"
        rest = f":443:127.0.0.1:{self.edge.port}"
        for flags, entries in (([], [edge, nobody, rest]), (["--connect-to", edge], [nobody, rest])):
            with self.subTest(flags):
                self.assert_page(self.curl("-s", *flags, URL, "--next", "-s", *flags, URL,
                                           env={"MAYFLY_CONNECT_TO": ",".join(entries)}))

    def test_without_a_url(self):
        for arguments in ([], ["-s"], ["-o", URL]):
            with self.subTest(arguments):
                self.assert_error(self.curl(*arguments), USAGE, "URL")

    def test_curl_is_not_installed(self):
        os.unlink(os.path.join(self.home.bin, "curl"))
        result = self.curl("-s", URL)
        self.assert_error(result, 1, "curl")

    def test_signals_reach_curl_itself(self):
        self.with_origin()
        running = self.home.start("access", "curl", "-s", URL + "/slow")
        eventually("it has become curl", lambda: curl_of(running) == running.pid)
        running.process.terminate()
        self.assertEqual(running.finish().code, -15)


def curl_of(running):
    """Returns the process of curl, which mayfly itself has become or has started."""
    for pid in (running.pid, *memory.children_of(running.pid)):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/cmdline", "rb") as file:
            if file.read().startswith(b"curl\0"):
                return pid
    return None


def command_of(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().decode().split("\0")[:-1]


class Secrecy(CurlCase):
    def watch(self, *arguments, env=None):
        """Returns command line and environment of a curl that is waiting for an answer."""
        self.with_origin()
        running = self.home.start("access", "curl", "-s", *arguments, URL + "/slow", env=env)
        eventually("curl waits", lambda: running.has_ended() or curl_of(running) and any(
            v.startswith("curl/") for e in self.edge.log("web.example.com")
            for v in header(e, "User-Agent")))
        self.assertFalse(running.has_ended(), running.err)
        pid = curl_of(running)
        with open(f"/proc/{pid}/environ", "rb") as file:
            seen = "\n".join(command_of(pid)) + file.read().decode()
        running.kill()
        return seen

    def test_token_is_neither_argument_nor_variable(self):
        for arguments in ([], ["-L"]):
            with self.subTest(arguments):
                self.edge.ask("DELETE", "/log")
                seen = self.watch(*arguments)
                self.assertNotIn(self.token, seen)
                self.assertNotIn(self.token.split(".")[2], seen)
                self.assertTrue(self.carried(self.request()))

    def test_secret_of_a_service_token(self):
        self.edge.application("web", service_tokens=[{"id": ID, "secret": SECRET}])
        path = os.path.join(self.home.path, "secret")
        with open(path, "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        os.chmod(path, 0o600)
        seen = self.watch("--service-token-id", ID, "--service-token-secret-file", path)
        self.assertNotIn(SECRET, seen)
        self.assertEqual(header(self.request(), "Cf-Access-Client-Secret"), [SECRET])

    def test_password_of_the_key_is_not_for_the_browser(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        authority.root("root")
        authority.device("device", "root")
        password = authority.write("password", "correct horse\n")
        authority.openssl("pkcs8", "-topk8", "-in", "device.key", "-out", "locked.key", "-v2", "aes256",
                          "-passout", f"file:{password}")
        os.unlink(self.home.file(self.home.token_name("web")))
        person = self.home.install_browser("person")
        seen = os.path.join(self.home.path, "seen")
        self.home.script("xdg-open", f'{programs.system("ls")} -l /proc/$$/fd > {seen}\nexec {person} "$@"\n')
        self.assert_page(self.curl("-s", "--cert", authority.path("device.pem"), "--key",
                                   authority.path("locked.key"), "--cert-password-file", password, URL))
        with open(seen, encoding="utf-8") as file:
            descriptors = file.read()
        self.assertIn(" 0 -> ", descriptors)
        self.assertNotIn("memfd", descriptors)

    def test_nothing_on_disk(self):
        before = self.home.snapshot()
        self.assert_page(self.curl("-s", URL))
        # mayfly may have asked for the metadata again.
        self.assert_unchanged(before, besides=("-app",))


class Written(CurlCase):
    """Each output of curl with each credential: no file and no line contains anything that opens the application."""

    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.home.path, "written")

    def as_person(self):
        return []

    def as_person_by_cookie(self):
        return ["--location"]

    def as_service(self):
        """The edge sets CF_Authorization in each answer to a service token."""
        self.edge.application("web", policy="service", cookie_always=True, service_tokens=[{"id": ID, "secret": SECRET}])
        return ["--service-token-id", ID, "--service-token-secret-file", self.home.plant("../secret", SECRET + "\n")]

    def as_device(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        authority.root("root")
        authority.device("device", "root")
        self.edge.application("web", policy="certificate", cookie_always=True, client_ca=authority.read("root.pem"))
        return ["--cert", authority.path("device.pem"), "--key", authority.path("device.key")]

    ALL = (as_person, as_person_by_cookie, as_service, as_device)

    def secrets(self):
        """Returns the stored token, the secret, and every token that the edge has issued in answers."""
        own = self.home.file(self.home.token_name("web"))
        found = {self.token, SECRET}
        if os.path.exists(own):
            found.add(self.home.text(self.home.token_name("web")))
        return [text.rpartition(".")[2].encode() for text in found]

    def assert_nothing_written(self, result):
        own = (self.home.file(self.home.token_name("web")), os.path.join(self.home.path, "secret"))
        for folder, _, names in os.walk(self.home.path):
            for path in (os.path.join(folder, name) for name in names):
                if path not in own and os.path.isfile(path):
                    with open(path, "rb") as file:
                        self.assert_clean(path, file.read())
        self.assert_clean("standard output", result.out)
        self.assert_clean("standard error", result.err.encode())

    def assert_clean(self, where, content):
        for secret in self.secrets():
            self.assertNotIn(secret, content, where)
        # Every token that the edge has issued begins as all tokens do.
        self.assertNotRegex(content, rb"CF_(Authorization|AppSession)(=\"?|\t)eyJ", where)

    def runs(self, *arguments, shows=None, **more):
        """Runs curl with each credential. shows: text that must be in the output or in self.file all the same."""
        for credential in self.ALL:
            with self.subTest((credential.__name__, arguments)):
                self.fresh()
                self.prepare()
                self.file = os.path.join(self.home.path, "written")
                flags = credential(self)
                words = [word.replace("FILE", self.file) for word in arguments]
                result = self.assert_done(self.curl("-sS", *flags, *words, URL, cwd=self.home.path, **more))
                self.assertTrue([e for e in self.edge.log("web.example.com")
                                 if any(v.startswith("curl/") for v in header(e, "User-Agent"))])
                self.assert_nothing_written(result)
                written = b""
                if os.path.exists(self.file):
                    with open(self.file, "rb") as file:
                        written = file.read()
                for text in shows or ():
                    self.assertRegex(result.out + result.err.encode() + written, text)

    def test_verbose(self):
        for flags in (["-v"], ["--verbose"], ["-vv"], ["-v", "--http1.1"]):
            self.runs(*flags, shows=[b"> GET / HTTP", b"< HTTP/1.1 200", PAGE])

    def test_verbose_shows_headers_without_their_values(self):
        result = self.curl("-sv", URL)
        self.assertRegex(result.err, r"(?i)> cf-access-token: \*\*\*\r?\n")
        self.assertIn("CF_Authorization=***", self.curl("-sv", "-L", URL).err)

    def test_cookie_that_an_answer_sets_is_hidden(self):
        for credential in (self.as_service, self.as_device):
            flags = credential()
            for option in (["-i"], ["-I"], ["-v"], ["-D", "-"], ["-c", "-"], ["-w", "%{header_json}"]):
                with self.subTest((credential.__name__, option)):
                    result = self.curl("-s", *flags, *option, URL)
                    self.assertRegex(result.out + result.err.encode(), rb"CF_Authorization[=\t]\*\*\*")
                    self.assert_nothing_written(result)

    def test_headers_on_standard_output(self):
        for flags in (["-i"], ["--include"], ["-D", "-"], ["--dump-header", "-"], ["-iv"]):
            self.runs(*flags, shows=[b"HTTP/1.1 200", b"CF-RAY", PAGE])
        self.runs("-I", shows=[b"HTTP/1.1 200"])
        self.runs("-I", "-o", "/dev/null", "-w", "%{http_code}", shows=[b"200"])

    def test_headers_by_write_out(self):
        for text in ("%{header_json}", "%{HEADER_JSON}", "%header{set-cookie}-%header{cf-ray}", "%{stderr}%{header_json}"):
            self.runs("-w", text, shows=[PAGE])
        for text, shown in (("%{header_json}", b'"server":'), ("%{http_code}", b"200")):
            path = os.path.join(tempfile.mkdtemp(), "format")
            self.addCleanup(shutil.rmtree, os.path.dirname(path))
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            self.runs("-w", "@" + path, shows=[PAGE, shown])

    def test_file_of_headers(self):
        for flags in (["-D", "FILE"], ["-DFILE"], ["-sDFILE"], ["--dump-header", "FILE"]):
            self.runs(*flags, shows=[b"HTTP/1.1 200 .*\r\n", PAGE])
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)

    def test_cookie_jar(self):
        for flags in (["-c", "FILE"], ["-cFILE"], ["-scFILE"], ["--cookie-jar", "FILE"], ["-c", "FILE", "-v"]):
            self.runs(*flags, shows=[PAGE])
        self.runs("-c", "-", shows=[PAGE, b"# Netscape"])

    def test_cookies_of_the_application_are_kept_in_the_jar(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Set-Cookie", "session=of-the-application; Path=/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        for credential in self.ALL:
            with self.subTest(credential.__name__):
                self.fresh()
                self.prepare()
                flags = credential(self)
                self.edge.application("web", origin=f"http:127.0.0.1:{server.server_address[1]}")
                jar = os.path.join(self.home.path, "jar")
                self.assert_nothing_written(self.assert_done(
                    self.curl("-s", *flags, "-c", jar, URL, "--next", "-s", "-c", jar, URL)))
                with open(jar, encoding="ascii") as file:
                    self.assertIn("of-the-application", file.read())
                # curl itself can read the cleaned jar.
                self.assert_done(self.curl("-s", *flags, "-b", jar, URL))
                self.assertIn("session=of-the-application", "; ".join(header(self.request(), "Cookie")))

    def test_configurations(self):
        lines = "verbose\ninclude\ndump-header = \"written\"\ncookie-jar = jar\nwrite-out = %{header_json}\n"
        for place in (".curlrc", ".config/curlrc", "config"):
            with self.subTest(place):
                arguments = ["-K", "config"] if place == "config" else []
                for more in ([], ["--next", "-s", URL]):
                    self.with_configuration(place, lines, *arguments, URL, *more)
        self.with_configuration("config", lines + f"url = {URL}\nnext\n" + lines, "-K", "config", URL)

    def with_configuration(self, place, lines, *arguments):
        for credential in self.ALL[:2]:
            self.fresh()
            self.prepare()
            path = os.path.join(self.home.path, place)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as file:
                file.write(lines)
            flags = credential(self)
            result = self.assert_done(self.curl("-s", *flags, *arguments, cwd=self.home.path))
            self.assertIn(b"HTTP/1.1 200", result.out)
            self.assertIn("> GET /", result.err)
            self.assert_nothing_written(result)
            for name in ("written", "jar"):
                self.assertTrue(os.path.getsize(os.path.join(self.home.path, name)))

    def test_configuration_on_standard_input(self):
        result = self.assert_page(self.curl("-s", "-K", "-", URL, stdin=b"dump-header = written\nverbose\n", cwd=self.home.path))
        self.assertIn("> GET /", result.err)
        self.assert_nothing_written(result)

    def test_curl_gets_the_configuration_that_was_checked(self):
        """While mayfly logs in, another process writes another option into the file."""
        self.home.plant("../config", "silent\n")
        os.unlink(self.home.file(self.home.token_name("web")))
        person = self.home.install_browser("person")
        self.home.script("xdg-open", f'echo "trace-ascii = {self.file}" >> {self.home.path}/config\nexec {person} "$@"\n')
        result = self.assert_page(self.curl("-K", "config", URL, cwd=self.home.path))
        with open(os.path.join(self.home.path, "config"), encoding="ascii") as file:
            self.assertIn("trace-ascii", file.read())
        self.assertFalse(os.path.exists(self.file))
        self.assert_nothing_written(result)

    def test_refused_by_name(self):
        for flags, name in ((["--trace", "FILE"], "--trace"), (["--trace", "-"], "--trace"), (["--trace-ascii", "FILE"], "--trace-ascii"),
                            (["--trace-ascii", "-"], "--trace-ascii"), (["--trace-a", "FILE"], "--trace-a"), (["--libcurl", "FILE"], "--libcurl"),
                            (["--libc", "FILE"], "--libc"), (["-vvv"], "-v"), (["-v", "--stderr", "FILE"], "-v"),
                            (["--stderr", "-", "--verbose"], "--verbose"), (["-i", "-o", "FILE"], "-i"), (["-Io", "FILE"], "-I"),
                            (["-iO"], "-i"), (["-w", "%output{FILE}%{header_json}"], "-w"),
                            (["-w", "%output{FILE}%{Header_Json}"], "-w"), (["--ssl-sessions", "FILE"], "--ssl-sessions"),
                            (["-X", "GET /cdn-cgi/access/cli?aud=x HTTP/1.1\r\nA:"], "-X"),
                            (["-A", "x\r\n\r\nGET /cdn-cgi/access/cli?aud=x HTTP/1.1\r\nHost: web.example.com"], "-A"),
                            (["--option-of-tomorrow"], "--option-of-tomorrow"),
                            (["--expand-dump-header", "{{FILE}}"], "--expand-dump-header")):
            with self.subTest(flags):
                self.edge.ask("DELETE", "/log")
                result = self.curl(URL, *[word.replace("FILE", self.file) for word in flags])
                self.assert_error(result, USAGE, name)
                self.assertFalse(os.path.exists(self.file))
                self.assertEqual(self.edge.log(), [])

    @staticmethod
    def abbreviated_config():
        """curl takes an abbreviation of an option up to version 8.13."""
        takes_it = run([programs.system("curl"), "--conf", "/dev/null", "--version"]).code == 0
        return ["--conf" if takes_it else "--config", "config"]

    def test_refused_in_a_configuration(self):
        for place, arguments in ((".curlrc", []), (".config/curlrc", []), ("config", ["-K", "config"]), ("config", self.abbreviated_config()),
                                 ("config", ["-sKconfig"])):
            for line in (f"trace = {self.file}", f"--trace-ascii {self.file}", f'libcurl: "{self.file}"', f"trace-a={self.file}",
                         "config = other", f"silent\nurl = {URL}\nnext\ntrace-ascii = {self.file}"):
                with self.subTest((place, line)):
                    path = os.path.join(self.home.path, place)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path, "w", encoding="ascii") as file:
                        file.write(line + "\n")
                    self.assert_error(self.curl(*arguments, URL, cwd=self.home.path), USAGE, os.path.basename(path))
                    self.assertFalse(os.path.exists(self.file))
                    os.unlink(path)

    def test_keys_of_the_connection(self):
        """Somebody who has the lines of SSLKEYLOGFILE and a recording of the network can read the token in it."""
        self.assert_page(self.curl("-s", URL, env={"SSLKEYLOGFILE": self.file}))
        self.assertFalse(os.path.exists(self.file))

    def test_exit_codes_and_signals_are_curls(self):
        self.with_origin()
        for arguments, code in ((["-sfv", URL + "/404"], 22), (["-si", URL + "/404"], 0), (["-sv", "-o", "/nonexistent/file", URL], 23)):
            with self.subTest(arguments):
                self.assertEqual(self.curl(*arguments).code, code)
        running = self.home.start("access", "curl", "-sv", URL + "/slow")
        running.wait_err("> GET /slow")
        running.process.terminate()
        self.assertEqual(running.finish().code, -15)

    def test_bytes_stay_as_they_are(self):
        self.with_origin()
        data = bytes(range(256)) * 4096
        result = self.curl("-sv", "-D", "-", "--data-binary", "@-", URL, stdin=data)
        self.assertEqual(result.code, 0, result.err)
        self.assertTrue(result.out.endswith(b"\r\n\r\n" + data))


class ApplicationOnAPath(CurlCase):
    """The rest of the host belongs to somebody else, whose server would read the token."""
    PLACE = "https://tools.example.com/admin"

    def setUp(self):
        super().setUp()
        self.edge.application("onpath", hostname="tools.example.com/admin", origin="page")
        self.token = self.home.plant_token("onpath")
        self.assert_done(self.home.mayfly("login", "--batch", "-q", self.PLACE))
        self.edge.ask("DELETE", "/log")

    def test_its_own_urls(self):
        for arguments in ([self.PLACE], [f"{self.PLACE}/a", f"{self.PLACE}/b"], [f"{self.PLACE}/{{a,b}}"]):
            with self.subTest(arguments):
                self.assert_done(self.curl("-s", *arguments))
        asked = [entry for entry in self.edge.log("tools.example.com")
                 if any(agent.startswith("curl/") for agent in header(entry, "User-Agent"))]
        self.assertEqual([(entry["path"], self.carried(entry)) for entry in asked],
                         [(path, True) for path in ("/admin", "/admin/a", "/admin/b", "/admin/a", "/admin/b")])

    def test_other_paths(self):
        other = "https://tools.example.com/other"
        config = self.home.plant("../other.cfg", f'url = "{other}"\n')
        for arguments in ([self.PLACE, other], [self.PLACE, "--next", other], ["--config", config, self.PLACE],
                          [f"{self.PLACE}/{{a,../../other}}"], [f"{self.PLACE}/[a-b]/../../other"],
                          ["--path-as-is", f"{other}/../admin/"], ["--request-target", "/other", self.PLACE]):
            with self.subTest(arguments):
                self.assert_error(self.curl("-s", *arguments), USAGE, "more of the host than the application")
        told = {entry["path"] for entry in self.edge.log("tools.example.com") if self.carried(entry)}
        self.assertLessEqual(told, {"/admin", "/admin/"}, "only mayfly's own question about the token")


class Elsewhere(CurlCase):
    """A server that curl is led to, or a second URL, gets no token."""

    def setUp(self):
        super().setUp()
        self.edge.application("other", hostname="other.example.com", policy="none")
        self.with_redirects()

    def with_redirects(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(302)
                self.send_header("Location", "https://other.example.com/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.edge.application("web", origin=f"http:127.0.0.1:{server.server_address[1]}")

    def assert_kept(self, *arguments, **more):
        self.edge.ask("DELETE", "/log")
        result = self.curl("-s", "--allow-redirects", *arguments, **more)
        asked = self.edge.log("other.example.com")
        self.assertTrue(asked, result)
        self.assertFalse(any(self.carried(e) for e in asked))
        self.assertTrue(any(self.carried(e) for e in self.edge.log("web.example.com")), result)

    def test_redirect_followed(self):
        for flags in (["-L"], ["--location"], ["-sL"], ["--location-trusted"]):
            with self.subTest(flags):
                self.assert_kept(*flags, URL)

    def test_second_url(self):
        self.assert_kept(URL, "https://other.example.com/")
        self.assert_kept(URL, "--next", "-s", "https://other.example.com/")

    def configure(self, place, line):
        path = os.path.join(self.home.path, place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(line + "\n")
        return path

    def test_redirect_that_a_configuration_follows(self):
        for place, env in ((".curlrc", {}), (".config/curlrc", {}),
                           ("curl/.curlrc", {"CURL_HOME": "curl"}), ("xdg/.curlrc", {"XDG_CONFIG_HOME": "xdg"})):
            with self.subTest(place):
                path = self.configure(place, "location")
                # the name of the configuration file for newer versions of curl
                self.configure("xdg/curlrc", "location")
                self.assert_kept(URL, env={name: os.path.join(self.home.path, folder)
                                           for name, folder in env.items()})
                os.unlink(path)

    def test_configuration_that_is_not_to_be_read(self):
        """curl recognises -q only as its first argument."""
        self.configure(".curlrc", "location")
        for first in ("-q", "--disable", "-qs"):
            with self.subTest(first):
                self.edge.ask("DELETE", "/log")
                self.assertEqual(self.curl(first, "-s", URL).code, 0)
                self.assertEqual(self.edge.log("other.example.com"), [])
                self.assertEqual(header(self.request(), "Cf-Access-Token"), [self.token])

    def test_redirect_that_a_newer_curl_follows(self):
        """For options that this curl may not know, the test checks how curl would get the token."""
        told = os.path.join(self.home.path, "told")
        os.unlink(os.path.join(self.home.bin, "curl"))
        self.home.script("curl", f"printf '%s\\n' \"$@\" > {told}\n")
        for flags in (["--follow"], ["--url", "@list"]):
            with self.subTest(flags):
                self.assert_done(self.curl(*flags, URL))
                with open(told, encoding="utf-8") as file:
                    words = file.read().split("\n")
                self.assertIn("-b", words)
                self.assertNotIn("-H", words)

    def test_cookie_is_for_its_host_only(self):
        self.curl("-s", "-L", URL)
        request = self.request()
        self.assertEqual(header(request, "Cf-Access-Token"), [])
        self.assertIn(f"CF_Authorization={self.token}", "; ".join(header(request, "Cookie")))


class RedirectsWithin(CurlCase):
    """curl follows redirects of the application to itself, one run of curl for each."""

    def setUp(self):
        super().setUp()
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)
        self.edge.application("web", origin=self.web.address)

    @staticmethod
    def answer(handler):
        if handler.path == "/for-ever":
            return handler.say(302, Location="/for-ever")
        if handler.path == "/away":
            return handler.say(302, Location="https://other.example.com/")
        if handler.path.strip("/").isdigit():
            left = int(handler.path.strip("/"))
            return handler.say(301, b"moved", Location=f"/{left - 1}" if left else "/page", X_Left=str(left))
        return handler.say(200, b"the page")

    def follow(self, path, *flags, direct=False, **more):
        """Returns what mayfly's curl does, or curl itself with the token as its header."""
        arguments = ["-L", *flags, URL + path]
        if not direct:
            return self.curl(*arguments, **more)
        return run([programs.system("curl"), "--connect-to", f"::127.0.0.1:{self.edge.port}", "--cacert", self.edge.ca,
                    "-H", f"Cf-Access-Token: {self.token}", *arguments], env={"PATH": os.environ["PATH"]}, **more)

    def test_same_as_curl_itself(self):
        for flags in ([], ["-s"], ["-sS"], ["-si"], ["-sI"], ["-f"], ["-s", "-X", "GET"]):
            with self.subTest(flags):
                ours, curls = (self.follow("/3", *flags, direct=direct) for direct in (False, True))
                self.assertEqual(ours.code, DONE, ours)
                self.assertEqual(curls.code, DONE, curls)
                without = [re.sub(rb"(?m)^(set-cookie|date|cf-ray):.*\r\n", b"", each.out, flags=re.I)
                           for each in (ours, curls)]
                self.assertEqual(*without)
                self.assertNotIn("curl: (", ours.err)
                self.assertNotIn("mayfly", ours.err)

    def test_file(self):
        path = os.path.join(self.home.path, "page")
        self.assert_done(self.follow("/3", "-s", "-o", path))
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"the page")

    def test_messages_of_curl(self):
        result = self.follow("/2", "-v")
        self.assert_done(result)
        self.assertEqual(len(re.findall(r"(?m)^> GET /", result.err)), 4, result.err)
        self.assertNotIn(self.token, result.err)
        self.assertNotIn("curl: (47)", result.err)

    def test_redirects_without_an_end(self):
        result = self.follow("/for-ever", "-sS")
        self.assertEqual(result.code, 47, result)
        self.assertIn("redirects more than 50 times", result.err)
        self.assertEqual(len([entry for entry in self.edge.log("web.example.com") if self.carried(entry)
                              and entry["path"] == "/for-ever"
                              and header(entry, "User-Agent")[0].startswith("curl/")]), 51)
        self.assertEqual(self.follow("/for-ever", "-sS", direct=True).code, 47)

    def test_redirect_elsewhere(self):
        self.edge.application("other", hostname="other.example.com", policy="none")
        result = self.follow("/away", "-s")
        self.assertEqual(result.code, 47, result)
        self.assertIn("follows no redirect with the token to https://other.example.com/", result.err)
        self.assertEqual(self.edge.log("other.example.com"), [])

    def test_logout_between_two_steps(self):
        """The token is not sent after a logout of another process."""
        def answer(handler):
            if handler.path == "/old" and handler.headers["User-Agent"].startswith("curl/"):
                self.assert_done(self.home.mayfly("logout", "--all"))
            return handler.say(302, Location="/new") if handler.path == "/old" else handler.say(200)
        web = Web(answer)
        self.addCleanup(web.stop)
        self.edge.application("web", origin=web.address)
        result = self.follow("/old", "-s", "--batch")
        self.assertEqual(result.code, LOGIN_NEEDED, result)
        self.assertEqual([e for e in self.edge.log("web.example.com") if e["path"] == "/new"], [])


class Tokens(CurlCase):
    def test_missing_token_leads_to_a_login(self):
        os.unlink(self.home.file(self.home.token_name("web")))
        self.home.install_browser()
        self.assert_page(self.curl("-s", URL))
        self.assertEqual(len(self.home.browsed()), 1)

    def test_no_token_and_no_login_allowed(self):
        os.unlink(self.home.file(self.home.token_name("web")))
        self.assert_error(self.curl("-s", "--batch", URL), LOGIN_NEEDED)

    def test_request_without_a_token(self):
        os.unlink(self.home.file(self.home.token_name("web")))
        self.home.install_browser()
        for flag in ("--allow-request", "-ar"):
            for arguments in ([flag, "-s", URL], ["-s", URL, flag]):
                with self.subTest(arguments):
                    self.edge.ask("DELETE", "/log")
                    result = self.curl(*arguments, "-o", "/dev/null", "-w", "%{http_code}")
                    self.assertEqual((result.code, result.out), (0, b"302"), result)
                    request, = self.edge.log("web.example.com")[-1:]
                    self.assertEqual(header(request, "Cf-Access-Token"), [])
        self.assertEqual(self.home.browsed(), [])

    def test_allow_request_still_uses_a_stored_token(self):
        self.assert_page(self.curl("--allow-request", "-s", URL))
        self.assertEqual(header(self.request(), "Cf-Access-Token"), [self.token])

    def test_revoked_and_expired_tokens_are_renewed(self):
        for how in ("revoked", "expired"):
            with self.subTest(how):
                self.fresh()
                self.prepare()
                self.home.install_browser()
                if how == "revoked":
                    self.edge.ask("POST", "/revoke", {"kind": "all"})
                else:
                    self.home.plant_token("web", expires_in=-5)
                self.assert_page(self.curl("-s", URL))
                self.assertEqual(len(self.home.browsed()), 1)
                self.assertNotEqual(self.home.text(self.home.token_name("web")), self.token)

    def test_revoked_token_with_an_org_token_needs_no_browser(self):
        self.edge.ask("POST", "/revoke", {"kind": "all"})
        self.home.plant_org_token()
        self.assert_page(self.curl("-s", "--batch", URL))
        self.assertEqual(self.edge.stats()["exchanges"], 1)


class SharedOptions(CurlCase):
    """curl's options about the way to the server also apply to mayfly's own requests."""

    def bare(self):
        """Removes all stored files and variables, so that everything has to come from curl's options."""
        self.fresh()
        os.symlink(programs.system("curl"), os.path.join(self.home.bin, "curl"))
        self.home.install_browser()
        self.home.plant_org_token()
        return {"MAYFLY_CONNECT_TO": None, "SSL_CERT_FILE": None}

    def assert_serves(self, *arguments, env):
        self.assert_page(self.curl("-s", "--batch", *arguments, URL, env=env))
        self.assertEqual(self.edge.stats()["exchanges"], 1)

    def test_cacert_and_connect_to(self):
        to = f"::127.0.0.1:{self.edge.port}"
        for flags in (["--cacert", self.edge.ca, "--connect-to", to], ["-k", "--connect-to", to],
                      ["--insecure", "--connect-to", to]):
            with self.subTest(flags):
                self.assert_serves(*flags, env=self.bare())

    def test_resolve(self):
        env = self.bare()
        proxyless = ["--resolve", "*:443:127.0.0.1"]
        result = self.curl("-s", "--batch", "--cacert", self.edge.ca, *proxyless, URL, env=env)
        # The port 443 there is closed, so that an immediate refusal shows where the connection went.
        self.assertEqual(result.code, 5, result)
        self.assertIn("refused", result.err.lower())

    def test_proxy(self):
        for flag in ("--proxy", "-x"):
            with self.subTest(flag):
                env = self.bare()
                proxy = Proxy()
                self.addCleanup(proxy.stop)
                self.assert_serves(flag, f"http://127.0.0.1:{proxy.port}", "--cacert", self.edge.ca,
                                   "--connect-to", f"::127.0.0.1:{self.edge.port}", env=env)
                self.assertGreater(len(proxy.requests), 1, "only one of the two went by the proxy")

    def test_proxy_of_the_environment(self):
        """curl takes socks:// for SOCKS4, and does not know HOST:PORT in NO_PROXY."""
        mapped = ("--cacert", self.edge.ca, "--connect-to", f"::localhost:{self.edge.port}")
        for flag in ("-x", "--proxy", "all_proxy", "HTTPS_PROXY"):
            with self.subTest(flag):
                env = self.bare()
                proxy = SocksProxy()
                self.addCleanup(proxy.stop)
                url = f"socks://127.0.0.1:{proxy.port}"
                if flag.startswith("-"):
                    self.assert_serves(flag, url, *mapped, env=env)
                else:
                    self.assert_serves(*mapped, env={**env, flag: url})
                self.assertGreater(len(proxy.requests), 1, "only one of the two went by the proxy")
        for exempt in ("*.example.com", "web.example.com:443", "other.example, *.example.com:443"):
            for name in ("NO_PROXY", "no_proxy"):
                with self.subTest((name, exempt)):
                    env = self.bare()
                    proxy = Proxy()
                    self.addCleanup(proxy.stop)
                    exempt_all = exempt + ",acme.cloudflareaccess.com:443"
                    self.assert_serves(*mapped, env={**env, "https_proxy": f"http://127.0.0.1:{proxy.port}",
                                                     name: exempt_all})
                    self.assertEqual(proxy.requests, [])

    def test_named_authority_counts_alone(self):
        """Whoever is in between lets mayfly's requests pass and takes curl's, with a certificate of a CA that the system
        trusts, but that was not named."""
        if why := namespace.refusal():
            self.skipTest(f"no view of the files of one's own here: {why}")
        folder = os.path.join(self.home.path, "system")
        os.mkdir(folder)
        authority = Authority()
        self.addCleanup(authority.remove)
        authority.root("root")
        for name in ("root.pem", "ca-certificates.crt"):
            shutil.copy(authority.path("root.pem"), os.path.join(folder, name))
        made = run([programs.system("openssl"), "rehash", folder], env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(made.code, 0, made)
        stranger = Stranger(types.SimpleNamespace(ca=authority.path("root.pem")), "web.example.com")
        self.addCleanup(stranger.stop)
        inside = namespace.with_files_at(folder, "/etc/ssl/certs")
        to, own = f'connect-to = "::127.0.0.1:{stranger.port}"\n', self.edge.ca
        for flags, lines, env in (([], "", {"SSL_CERT_FILE": own}), (["--cacert", own], "", {"SSL_CERT_FILE": None}),
                                  ([], f"cacert = {own}\n", {"SSL_CERT_FILE": own}),
                                  ([], "", {"SSL_CERT_FILE": own, "CURL_CA_BUNDLE": own}),
                                  (["-o", "/dev/null", URL, "--next", "-sS", "--cacert", own], "", {"SSL_CERT_FILE": own}),
                                  (["--cacert", own, "--capath", "/etc/ssl/certs"], "", {"SSL_CERT_FILE": None})):
            with self.subTest(flags=flags, lines=lines, env=env):
                stranger.requests.clear()
                self.home.plant("../.curlrc", to + lines)
                words = [*inside, programs.mayfly(), "curl", "--batch", "-sS", *flags, URL]
                result = self.home.start(*words[1:], program=words[0], env=env).finish()
                if "--capath" in flags:  # then it was named, and this test would notice
                    self.assertTrue(stranger.requests, result)
                    continue
                self.assertEqual(result.code, 0 if "--next" in flags else 60, result)  # the last one's
                self.assertEqual(stranger.requests, [])

    def test_trust_is_not_given_up_without_being_told(self):
        env = self.bare()
        result = self.curl("-s", "--batch", "--connect-to", f"::127.0.0.1:{self.edge.port}", URL, env=env)
        self.assertEqual(result.code, 5, result)
        self.assertEqual(self.edge.log(), [])


class ServiceToken(CurlCase):
    def setUp(self):
        super().setUp()
        self.edge.application("web", policy="service", service_tokens=[{"id": ID, "secret": SECRET}])
        os.unlink(self.home.file(self.home.token_name("web")))
        self.home.install_idle_browser()

    def test_from_the_environment(self):
        env = {"TUNNEL_SERVICE_TOKEN_ID": ID, "TUNNEL_SERVICE_TOKEN_SECRET": SECRET}
        self.assert_page(self.curl("-s", URL, env=env))
        self.assertEqual(header(self.edge.log()[-1], "Cf-Access-Client-Id"), [ID])
        self.assertEqual(self.home.browsed(), [])
