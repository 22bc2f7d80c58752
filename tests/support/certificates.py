"""Throw-away certificates, made by the openssl command."""

import subprocess
from pathlib import Path
from types import SimpleNamespace


def make_certificate(folder, host="127.0.0.1", days=2):
    """A CA of its own and a certificate for `host`: paths .ca, .certificate, .key. days=-1: it has
    expired, the CA has not."""
    at = {name: str(Path(folder, name)) for name in
          ("ca.pem", "ca.key", "server.pem", "server.key", "server.csr", "server.ext")}
    kind = "IP" if host.replace(".", "").isdigit() or ":" in host else "DNS"
    Path(at["server.ext"]).write_text(f"subjectAltName={kind}:{host}\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for command in (
            ["req", "-x509", *new_key, "-keyout", at["ca.key"], "-out", at["ca.pem"],
             "-days", "2", "-subj", "/CN=Scripted CA"],
            ["req", *new_key, "-keyout", at["server.key"], "-out", at["server.csr"],
             "-subj", "/CN=scripted server"],
            ["x509", "-req", "-in", at["server.csr"], "-CA", at["ca.pem"], "-CAkey", at["ca.key"],
             "-CAcreateserial", "-out", at["server.pem"], "-days", str(days),
             "-extfile", at["server.ext"]]):
        subprocess.run(["openssl", *command], check=True, capture_output=True, timeout=30)
    return SimpleNamespace(ca=at["ca.pem"], certificate=at["server.pem"], key=at["server.key"])
