"""mayfly http with the programs that people use with it."""
import hashlib
import os

from harness import programs
from harness.http_case import HttpCase
from harness.process import run
from harness.web import files_below, git_backend


class Programs(HttpCase):
    """Programs that people use with mayfly http."""

    def test_git(self):
        folder = os.path.join(self.home.path, "repositories")
        work = os.path.join(self.home.path, "work")
        environment = {**self.home.environment(), "PATH": os.environ["PATH"],
                       "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
                       "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com",
                       "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}

        def git(*words, cwd=self.home.path):
            result = run([programs.system("git"), *words], env=environment, cwd=cwd)
            return self.assert_done(result).out.decode().strip()
        git("init", "-q", "--bare", "-b", "main", os.path.join(folder, "project.git"))
        git("-C", os.path.join(folder, "project.git"), "config", "http.receivepack", "true")
        web = self.web(git_backend(folder))
        _, port = self.at_free_port()
        remote = f"http://127.0.0.1:{port}/project.git"
        git("clone", "-q", remote, work)
        with open(os.path.join(work, "file"), "wb") as file:
            file.write(os.urandom(300_000))
        git("add", "file", cwd=work)
        git("commit", "-q", "-m", "one", cwd=work)
        git("push", "-q", "origin", "HEAD:main", cwd=work)
        again = os.path.join(self.home.path, "again")
        git("clone", "-q", "-b", "main", remote, again)
        self.assertEqual(git("rev-parse", "HEAD", cwd=again), git("rev-parse", "HEAD", cwd=work))
        self.assertIn("/project.git/git-receive-pack", [request[1] for request in web.requests])
        # git sends a pack larger than its buffer in chunks.
        git("commit", "-q", "--allow-empty", "-m", "two", cwd=work)
        with open(os.path.join(work, "more"), "wb") as file:
            file.write(os.urandom(300_000))
        git("add", "more", cwd=work)
        git("commit", "-q", "-m", "three", cwd=work)
        git("-c", "http.postBuffer=65536", "push", "-q", "origin", "HEAD:main", cwd=work)
        git("pull", "-q", cwd=again)
        self.assertEqual(git("rev-parse", "HEAD", cwd=again), git("rev-parse", "HEAD", cwd=work))
        self.assertIn("chunked", [dict(entry["headers"]).get("Transfer-Encoding")
                                  for entry in self.requests()])

    def test_curl(self):
        self.web(lambda handler: handler.say(200, handler.command.encode() + (handler.body or b"")))
        _, port = self.at_free_port()
        here = f"http://localhost:{port}/file"
        body = os.urandom(100_000)
        file = os.path.join(self.home.path, "body")
        with open(file, "wb") as out:
            out.write(body)
        upload = self.assert_done(self.curl("-T", file, here))
        self.assertEqual(upload.out, b"PUT" + body)
        chunked = self.assert_done(self.curl("--data-binary", "@" + file, "-H",
                                             "Transfer-Encoding: chunked", here))
        self.assertEqual(chunked.out, b"POST" + body)
        old = self.assert_done(self.curl("--http1.0", here))
        self.assertEqual(old.out, b"GET")
        head = self.assert_done(self.curl("-I", "--http2", here))  # curl asks for h2c and gets HTTP/1.1.
        self.assertTrue(head.out.startswith(b"HTTP/1.1 200 "), head)

    def repository(self):
        """Makes a Debian repository with one package. Returns that package's bytes."""
        folder = os.path.join(self.home.path, "debian")
        tree = os.path.join(folder, "tree")
        os.makedirs(os.path.join(tree, "DEBIAN"))
        with open(os.path.join(tree, "DEBIAN", "control"), "w", encoding="ascii") as file:
            file.write("Package: mayfly-example\nVersion: 1.0\nArchitecture: all\n"
                       "Maintainer: t <t@example.com>\nDescription: an example\n")
        with open(os.path.join(tree, "data"), "wb") as file:
            file.write(os.urandom(500_000))
        archive = os.path.join(folder, "mayfly-example.deb")
        built = run([programs.system("dpkg-deb"), "--build", "--root-owner-group", tree, archive],
                    env={"PATH": os.environ["PATH"]})
        self.assertEqual(built.code, 0, built)
        with open(archive, "rb") as file:
            package = file.read()
        packages = (f"Package: mayfly-example\nVersion: 1.0\nArchitecture: all\n"
                    f"Maintainer: t <t@example.com>\nFilename: ./mayfly-example.deb\n"
                    f"Size: {len(package)}\nSHA256: {hashlib.sha256(package).hexdigest()}\n"
                    f"Description: an example\n").encode()
        for name, content in [("Packages", packages), ("Release", (
                f"Origin: example\nSuite: stable\nCodename: stable\nArchitectures: all amd64 arm64\n"
                f"SHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n"
                ).encode())]:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        return folder, package

    def apt(self, port):
        """Returns the environment of an apt-get that knows only the repository at that port."""
        root = os.path.join(self.home.path, "apt")
        for name in ("etc", "lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(root, name))
        with open(os.path.join(root, "etc", "sources.list"), "w", encoding="ascii") as file:
            file.write(f"deb [trusted=yes] http://127.0.0.1:{port} ./\n")
        with open(os.path.join(root, "status"), "w", encoding="ascii"):
            pass
        with open(os.path.join(root, "apt.conf"), "w", encoding="ascii") as file:
            file.write(f'Dir::Etc "{root}/etc";\nDir::Etc::parts "none";\nDir::Etc::sourceparts "none";\n'
                       f'Dir::State "{root}";\nDir::State::lists "{root}/lists";\n'
                       f'Dir::State::status "{root}/status";\nDir::Cache "{root}/cache";\n'
                       'APT::Sandbox::User "";\nAcquire::Languages "none";\n')
        return {"PATH": os.environ["PATH"], "APT_CONFIG": os.path.join(root, "apt.conf"),
                "HOME": self.home.path}

    def test_apt(self):
        folder, package = self.repository()
        web = self.web(files_below(folder))
        _, port = self.at_free_port()
        environment = self.apt(port)
        for words in (["update"], ["download", "mayfly-example"]):
            result = run([programs.system("apt-get"), *words], env=environment, cwd=self.home.path)
            self.assertEqual(result.code, 0, result)
        with open(os.path.join(self.home.path, "mayfly-example_1.0_all.deb"), "rb") as file:
            self.assertEqual(file.read(), package)
        self.assertIn("/./Packages", [request[1] for request in web.requests])
