"""A mail server on a loopback port for tests: a thread per connection, STARTTLS and login, and ways to misbehave."""

from __future__ import annotations

import contextlib
import email
import email.policy
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest


class MailServer:
    """Keeps what it is sent. `behaviour`: "" (as it should), "drips", "refuses", "silent after the data", "no TLS"."""

    def __init__(self, certificate: tuple[Path, Path] | None = None, behaviour: str = "") -> None:
        self.behaviour, self.mails, self.lines, self.connections = behaviour, list[EmailMessage](), list[str](), 0
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self._done = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._done.set()
        self._listener.close()

    def _serve(self) -> None:
        while not self._done.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            self._talk(connection)

    def _talk(self, wire: socket.socket) -> None:
        if self.behaviour == "drips":
            while not self._done.wait(0.05):
                wire.sendall(b"2")
            return
        wire.sendall(b"220 mail.example\r\n")
        reader = wire.makefile("rb")
        while line := reader.readline():
            said = line.decode().strip()
            self.lines.append(said)
            command = said.upper().split(" ")[0]
            if command == "EHLO":
                tls = "" if self._tls is None or isinstance(wire, ssl.SSLSocket) else "250-STARTTLS\r\n"
                wire.sendall(f"250-mail.example\r\n{tls}250 AUTH PLAIN\r\n".encode())
            elif command == "STARTTLS" and self._tls is not None:
                wire.sendall(b"220 go ahead\r\n")
                wire = self._tls.wrap_socket(wire, server_side=True)
                reader = wire.makefile("rb")
            elif command == "RCPT" and self.behaviour == "refuses":
                wire.sendall(b"550 no such user\r\n")
            elif command == "DATA":
                wire.sendall(b"354 go on\r\n")
                text = b"".join(iter(reader.readline, b".\r\n"))
                self.mails.append(email.message_from_bytes(text, policy=email.policy.default))
                if self.behaviour == "silent after the data":
                    self._done.wait()
                    return
                wire.sendall(b"250 taken\r\n")
            elif command == "QUIT":
                wire.sendall(b"221 bye\r\n")
                return
            else:
                wire.sendall(b"235 welcome\r\n" if command == "AUTH" else b"250 ok\r\n")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the test's certificate, is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


@contextlib.contextmanager
def serving(certificate: tuple[Path, Path] | None = None, behaviour: str = "") -> Iterator[MailServer]:
    server = MailServer(certificate, behaviour)
    try:
        yield server
    finally:
        server.close()
