"""The edge's login page in a browser of this desktop, which knows neither the edge's names nor its CA."""
import html
import http.server
import re
import subprocess
import sys
import threading
import urllib.parse

if __package__:
    from .browser import Browser


class Window:
    """A plain HTTP server on loopback that shows the pages of the edge and passes on their forms."""

    opener = __file__

    def __init__(self, edge):
        browser = Browser(edge.connect_to, edge.ca)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self._show("GET", None)

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                self._show("POST", self.rfile.read(length).decode())

            def _show(self, method, body):
                query = urllib.parse.urlsplit(self.path).query
                target = urllib.parse.parse_qs(query).get("page", [""])[0]
                if not target:
                    self.send_error(404)
                    return
                url, status, text = browser.follow(target, method, body)
                content = lead_forms_here(text, url).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def page_address(base, url):
    return base + "?" + urllib.parse.urlencode({"page": url})


def lead_forms_here(text, url):
    """Returns the page with the actions of its forms changed to this server."""
    def turned(match):
        action = urllib.parse.urljoin(url, html.unescape(match.group(2)))
        return match.group(1) + html.escape(page_address("/", action)) + '"'
    return re.sub(r'(<form\b[^>]*?\baction=")([^"]*)"', turned, text)


if __name__ == "__main__":
    # window.py ADDRESS OPENER URL takes the place of xdg-open.
    sys.exit(subprocess.run([sys.argv[2], page_address(sys.argv[1], sys.argv[3])], check=False).returncode)
