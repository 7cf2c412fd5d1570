"""Makes text harmless on its way out: to a terminal, a log, a page, Dagster's Markdown; and keeps secrets out of it.

Publishers' text is stored as published. It passes through here where it is shown, and secrets where a message is made.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from urllib.parse import quote, quote_plus, unquote

# Words after which a URL or a message may hold a secret (FRED, Census, Ember, BEA use these names).
SECRET = re.compile(
    r"(?i)\b([\w-]*(?:key|token|secret|password|userid|authorization))"
    r"(['\"]?\s*[=:]\s*['\"]?|%3D)((?:(?:bearer|basic|token)\s+)?[^&\s'\"]+)"
)
SHORTEST_SECRET = 4  # characters; a shorter one would take out parts of words

FORMULA = re.compile(r"[=+\-@\t\r]")  # what a spreadsheet computes, at the beginning of a cell

# The secrets of this process, in every encoding in which a message may repeat them.
_secrets: set[str] = set()


SPACES = "\n\t\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{EM SPACE}\N{EN SPACE}\N{IDEOGRAPHIC SPACE}"  # harmless


def printable(text: str, keep: str = "") -> str:
    """`text` with blanks for control, direction and invisible characters, which a terminal or a page would obey."""
    if text.translate(dict.fromkeys(map(ord, keep))).isprintable():  # nearly always, and ten times as fast
        return text
    return "".join(c if c.isprintable() or c in keep else " " for c in text)


def markdown(text: object) -> str:
    """`text` as Markdown that shows it and does nothing else: no link, image, HTML, table or heading."""
    escaped = re.sub(r"([\\`*_{}\[\]()<>#+!|~$^=&:@.-])", r"\\\1", printable(str(text)))
    # A backslash prevents no automatic link; an invisible character in the address does.
    return re.sub(r"(?i)(https?|www)(?=\\)|(?=\\@)", "\\1\N{WORD JOINER}", escaped)


def slack(text: str) -> str:
    """`text` for Slack, which then makes no mention or link of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def hide(secret: str) -> None:
    """From now on, take `secret` out of messages, in every encoding in which one may repeat it."""
    if len(secret) >= SHORTEST_SECRET:
        _secrets.update({secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]})


def hide_url(url: str) -> None:
    """Hide an address whose path is a secret: the whole, the path, and every long part of it."""
    hide(url)
    path = url.partition("://")[2].partition("/")[2]
    for part in (path, *(p for p in re.split(r"[/?&=#]", path) if len(p) >= 2 * SHORTEST_SECRET)):
        hide(part)


def hide_password(user: str, password: str) -> None:
    """Hide a password, also as a mail server is sent it: in base64, alone or with its user."""
    hide(password)
    for sent in (password, f"\0{user}\0{password}"):
        hide(base64.b64encode(sent.encode()).decode())


def hide_credentials(url: str) -> None:
    """Hide user and password of an address, such as a proxy's.

    Each part of a password is hidden too: where it holds a character that should be encoded (`/`, `#`, `@`), libraries
    cut it there and repeat one half in their errors.
    """
    credentials, at, _ = (url.partition("://")[2] or url).rpartition("@")
    if not at:
        return
    user, _, password = credentials.partition(":")
    for part in (credentials, password or user, *re.split(r"[/?#@:\\\[\]]", password or user)):
        hide(part)
        hide(unquote(part))
    hide(base64.b64encode(unquote(credentials).encode()).decode())


def without_secrets(text: str) -> str:
    """`text` with `***` for every secret of this process."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)  # host names are printed in lower case
    return text


def redact(text: str) -> str:
    """`text`, printable, with `***` for every secret of this process and everything that looks like one."""
    return SECRET.sub(r"\1\2***", without_secrets(printable(text)))


def logger(name: str) -> logging.Logger:
    """The logger of that name, whose messages are made harmless whatever shows them."""
    found = logging.getLogger(name)
    found.addFilter(_harmless)
    return found


def _harmless(record: logging.LogRecord) -> bool:
    record.msg, record.args = without_secrets(printable(record.getMessage(), keep="\n\t")), ()
    return True


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True


# urllib3 logs full URLs when it retries.
for _name in ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_redact_record)
