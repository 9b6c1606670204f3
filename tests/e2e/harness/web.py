"""A web server behind the edge, with pages that tests choose, which records its requests."""
import http.server
import os
import subprocess
import threading

from . import programs


class Web:
    """answer(handler) is called for each request, in a thread of its own. `requests` contains the (method, target,
    headers, body) of each request."""

    def __init__(self, answer):
        web = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length", 0))
                self.body = self.rfile.read(length) if length <= 1 << 20 else None
                web.requests.append((self.command, self.path, self.headers, self.body))
                answer(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve

            def send_response(self, code, message=None):
                super().send_response(code, message)
                # The edge asks for this header. Without it, the next request would race the end of the connection.
                if self.close_connection and code >= 200:
                    self.send_header("Connection", "close")

            def log_message(self, *_):
                pass

            def say(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    for one in value if isinstance(value, list) else [value]:
                        self.send_header(name.replace("_", "-"), one)
                if "Transfer_Encoding" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.address = f"http:127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def files_below(folder):
    """Returns an answer() that serves the files of a folder."""
    def answer(handler):
        path = os.path.join(folder, handler.path.split("?")[0].lstrip("/"))
        try:
            with open(path, "rb") as file:
                handler.say(200, file.read())
        except OSError:
            handler.say(404)
    return answer


def echo_upgraded(handler):
    """Upgrades the connection and sends back the bytes that follow."""
    handler.send_response(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    handler.end_headers()
    while piece := handler.connection.recv(1 << 16):
        handler.connection.sendall(piece)
    handler.close_connection = True


def git_backend(folder):
    """Returns an answer() that runs git http-backend (CGI, RFC 3875) over the repositories of a folder."""
    def answer(handler):
        path, _, query = handler.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"], "HOME": folder, "GIT_PROJECT_ROOT": folder,
            "GIT_HTTP_EXPORT_ALL": "1", "GIT_CONFIG_NOSYSTEM": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": handler.command, "REMOTE_USER": "tester",
            "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(handler.body)),
            "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": handler.headers.get("Git-Protocol", "")}
        output = subprocess.run([programs.system("git"), "http-backend"], input=handler.body,
                                stdout=subprocess.PIPE, check=True, env=environment).stdout
        head, _, body = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        handler.say(status, body, **{name.replace("-", "_"): v for name, v in headers.items()})
    return answer
