"""The system's trust with one more root, as an administrator would add one."""
import os
import shutil
import subprocess

from harness import programs

SYSTEM = "/etc/ssl/certs"
BUNDLE = "ca-certificates.crt"


def add_root(certificate, folder):
    """Within this namespace the edge's CA is one of the system's roots, in the bundle (which Go reads) and in the
    hashed directory (which OpenSSL reads). The clients need no variable and find it where they find roots in real
    use."""
    copy = os.path.join(folder, "certs")
    shutil.copytree(SYSTEM, copy, symlinks=True)
    shutil.copy(certificate, os.path.join(copy, "bench-edge.pem"))
    with open(certificate, "rb") as file, open(os.path.join(copy, BUNDLE), "ab") as bundle:
        bundle.write(file.read())
    subprocess.run([programs.system("openssl"), "rehash", copy], check=True,
                   stderr=subprocess.DEVNULL)  # openssl rehash complains about the bundle.
    subprocess.run([programs.system("mount"), "--bind", copy, SYSTEM], check=True)


def number_of_roots():
    with open(os.path.join(SYSTEM, BUNDLE), encoding="utf-8") as file:
        return file.read().count("BEGIN CERTIFICATE")
