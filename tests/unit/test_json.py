"""JSON that Python accepts, but that cannot be stored in a table."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.sources import NOT_JSON, _json


@pytest.mark.parametrize(
    ("body", "printed", "typed"),
    [
        (b'{"a": 1.50, "b": 7}', {"a": "1.50", "b": "7"}, {"a": 1.5, "b": 7}),
        (b"\xef\xbb\xbf[1]", ["1"], [1]),  # a byte order mark
        (b"[NaN, -Infinity]", ["NaN", "-Infinity"], ["NaN", "-Infinity"]),
        (b"[-9223372036854775808, 9223372036854775808]", ["-9223372036854775808", "9223372036854775808"],
         [-(2**63), 2.0**63]),
        (b"[" + b"9" * 400 + b"]", ["9" * 400], ["9" * 400]),  # no double holds it
        (b'["\\ud83d\\ude00"]', ["\U0001f600"], ["\U0001f600"]),  # two halves make one character
    ],
)  # fmt: skip
def test_numbers_are_kept_as_printed_or_in_a_type_that_holds_them(body: bytes, printed: Any, typed: Any) -> None:
    assert _json.printed(body) == printed
    assert _json.typed(body) == typed


@pytest.mark.parametrize(
    "body",
    [b'["\\ud83d"]', b'["\\uDE00x"]', b'["\xed\xa0\x80"]', b'["\xe9"]', b"[" * 100_000, b"[1", b"\x00[1]"],
    ids=["first half", "second half", "half in bytes", "latin", "nested deep", "cut", "nul"],
)
def test_what_is_no_text_is_no_json(body: bytes) -> None:
    for read in (_json.printed, _json.typed):
        with pytest.raises(NOT_JSON):
            read(body)
