"""mayfly http in a real Chromium: pages of the application work, and pages of other sites get nothing."""
import os
from http import HTTPStatus

from harness.chromium import Chromium
from harness.http_case import HOST, HttpCase, name_of_this_computer
from harness.waiting import eventually
from harness.web import Web

PAGE = b"""<!doctype html><title>wiki</title><img id=picture src=/picture.svg>
<form id=form method=post action=/save><input name=text value=hello><button id=save>Save</button></form>
<script>
addEventListener("load", async () => {
  const answer = await fetch("/api", {method: "POST", body: "{}"});
  const list = document.body.dataset;
  list.api = await answer.text();
  list.picture = document.getElementById("picture").naturalWidth;
  document.body.insertAdjacentHTML("beforeend", "<p id=done>done</p>");
});
</script>"""
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>'
EVIL = """<!doctype html><title>evil</title><body><script>
const wiki = "http://{0}";
const socket = new WebSocket("ws://{0}/socket");
Promise.allSettled([
  fetch(wiki + "/steal", {{mode: "no-cors", credentials: "include"}}),
  fetch(wiki + "/write", {{method: "POST", mode: "no-cors", body: "x"}}),
  new Promise(end => {{ const i = new Image(); i.onload = i.onerror = end; i.src = wiki + "/image"; }}),
  new Promise(end => {{ const f = document.createElement("iframe"); f.onload = end;
                        f.src = wiki + "/frame"; document.body.append(f); }}),
  new Promise(end => {{ socket.onopen = socket.onerror = end; }}),
]).then(() => document.body.insertAdjacentHTML("beforeend",
    "<p id=done>done</p><a id=link href=" + wiki + "/link>link</a>"));
</script>"""

EVIL_BLIND = """<!doctype html><title>evil</title><body>
<iframe id=frame src="http://{0}/frame"></iframe>
<script src="http://{0}/script" referrerpolicy=no-referrer></script><img src="http://{0}/image">
<script>
addEventListener("load", async () => {{
  const blind = {{mode: "no-cors", headers: {{Accept: "text/html"}}}};
  await fetch("http://{0}/script", blind).catch(() => 0);
  await fetch("http://{0}/write", {{method: "POST", mode: "no-cors", body: "x"}}).catch(() => 0);
  document.body.insertAdjacentHTML("beforeend", "<p id=done>" + (window.stolen || "nothing") +
      "</p><a id=link href=http://{0}/link>link</a>");
}});
</script>"""

# Pages of another site that open {0} without an action of the person.
UNASKED = {
    "prefetch": """<script type=speculationrules>
      {{"prefetch": [{{"source": "list", "urls": ["{0}"], "eagerness": "immediate"}}]}}</script>""",
    "prerender": """<script type=speculationrules>
      {{"prerender": [{{"source": "list", "urls": ["{0}"], "eagerness": "immediate"}}]}}</script>""",
    "link": """<link rel=prefetch href="{0}">""",
    "open": """<script>addEventListener("load", () => open("{0}"))</script>""",
    "open-without-opener": """<script>addEventListener("load", () => open("{0}", "", "noopener"))</script>""",
    "location": """<script>addEventListener("load", () => setTimeout(() => location = "{0}", 1))</script>""",
    "refresh": """<meta http-equiv=refresh content="0;url={0}">""",
    "get-form": """<form action="{0}"></form><script>document.forms[0].submit()</script>""",
    "post-form": """<form method=post action="{0}"></form><script>document.forms[0].submit()</script>""",
    "redirect": """<script>addEventListener("load", () => setTimeout(() => location = "/away", 1))</script>""",
}
ASKED = """<!doctype html><title>elsewhere</title><a id=link href="{0}">link</a>
<a id=away href="/away">redirected</a>
<form action="{0}"><button id=get>form</button></form>
<form method=post action="{0}"><button id=post>form</button></form>
<button id=open onclick='window.opened = window.open("{0}")'>open</button>"""
WORKER = b"""<!doctype html><title>worker</title><script>
navigator.serviceWorker.register("/worker.js").then(() => "installed", () => "refused").then(
    text => document.body.insertAdjacentHTML("beforeend", "<p id=done>" + text));
</script><body>"""


