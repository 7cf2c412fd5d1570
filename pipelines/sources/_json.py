"""JSON for the modules: valid text only, numbers as printed or as Python numbers."""

from __future__ import annotations

import json
import math
import re
from typing import Any

# JSON can contain lone surrogates; a string with one cannot be encoded.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_WHOLE = range(-(2**63), 2**63)  # integers of 64 bits


def printed(body: bytes) -> Any:
    """A document with its numbers as printed text. Raises the exceptions in NOT_JSON."""
    return _read(body, parse_float=str, parse_int=str, parse_constant=str)


def typed(body: bytes) -> Any:
    """A document whose numbers are int and float; an integer that fits neither, NaN and Infinity are text.

    Raises the exceptions in NOT_JSON.
    """
    return _read(body, parse_int=_whole, parse_constant=str)


def _read(body: bytes, **numbers: Any) -> Any:
    text = body.decode("utf-8-sig")
    document = json.loads(text, **numbers)
    if _HALF.search(text):
        json.dumps(document, ensure_ascii=False).encode()  # a UnicodeEncodeError is a ValueError
    return document


def _whole(digits: str) -> int | float | str:
    if len(digits) <= len(str(_WHOLE.start)) and int(digits) in _WHOLE:
        return int(digits)
    return number if math.isfinite(number := float(digits)) else digits
