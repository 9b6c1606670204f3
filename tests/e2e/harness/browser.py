"""A person with a browser: opens the login URL, fills in the form, and follows redirects."""
import html.parser
import http.client
import http.cookies
import json
import os
import socket
import ssl
import sys
import urllib.parse

MOST_STEPS = 20
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Access tells browsers from programs by it.
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Page(html.parser.HTMLParser):
    """The parts of a page that matter: its title, its text, its first form."""

    def __init__(self, text):
        super().__init__()
        self.title, self.lines, self.form = "", [], None
        self._inside, self._submit = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = {name: value or "" for name, value in attributes}
        if tag in ("title", "style", "script"):
            self._inside.append(tag)
        elif tag == "form" and self.form is None:
            self.form = {"action": values.get("action", ""),
                         "method": values.get("method", "get").lower(), "fields": {}}
        elif tag in ("input", "button") and self.form is not None and "name" in values:
            self.form["fields"][values["name"]] = values.get("value", "")
        if tag == "input" and values.get("type", "text") not in ("hidden", "submit"):
            self.lines.append(f"{values.get('name', '')}: [{values.get('value', ''):<32}]")
        if tag == "button" or values.get("type") == "submit":
            self.lines.append("( " + values.get("value", "") + " )")
            self._submit.append(tag)

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()
        if tag == "button":
            self._submit = []

    def handle_data(self, data):
        text = " ".join(data.split())
        if not text:
            return
        if self._inside:
            self.title += text if self._inside[-1] == "title" else ""
        elif "button" in self._submit:
            self.lines[-1] = f"( {text} )"
        else:
            self.lines.append(text)

    def rendering(self):
        """Renders the page as text in a frame, for a terminal."""
        width = max([len(line) for line in [self.title, *self.lines]] + [40])
        rule = "+" + "-" * (width + 2) + "+"
        body = [f"| {line:<{width}} |" for line in [self.title, "", *self.lines]]
        return "\n".join([rule, *body, rule])


class Browser:
    """A browser with cookies for each host, which follows redirects itself and verifies TLS. Every host but a loopback
    address is at connect_to. decision: "deny" plays a person who does not let a program in."""

    def __init__(self, connect_to, ca_file, decision="approve"):
        self.decision = decision
        *_, self.address, self.port = connect_to.split(":")
        self.context = ssl.create_default_context(cafile=ca_file)
        self.cookies = {}
        self.visited = []

    def _request(self, method, url, body):
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname
        headers = {"Host": parts.netloc, "User-Agent": "a person", "Accept": ACCEPT}
        if parts.scheme == "http" and host in LOOPBACK:
            connection = http.client.HTTPConnection(host, parts.port or 80, timeout=60)
        elif parts.scheme == "https":
            connection = http.client.HTTPConnection(host, timeout=60)
            raw = socket.create_connection((self.address, int(self.port)), timeout=60)
            connection.sock = self.context.wrap_socket(raw, server_hostname=host)
        else:
            raise ValueError(f"not over https: {url}")
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if jar := self.cookies.get(host):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies.setdefault(host, {})[name] = morsel.value
        connection.close()
        return answer.status, answer.headers.get("Location"), text

    def open(self, url, method="GET", body=None):
        """Returns the page at the end of the redirects, with its address and status."""
        url, status, text = self.follow(url, method, body)
        return url, status, Page(text)

    def follow(self, url, method="GET", body=None):
        """Like open(), but returns the page as the server sent it."""
        for _ in range(MOST_STEPS):
            status, location, text = self._request(method, url, body)
            self.visited.append({"method": method, "url": url, "status": status})
            if status not in (301, 302, 303, 307) or not location:
                return url, status, text
            url, method, body = urllib.parse.urljoin(url, location), "GET", None
        raise ValueError("too many redirects")

    def log_in(self, url, email=None, show=lambda page: None):
        """Fills in every form. Returns the status of the last page."""
        for _ in range(MOST_STEPS):
            url, status, page = self.open(url)
            show(page)
            if page.form is None:
                return status
            fields = dict(page.form["fields"])
            if email and "email" in fields:
                fields["email"] = email
            if "decision" in fields:
                fields["decision"] = self.decision
            action = urllib.parse.urljoin(url, page.form["action"])
            body = urllib.parse.urlencode(fields)
            if page.form["method"] == "get":
                url = action + "?" + body
                continue
            url, status, page = self.open(action, "POST", body)
            show(page)
            if page.form is None:
                return status
        raise ValueError("too many forms")


def main():
    """Takes the place of xdg-open. BROWSER_EMAIL signs in, BROWSER_TRANSCRIPT gets a line for each visit,
    BROWSER_CERTIFICATE is CERT:KEY, and BROWSER_DECISION is "approve" or "deny"."""
    browser = Browser(os.environ["MAYFLY_CONNECT_TO"], os.environ["BROWSER_CA"],
                      os.environ.get("BROWSER_DECISION") or "approve")
    if certificate := os.environ.get("BROWSER_CERTIFICATE"):
        browser.context.load_cert_chain(*certificate.split(":"))
    email = os.environ.get("BROWSER_EMAIL")
    pages, failure = [], ""
    try:
        browser.log_in(sys.argv[1], email, pages.append)
    except (OSError, ValueError, http.client.HTTPException) as error:
        failure = str(error)
    if transcript := os.environ.get("BROWSER_TRANSCRIPT"):
        with open(transcript, "a", encoding="utf-8") as file:
            print(json.dumps({"url": sys.argv[1], "visited": browser.visited, "failure": failure,
                              "pages": [page.rendering() for page in pages]}), file=file)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
