"""Certificates for servers other than the edge, by the CA that the edge's clients trust."""
import os
import shutil

from . import programs
from .process import run


def make_server_certificate(edge, host, directory):
    """Makes server.pem and server.key in the directory."""
    for name, source in (("edge.pem", edge.ca), ("edge.key", edge.ca[:-4] + ".key")):
        shutil.copy(source, os.path.join(directory, name))
    for arguments in (
            ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={host}",
             "-addext", f"subjectAltName=DNS:{host}", "-keyout", "server.key", "-out", "server.csr"),
            ("x509", "-req", "-in", "server.csr", "-copy_extensions", "copy", "-CA", "edge.pem", "-CAkey",
             "edge.key", "-set_serial", "4711", "-days", "5", "-out", "server.pem")):
        made = run([programs.system("openssl"), *arguments], env={"PATH": "/usr/bin:/bin"}, cwd=directory)
        assert made.code == 0, made
