"""JSON as the modules read it: text that is text, numbers as printed or as Python's own."""

from __future__ import annotations

import json
import math
import re
from typing import Any

# JSON can spell halves of characters; a string with one can be written nowhere.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_WHOLE = range(-(2**63), 2**63)  # more does not fit into 64 bits


def printed(body: bytes) -> Any:
    """A document whose numbers are text as printed. Raises what NOT_JSON names."""
    return _read(body, parse_float=str, parse_int=str, parse_constant=str)


def typed(body: bytes) -> Any:
    """A document whose numbers are int and float; a whole number that neither holds, NaN and Infinity are text.

    Raises what NOT_JSON names.
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