class Browser(HttpCase):
    def setUp(self):
        super().setUp()
        self.chromium = Chromium(self.edge)
        self.addCleanup(self.chromium.end)

    def answer(self, handler):
        path = handler.path
        if path == "/":
            return handler.say(HTTPStatus.OK, PAGE, Content_Type="text/html",
                               Set_Cookie="session=1; Secure; SameSite=None; Path=/",
                               Referrer_Policy="no-referrer")
        if path == "/picture.svg":
            return handler.say(HTTPStatus.OK, SVG, Content_Type="image/svg+xml")
        if path == "/api":
            return handler.say(HTTPStatus.OK, handler.headers.get("Cookie", "none").encode())
        if path == "/save":
            return handler.say(HTTPStatus.SEE_OTHER, Location=f"https://{HOST}/saved")
        handler.say(HTTPStatus.OK, b"<p id=shown>" + path.encode(), Content_Type="text/html")

    def test_pages_of_the_application(self):
        web = self.web(self.answer)
        _, port = self.at_free_port()
        trusted_less = self.places(self.listen("--url", f"{name_of_this_computer()}:0"))[0]
        names = (f"127.0.0.1:{port}", f"wiki.localhost:{port}", trusted_less)
        for name in names:
            with self.subTest(name):
                self.chromium.open(f"http://{name}/")
                self.chromium.wait_for("#done")
                self.assertIsNotNone(self.chromium.find('body[data-api="session=1"][data-picture="7"]'))
                self.chromium.click("#save")  # A form without a referrer has the Origin "null".
                self.chromium.wait_for("#shown")
                self.assertEqual(self.chromium.address, f"http://{name}/saved")
        self.assertEqual([r[3] for r in web.requests if r[1] == "/save"], [b"text=hello"] * len(names))

    def test_pages_of_others(self):
        web = self.web(self.answer)
        running, port = self.at_free_port()
        evil = Web(lambda handler: handler.say(HTTPStatus.OK, EVIL.format(f"127.0.0.1:{port}").encode(),
                                               Content_Type="text/html"))
        self.addCleanup(evil.stop)
        self.chromium.open(f"http://127.0.0.1:{evil.port}/")
        self.chromium.wait_for("#done")
        self.assertEqual(web.requests, [])
        self.assertEqual(running.err.count("WRN the request is refused: a page of another site"), 5,
                         running.err)
        self.chromium.click("#link")  # A page that the person follows a link to is shown.
        self.chromium.wait_for("#shown")
        self.assertEqual([request[1] for request in web.requests if request[1] != "/favicon.ico"],
                         ["/link"])

    def test_pages_of_others_at_names_without_sec_fetch_site(self):
        def answer(handler):
            if handler.path == "/script":
                return handler.say(HTTPStatus.OK, b'window.stolen = "the secret"',
                                   Content_Type="text/javascript",
                                   Cross_Origin_Resource_Policy="cross-origin")
            self.answer(handler)
        web = self.web(answer)
        place = self.places(self.listen("--url", f"{name_of_this_computer()}:0"))[0]
        evil = Web(lambda handler: handler.say(HTTPStatus.OK, EVIL_BLIND.format(place).encode(),
                                               Content_Type="text/html"))
        self.addCleanup(evil.stop)
        self.chromium.open(f"http://127.0.0.1:{evil.port}/")
        self.chromium.wait_for("#done")
        self.assertEqual(self.chromium.text("#done"), "nothing")
        # A request for a frame looks the same as a link that the person follows, but its page is not shown in the
        # frame.
        self.assertEqual([request[1] for request in web.requests], ["/frame"])
        self.assertNotIn("/frame", self.chromium.frame_text("#frame"))
        self.chromium.click("#link")
        self.chromium.wait_for("#shown")

    def elsewhere(self, answer):
        """Returns the address of another party's web server, which may know the listener's address."""
        other = Web(answer)
        self.addCleanup(other.stop)
        return f"http://127.0.0.1:{other.port}"

    def asked(self, web):
        return [(request[0], request[1]) for request in web.requests if request[1] != "/favicon.ico"]

    def test_pages_of_others_open_nothing_by_themselves(self):
        web = self.web(self.answer)
        running, port = self.at_free_port()
        target = f"http://127.0.0.1:{port}/secret"

        def answer(handler):
            kind = handler.path.strip("/")
            if kind == "away":
                return handler.say(HTTPStatus.FOUND, Location=target)
            page = UNASKED.get(kind, "").format(target)
            handler.say(HTTPStatus.OK, f"<!doctype html><title>{kind}</title><body>{page}".encode(),
                        Content_Type="text/html")
        other = self.elsewhere(answer)
        for kind in UNASKED:
            with self.subTest(kind):
                before = running.err.count("WRN the request is refused")
                self.chromium.open(f"{other}/{kind}")
                eventually(f"{kind} was refused, or not", lambda before=before: self.asked(web) or
                           running.err.count("WRN the request is refused") > before)
                self.assertEqual(self.asked(web), [])
        self.assertIn("no click of a person", running.err)
        self.assertIn("ahead of a visit", running.err)

    def led_back(self, target, before="location = '{0}'"):
        """The address of another site whose page does this by itself, and the page that the person sees then."""
        page = before.format(target)
        other = self.elsewhere(lambda handler: handler.say(
            HTTPStatus.OK, f"<!doctype html><title>login</title><body><script>{page}</script>".encode(),
            Content_Type="text/html"))
        self.chromium.open(other)
        return other

    def test_person_goes_on_by_a_click_where_a_script_led_back(self):
        """As after a login that a page of the application began by itself."""
        web = self.web(self.answer)
        _, port = self.at_free_port()
        for path in ("/callback?code=1&amp;state='%22%3E", "//127.0.0.1:1/x?a=1", "/a//b", "/.//c"):
            with self.subTest(path):
                before = len(self.asked(web))
                self.led_back(f"http://127.0.0.1:{port}{path}".replace("'", "\\'"))
                self.chromium.wait_for("a[href]")
                self.assertEqual(len(self.asked(web)), before)
                shown = self.chromium.address
                self.assertIn("no click of a person", self.chromium.text())
                self.chromium.click("a[href]")
                self.chromium.wait_for("#shown")
                self.assertEqual(self.chromium.address, shown)
                self.assertEqual(len(self.asked(web)), before + 1)

    def test_link_to_go_on_leads_to_the_name_of_the_application(self):
        web = self.web(self.answer)
        running = self.listen()
        port = self.places(running)[0].rsplit(":", 1)[1]
        url = running.wait_err(r"INF the application in a browser url=(\S+)").group(1).rstrip("/")
        self.led_back(f"http://127.0.0.1:{port}/callback?code=1")
        self.chromium.click("a[href]")
        self.chromium.wait_for("#shown")
        self.assertEqual(self.chromium.address, f"{url}/callback?code=1")
        self.assertEqual(len(self.asked(web)), 1)

    def test_page_of_another_site_cannot_go_on_alone(self):
        """It opens the page with the link, in a window and in a frame, and has no way to press that link."""
        web = self.web(self.answer)
        running, port = self.at_free_port()
        target = f"http://127.0.0.1:{port}/secret"
        script = """
const frame = document.createElement("iframe");
frame.src = "{0}";
document.body.append(frame);
const opened = window.open("{0}");
const press = () => {{
  for (const page of [opened, frame.contentWindow]) try {{
    page.document.querySelector("a").click();
  }} catch (error) {{
    document.title = error.name;
  }}
}};
let tries = 0;
const again = setInterval(() => {{
  press();
  if (++tries == 20) {{ clearInterval(again); document.body.id = "over"; }}
}}, 20);"""
        self.led_back(target, script)
        self.chromium.wait_for("#over")
        self.assertIn(self.chromium.title, ("SecurityError", "TypeError"))
        eventually("both were refused", lambda: running.err.count("WRN the request is refused") >= 2)
        self.assertEqual(self.asked(web), [])

    def test_prefetch_of_a_path_of_access(self):
        """The page has only that URL, and the person does nothing: no tokens get out."""
        web = self.web(self.answer)
        running, port = self.at_free_port()
        target = f"http://127.0.0.1:{port}/cdn-cgi/access/cli?aud={self.edge.audience('wiki')}"
        page = UNASKED["prefetch"].format(target)
        other = self.elsewhere(lambda handler: handler.say(
            HTTPStatus.OK, f"<!doctype html><title>prefetch</title><body>{page}".encode(),
            Content_Type="text/html"))
        self.chromium.open(other)
        running.wait_err("WRN the request is refused")
        self.chromium.open(target)  # typed by the person
        running.wait_err("WRN .*path of Access")
        # The browser asks for the icon of the page that says so, sooner or later.
        self.assertEqual([entry["path"] for entry in self.edge.log(HOST) if entry["path"] != "/favicon.ico"], [])
        self.assertEqual(self.asked(web), [])

    def test_pages_that_a_person_opens_are_shown(self):
        web = self.web(self.answer)
        _, port = self.at_free_port()
        target = f"http://127.0.0.1:{port}/page"

        def answer(handler):
            if handler.path == "/away":
                return handler.say(HTTPStatus.FOUND, Location=target)
            handler.say(HTTPStatus.OK, ASKED.format(target).encode(), Content_Type="text/html")
        other = self.elsewhere(answer)
        self.chromium.open(target)  # typed by the person
        self.chromium.wait_for("#shown")
        for what in ("#link", "#away", "#get"):
            with self.subTest(what):
                self.chromium.open(other)
                self.chromium.click(what)
                self.chromium.wait_for("#shown")
        self.assertEqual([request[:1] for request in self.asked(web)], [("GET",)] * 4)
        self.chromium.open(other)
        self.chromium.click("#post")
        eventually("the form was refused", lambda: "another site asks" in self.chromium.text())
        self.assertEqual(len(self.asked(web)), 4)

    def test_window_that_another_page_opened_is_cut_off_from_it(self):
        """Cross-Origin-Opener-Policy: to the other page the window looks closed."""
        web = self.web(self.answer)
        _, port = self.at_free_port()
        target = f"http://127.0.0.1:{port}/page"
        other = self.elsewhere(lambda handler: handler.say(
            HTTPStatus.OK, ASKED.format(target).encode(), Content_Type="text/html"))
        self.chromium.open(other)
        self.chromium.click("#open")
        eventually("the window is opened", lambda: self.asked(web))
        eventually("it is cut off", lambda: self.chromium.run("return window.opened.closed"))

    def test_service_worker(self):
        def answer(handler):
            if handler.path == "/worker.js":
                return handler.say(HTTPStatus.OK, b"", Content_Type="text/javascript")
            handler.say(HTTPStatus.OK, WORKER, Content_Type="text/html")
        web = self.web(answer)
        for flags, outcome in ((), "refused"), (("--allow-service-workers",), "installed"):
            with self.subTest(flags):
                _, port = self.at_free_port(*flags)
                self.chromium.open(f"http://127.0.0.1:{port}/")
                self.chromium.wait_for("#done")
                self.assertEqual(self.chromium.text("#done"), outcome)
        self.assertEqual([path for _, path in self.asked(web)], ["/", "/", "/worker.js"])


