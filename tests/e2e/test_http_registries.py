"""mayfly http with programs that follow the addresses which servers name: git-lfs, skopeo and npm."""
import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import unittest

from harness import programs
from harness.http_case import HOST, HttpCase
from harness.process import run
from harness.registry import Registry
from harness.web import git_backend

PUBLIC = f"https://{HOST}"


def lfs_server(store, otherwise):
    """Returns an answer() with the API of Git LFS ("Batch API", "Basic Transfers", "File Locking"). store: the objects
    by their names."""
    def batch(handler):
        wanted = json.loads(handler.body)

        def actions(name):
            href = f"{PUBLIC}/objects/{name}"
            if wanted["operation"] == "download":
                return {"download": {"href": href}}
            return {} if name in store else {"upload": {"href": href}, "verify": {"href": f"{PUBLIC}/verify"}}
        answered = [{"oid": one["oid"], "size": one["size"], "authenticated": True, "actions": actions(one["oid"])}
                    for one in wanted["objects"]]
        text = json.dumps({"transfer": "basic", "objects": answered, "hash_algo": "sha256"})
        handler.say(200, text.replace("/", "\\/").encode(), Content_Type="application/vnd.git-lfs+json")

    def answer(handler):
        path = handler.path.split("?")[0]
        if path.endswith("/info/lfs/objects/batch"):
            return batch(handler)
        if "/info/lfs/locks" in path:
            return handler.say(404, b"{}", Content_Type="application/vnd.git-lfs+json")
        if path == "/verify":
            return handler.say(200 if json.loads(handler.body)["oid"] in store else 404)
        if name := re.fullmatch("/objects/([0-9a-f]{64})", path):
            if handler.command == "PUT":
                store[name[1]] = handler.body
                return handler.say(200)
            return handler.say(200, store[name[1]], Content_Type="application/octet-stream")
        return otherwise(handler)
    return answer


def archive_of(files):
    """Returns a .tar.gz with these files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


class Registries(HttpCase):
    """Programs whose servers send them to another address."""

    def test_git_lfs(self):
        folder = os.path.join(self.home.path, "repositories")
        work, again = (os.path.join(self.home.path, name) for name in ("work", "again"))
        environment = {**self.home.environment(), "PATH": os.environ["PATH"],
                       "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
                       "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com",
                       "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}
        programs.system("git-lfs")

        def git(*words, cwd=self.home.path):
            result = run([programs.system("git"), *words], env=environment, cwd=cwd)
            return self.assert_done(result)
        git("init", "-q", "--bare", "-b", "main", os.path.join(folder, "project.git"))
        git("-C", os.path.join(folder, "project.git"), "config", "http.receivepack", "true")
        git("lfs", "install", "--skip-repo")
        store = {}
        self.web(lfs_server(store, git_backend(folder)))
        _, port = self.at_free_port()
        remote = f"http://127.0.0.1:{port}/project.git"
        git("clone", "-q", remote, work)
        git("lfs", "track", "*.bin", cwd=work)
        content = os.urandom(300_000)
        with open(os.path.join(work, "file.bin"), "wb") as file:
            file.write(content)
        git("add", ".", cwd=work)
        git("commit", "-q", "-m", "one", cwd=work)
        git("push", "-q", "origin", "HEAD:main", cwd=work)
        self.assertEqual(store, {hashlib.sha256(content).hexdigest(): content})
        git("clone", "-q", "-b", "main", remote, again)
        with open(os.path.join(again, "file.bin"), "rb") as file:
            self.assertEqual(file.read(), content)

    def image(self):
        """Makes an image in an OCI layout (OCI Image Layout Specification). Returns its folder and its manifest."""
        folder = os.path.join(self.home.path, "image")
        blobs = os.path.join(folder, "blobs", "sha256")
        os.makedirs(blobs)

        def blob(kind, content):
            name = hashlib.sha256(content).hexdigest()
            with open(os.path.join(blobs, name), "wb") as file:
                file.write(content)
            return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{name}", "size": len(content)}
        layer = archive_of({"data": os.urandom(200_000)})
        digest = hashlib.sha256(gzip.decompress(layer)).hexdigest()
        config = blob("config.v1+json", json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {
            "type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode())
        # A URL of the application in a text that its digest names.
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
            "layers": [blob("layer.v1.tar+gzip", layer)],
            "annotations": {"org.opencontainers.image.source": f"{PUBLIC}/source"}}).encode()
        entry = blob("manifest.v1+json", manifest)
        for name, value in (("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                            ("index.json", {"schemaVersion": 2, "manifests": [
                                {**entry, "annotations": {"org.opencontainers.image.ref.name": "one"}}]})):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                json.dump(value, file)
        return folder, manifest

    def test_skopeo(self):
        registry = Registry(HOST)
        self.addCleanup(registry.stop)
        web = self.web(registry.answer)
        _, port = self.at_free_port()
        folder, manifest = self.image()
        back = os.path.join(self.home.path, "back")

        def copy(*words):
            result = run([programs.system("skopeo"), "--insecure-policy", "copy", "-q", *words],
                         env={"PATH": os.environ["PATH"], "HOME": self.home.path, "TMPDIR": self.home.path,
                              "XDG_RUNTIME_DIR": self.home.path}, cwd=self.home.path)
            self.assert_done(result)
        there = f"docker://127.0.0.1:{port}/project/image"
        copy("--dest-tls-verify=false", f"oci:{folder}:one", f"{there}:one")
        digest = hashlib.sha256(manifest).hexdigest()
        copy("--src-tls-verify=false", f"{there}@sha256:{digest}", f"dir:{back}")
        with open(os.path.join(back, "manifest.json"), "rb") as file:
            self.assertEqual(file.read(), manifest)
        paths = [request[1].split("?")[0] for request in web.requests]
        self.assertIn("/token", paths)
        self.assertIn(f"/v2/project/image/manifests/sha256:{digest}", paths)

    def test_npm(self):
        npm = shutil.which("npm")
        if not npm:
            raise unittest.SkipTest("npm is not installed")
        package = {"name": "mayfly-example", "version": "1.0.0"}
        archive = archive_of({"package/package.json": json.dumps(package).encode(), "package/data": os.urandom(100_000)})
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
        dist = {"tarball": f"{PUBLIC}/mayfly-example/-/mayfly-example-1.0.0.tgz", "integrity": integrity}
        described = json.dumps({"name": "mayfly-example", "dist-tags": {"latest": "1.0.0"},
                                "versions": {"1.0.0": {**package, "dist": dist}}}).encode()

        def answer(handler):
            if handler.path.endswith(".tgz"):
                return handler.say(200, archive, Content_Type="application/octet-stream")
            handler.say(200, described, Content_Type="application/json")
        self.web(answer)
        _, port = self.at_free_port()
        folder = os.path.join(self.home.path, "folder")
        os.makedirs(folder)
        result = run([npm, "install", "--registry", f"http://127.0.0.1:{port}/", "--no-audit", "--no-fund",
                      "--no-update-notifier", "--fetch-retries=0", "mayfly-example"], cwd=folder,
                     env={"PATH": os.environ["PATH"], "HOME": self.home.path, "CI": "true"})
        self.assert_done(result)
        with open(os.path.join(folder, "node_modules", "mayfly-example", "package.json"), "rb") as file:
            self.assertEqual(json.load(file), package)
