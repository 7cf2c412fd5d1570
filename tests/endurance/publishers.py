"""The replayed publishers, one of which revises its newest figures every day, so that every run has work."""

from __future__ import annotations

from dataclasses import replace

from tests.replay import Answer, Replay, Seen

FRED, EASTMONEY = "fred.stlouisfed.org", "datacenter-web.eastmoney.com"
ASKED = ("fred", "eastmoney", "worldbank_pink_sheet", "gpr")


class Revising(Replay):
    """FRED's files are the recorded ones but for the last figure of each, which moves by a thousandth a day."""

    def _answer(self, seen: Seen) -> Answer:
        answer = super()._answer(seen)
        if seen.host != FRED or answer.status != 200 or self.now is None:
            return answer
        return replace(answer, body=last_figure_times(1 + (self.now.toordinal() % 97) / 1000, answer.body))


def last_figure_times(factor: float, body: bytes) -> bytes:
    """A file of FRED's with its last figure multiplied; a file without one as it is."""
    *before, last = body.decode().rstrip("\n").split("\n")
    day, _, value = last.partition(",")
    if not value or value == "." or not before:
        return body
    return "\n".join([*before, f"{day},{float(value) * factor:.6f}", ""]).encode()