class OwnAddresses(HttpCase):
    """Without --url each application has a port and a name of its own."""

    def setUp(self):
        super().setUp()
        self.chromium = Chromium(self.edge)
        self.addCleanup(self.chromium.end)

    def application_of_its_own(self, name):
        """Starts a web server and its listener. Returns both addresses. No other test uses that name at the same
        time."""
        web = Web(self.answer)
        self.addCleanup(web.stop)
        host = f"{name}{os.getpid()}.example.com"
        self.edge.application(name, hostname=host, origin=web.address)
        self.know(name)
        running = self.listen(host=host)
        place = self.places(running)[0]
        url = running.wait_err(r"INF the application in a browser url=(\S+)").group(1)
        return web, running, place, url.rstrip("/")

    def answer(self, handler):
        cookies = handler.headers.get("Cookie", "none")
        handler.say(HTTPStatus.OK, f"<p id=shown>{handler.path} {cookies}".encode(),
                    Content_Type="text/html", Set_Cookie="session=1; Path=/")

    def test_browser_is_led_to_the_name(self):
        web, _, place, url = self.application_of_its_own("wiki")
        port = place.rsplit(":", 1)[1]
        for shared in (f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
            self.chromium.open(f"{shared}/page?x=1")
            self.chromium.wait_for("#shown")
            self.assertEqual(self.chromium.address, f"{url}/page?x=1")
        self.assertEqual({request[2]["Host"].split(":")[0] for request in web.requests},
                         {f"wiki{os.getpid()}.example.com"})
        result = self.curl("-w", "%{http_code}", "-o", "/dev/null", f"http://{place}/page")
        self.assertEqual(result.out, b"200")  # This program does not resolve such names.

    def test_cookies_of_one_application_go_to_no_other(self):
        git, _, _, git_url = self.application_of_its_own("git")
        wiki, running, place, wiki_url = self.application_of_its_own("wiki")
        self.chromium.open(f"{git_url}/")
        self.chromium.wait_for("#shown")
        parents = git_url.split("//")[1].rsplit(":", 1)[0].split(".")
        for start in range(len(parents)):
            self.chromium.run(f"document.cookie = 'tossed{start}=1; domain={'.'.join(parents[start:])}'")
        self.chromium.open(f"{wiki_url}/")
        self.chromium.wait_for("#shown")
        self.assertEqual(self.chromium.text("#shown"), "/ none")
        # With the name of git at the port of wiki, the browser would send git's cookies there.
        name = git_url.rsplit(":", 1)[0]
        before = len(wiki.requests)
        self.chromium.open(f"{name}:{place.rsplit(':', 1)[1]}/")
        running.wait_err("WRN .*is not the name of this listener")
        self.assertEqual(len([r for r in wiki.requests[before:] if r[1] == "/"]), 0)
        self.assertTrue(git.requests)
