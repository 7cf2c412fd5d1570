"""Redaction of secrets in logs, journals and messages."""

from __future__ import annotations

import logging
import re
from urllib.parse import quote, quote_plus

from pipelines.errors import printable

# Words after which a URL or a message may hold a secret (FRED, Census, Ember, BEA use these names).
SECRET = re.compile(
    r"(?i)\b([\w-]*(?:key|token|secret|password|userid|authorization))"
    r"(['\"]?\s*[=:]\s*['\"]?|%3D)((?:(?:bearer|basic|token)\s+)?[^&\s'\"]+)"
)


# The API keys that this process sends, in every encoding in which a message may repeat them.
_known_keys: set[str] = set()


def redact(text: str) -> str:
    """`text` with every key that this process sends, and everything that looks like one, replaced by `***`.

    Control characters become blanks, because the text may come from a publisher.
    """
    return SECRET.sub(r"\1\2***", without_keys(printable(text)))


def hide(key: str) -> None:
    """From now on, redact `key` wherever it occurs, in every encoding in which a message may repeat it."""
    _known_keys.update({key, quote(key, safe=""), quote_plus(key)})


def without_keys(text: str) -> str:
    for known in sorted(_known_keys, key=len, reverse=True):
        text = re.sub(re.escape(known), "***", text, flags=re.IGNORECASE)  # host names are printed in lower case
    return text


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True


# urllib3 logs full URLs when it retries.
for _name in ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_redact_record)
