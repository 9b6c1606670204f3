"""mayfly http in a real Chromium: pages of the application work, and pages of others get nothing."""
from http import HTTPStatus

from harness.chromium import Chromium
from harness.http_case import HOST, HttpCase, name_of_this_computer
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
                self.chromium.click("#save")  # a form without a referrer: its Origin is "null"
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
        self.chromium.click("#link")  # what a person follows is shown
        self.chromium.wait_for("#shown")
        self.assertEqual([request[1] for request in web.requests if request[1] != "/favicon.ico"],
                         ["/link"])

    def test_pages_of_others_where_browsers_do_not_say_so(self):
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
        # What fills a frame cannot be told from what a person follows, and is not shown in it.
        self.assertEqual([request[1] for request in web.requests], ["/frame"])
        self.assertNotIn("/frame", self.chromium.frame_text("#frame"))
        self.chromium.click("#link")
        self.chromium.wait_for("#shown")
