"""The replay sends the recordings unchanged: each complete one at its URL, from its day; no excerpts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.recordings import Recording, Recordings
from tests.replay import FEDERAL_REGISTER, PINK_SHEET, Replay, Seen

pytestmark = pytest.mark.recorded

# Recordings of an interface that is asked with parameters, kept without them: answers to one question out of many.
QUESTIONS = {
    "api.fiscaldata.treasury.gov",
    "api.bls.gov",
    "comtradeapi.un.org",
    "data.stats.gov.cn",
    "publicreporting.cftc.gov",
}


def sent(replay: Replay, url: str, now: date) -> bytes:
    parts = urlsplit(url)
    replay.now = now
    headers = {"user-agent": "nobody@example.org"}
    return replay.answer(Seen(parts.netloc, parts.path, parse_qs(parts.query), headers, 0.0)).body


def address(recording: Recording) -> str:
    if recording.file.startswith("worldbank/"):
        return PINK_SHEET.format(recording.path.name)
    if recording.file.startswith("eastmoney/"):
        return f"https://datacenter-web.eastmoney.com/api/data/v1/get?reportName={recording.path.stem}"
    return recording.url


def test_each_whole_recording_is_sent_on_its_day(recordings: list[Path]) -> None:
    replay, checked = Replay(recordings), 0
    for recording in Recordings(recordings).every:
        url = address(recording)
        parts = urlsplit(url)
        if not recording.whole or recording.known is None or parts.scheme != "https" or "<" in url:
            continue
        if parts.netloc in QUESTIONS or (parts.netloc, parts.path) == FEDERAL_REGISTER:
            continue
        assert sent(replay, url, recording.known) == recording.path.read_bytes(), recording.file
        checked += 1
    assert checked > 40


def test_an_excerpt_is_sent_to_nobody(recordings: list[Path]) -> None:
    replay = Replay(recordings)
    for recording in Recordings(recordings).every:
        if not recording.whole and recording.known and recording.url.startswith("https") and "<" not in recording.url:
            assert sent(replay, address(recording), date(2026, 11, 20)) != recording.path.read_bytes(), recording.file
