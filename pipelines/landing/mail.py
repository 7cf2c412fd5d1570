"""Mail over SMTP: one message, within a time limit, encrypted unless the user sets otherwise."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Any

from pipelines.errors import Unconfirmed, UpstreamUnavailable
from pipelines.landing.http import NotPublic, refuse_private, within
from pipelines.settings import Settings
from pipelines.text import redact

GREETED_AS = "[127.0.0.1]"  # names neither this machine nor its network


def mail(settings: Settings, subject: str, body: str, limit_s: float) -> None:
    """Send a text to METALS_SMTP_TO over METALS_SMTP_HOST, once.

    Raises UpstreamUnavailable if it was not taken: no connection within `limit_s` seconds, no encryption where it is
    set, a login or all addresses refused. Raises Unconfirmed if it may have been, or was for some addresses only.
    """
    sender = str(settings.smtp_from)
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, str(settings.smtp_to), subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
    message.set_content(body)
    wires: list[socket.socket] = []
    reached: list[str] = []  # "sending", "taken"
    deadline = time.monotonic() + limit_s

    def connection() -> socket.socket:
        made = _connected(settings, deadline)
        wires.append(made.dup())
        made.settimeout(limit_s)  # longer than what is left: the limit of the whole is what ends it
        return made

    def send() -> dict[str, Any]:
        client = _client(settings, connection)
        try:
            if settings.smtp_tls == "starttls":
                client.starttls(context=ssl.create_default_context())  # raises where the server has none
            if settings.smtp_user and settings.smtp_password:
                client.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            reached.append("sending")
            refused = client.send_message(message)
            reached.append("taken")
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
            return refused
        finally:
            client.close()

    refused: dict[str, Any] = {}
    try:
        refused = within(limit_s, send, "the mail server", lambda: wires[-1] if wires else None)
    except NotPublic:
        raise UpstreamUnavailable("its host's name leads to a private address") from None
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
        raise UpstreamUnavailable(f"the mail server refused ({_said(error)})") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        if "taken" not in reached:  # otherwise, only the farewell failed
            kind = Unconfirmed if "sending" in reached else UpstreamUnavailable
            raise kind(f"no answer of the mail server ({_said(error)})") from None
    finally:
        for wire in wires:
            wire.close()
    if refused:
        raise Unconfirmed(f"the mail server refused {len(refused)} of the addresses")


def _connected(settings: Settings, deadline: float) -> socket.socket:
    """A connection to the first address of the mail server that answers. Raises NotPublic before there is any."""
    host, port = str(settings.smtp_host), settings.smtp_port
    found = [str(f[4][0]) for f in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not settings.smtp_is_private:
        for address in found:
            refuse_private(address)
    failure = OSError()
    for n, address in enumerate(found):
        share_s = (deadline - time.monotonic()) / (len(found) - n)  # so that a silent one leaves time for the next
        try:
            return socket.create_connection((address, port), max(share_s, 0.01))
        except OSError as error:
            failure = error
    raise failure


def _client(settings: Settings, connection: Callable[[], socket.socket]) -> smtplib.SMTP:
    class Client(smtplib.SMTP):
        def _get_socket(self, *_: object) -> socket.socket:
            return connection()

    class EncryptedClient(smtplib.SMTP_SSL, Client):
        """Puts TLS around the socket of `Client`."""

    host, port = str(settings.smtp_host), settings.smtp_port
    if settings.smtp_tls == "implicit":
        return EncryptedClient(host, port, GREETED_AS, context=ssl.create_default_context())
    return Client(host, port, GREETED_AS)


_TELLING = (TimeoutError, ssl.SSLError, smtplib.SMTPNotSupportedError)


def _said(error: Exception) -> str:
    """The error's kind and what the server said, without addresses of people."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"all {len(error.recipients)} addresses"
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode("utf-8", "replace")
        return redact(f"{error.smtp_code} {said}"[:200])
    return redact(str(error)[:200] if isinstance(error, _TELLING) else type(error).__name__)
