"""Messages on publications: to the webhook and by mail, each at most once, and the journal of what was sent.

At most once, because a reader who is told twice takes it for two events, while a message that got lost is in the brief
and in `metals status`. So the journal says that a message begins before it is sent. Where it certainly was not taken,
it counts as not begun, and the next publication's message includes what it said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Annotated, Any

from pydantic import Field, NaiveDatetime, TypeAdapter

from pipelines import text
from pipelines.errors import MetalsError, Unconfirmed, UpstreamUnavailable
from pipelines.landing import journal
from pipelines.landing.http import post
from pipelines.landing.mail import mail
from pipelines.settings import Settings

log = text.logger("metals.messages")

LIMIT_S = 10.0  # per channel: a dead server holds a run up for no longer
MAX_CHARS = 3_500  # ntfy shows longer ones as a file
MAX_TITLE_CHARS = 200  # of a mail's subject
WEBHOOK, MAIL = "webhook", "mail"

# What a reader has been told: of each kind, the word for each subject.
Told = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Message:
    """A text in lines, the first of which is its title, and the same for programs."""

    lines: list[str]
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return text.redact(self.lines[0])[:MAX_TITLE_CHARS]

    @property
    def body(self) -> str:
        """The lines, made harmless one by one, as much of them as MAX_CHARS hold; the last one always."""
        *lines, last = [text.redact(line) for line in self.lines]
        room, kept = MAX_CHARS - len(last), []
        for line in lines:
            if len(line) + 1 > room:
                kept.append(line[: max(room - 2, 0)] + "…")
                break
            kept.append(line)
            room -= len(line) + 1
        return "\n".join([*kept, last])


@dataclass(frozen=True)
class Record:
    """A line of the journal.

    outcome: `before` (what a reader knows who was told nothing yet), `begun`, and of a message of that number then
    `delivered`, `not_taken` (it counts as not begun) or `unconfirmed` (it may have arrived).
    """

    channel: str
    number: int
    checked_at: NaiveDatetime
    as_of: date
    outcome: Annotated[str, Field(pattern="^(before|begun|delivered|not_taken|unconfirmed)$")]
    told: Told | None = None
    error: str | None = None


_RECORD = TypeAdapter(Record)


def channels(settings: Settings) -> list[str]:
    """The channels that are set."""
    return [*([WEBHOOK] if settings.alert_webhook_url else []), *([MAIL] if settings.smtp_host else [])]


def records(settings: Settings, channel: str) -> list[Record]:
    """The channel's lines of the journal, oldest first."""
    found = journal.read(settings.messages_path, _RECORD.validate_python, "messages").records
    return [r for r in found if r.channel == channel]


def told(found: list[Record], as_of: date) -> Told | None:
    """What a reader had been told by a day: by the message of the latest as-of day up to it; None without one.

    Not simply the last message: after the clock was set back, the publications of days that were reported already have
    nothing to say, and those of a clock that was ahead do not silence the days in between.
    """
    void = {r.number for r in found if r.outcome == "not_taken"}
    valid = [r for r in found if r.told is not None and r.as_of <= as_of and r.number not in void]
    newest = max((r.as_of for r in valid), default=None)
    return next((r.told for r in reversed(valid) if r.as_of == newest), None)


def assume(settings: Settings, channel: str, before: Told, as_of: date) -> None:
    """Record what a reader knows who was told nothing yet: the publication before the first one with a message."""
    _append(settings, Record(channel, 0, settings.clock(), as_of, "before", before))


def deliver(settings: Settings, channel: str, message: Message, now: Told, as_of: date) -> Record:
    """Send a message on a publication, at most once; returns its outcome. Raises OSError if the journal is not written.

    Then nothing is sent: a message that nobody remembers would be sent again.
    """
    number = max((r.number for r in records(settings, channel)), default=0) + 1
    _append(settings, Record(channel, number, settings.clock(), as_of, "begun", now))
    outcome, error = "delivered", None
    try:
        send(settings, channel, message)
    except UpstreamUnavailable as failure:
        outcome, error = "unconfirmed" if isinstance(failure, Unconfirmed) else "not_taken", str(failure)
        log.warning("%s", said(channel, outcome, error))
    ended = Record(channel, number, settings.clock(), as_of, outcome, error=error)
    _append(settings, ended)
    return ended


def _append(settings: Settings, record: Record) -> None:
    line = {k: v for k, v in asdict(record).items() if v is not None}
    line |= {"checked_at": record.checked_at.isoformat(), "as_of": record.as_of.isoformat()}
    journal.append(settings.messages_path, [json.dumps(line, sort_keys=True)])


def said(channel: str, outcome: str, error: str | None) -> str:
    """What became of a message, in a sentence."""
    name = {WEBHOOK: "The message to the webhook", MAIL: "The mail"}[channel]
    return {
        "delivered": f"{name} was delivered.",
        "not_taken": f"{name} was not taken: {error}; the next publication's message includes it.",
        "unconfirmed": f"{name} may have been lost: {error}; it is not sent again.",
        "begun": f"{name} may have been lost: the run was killed while it was sent; it is not sent again.",
    }[outcome]


def last(settings: Settings) -> list[dict[str, Any]]:
    """Of each channel that is set, its last message: when it was sent, what became of it, and that as a sentence."""
    found = []
    for channel in channels(settings):
        try:
            sent = [r for r in records(settings, channel) if r.outcome != "before"]
        except (OSError, MetalsError):
            continue
        if sent:
            r = sent[-1]
            found.append(
                {
                    "channel": channel,
                    "at": r.checked_at,
                    "outcome": r.outcome,
                    "said": said(channel, r.outcome, r.error),
                }
            )
    return found


def send(settings: Settings, channel: str, message: Message, limit_s: float = LIMIT_S) -> None:
    """Send a message once. Raises UpstreamUnavailable if it was not taken, Unconfirmed if it may have been."""
    if channel == MAIL:
        mail(settings, message.title, message.body + "\n", limit_s)
        return
    if settings.alert_webhook_url is None:
        raise UpstreamUnavailable("ALERT_WEBHOOK_URL is not set")
    content, headers = _content(settings.webhook_format, message)
    url = settings.alert_webhook_url.get_secret_value()
    post(url, content, limit_s, public_only=not settings.webhook_is_private, headers=headers)


def _content(kind: str, message: Message) -> tuple[object, dict[str, str]]:
    """What a webhook of that kind is sent, and the headers for it."""
    if kind == "slack":
        return {"text": text.slack(message.body), "mrkdwn": False, "unfurl_links": False}, {}
    if kind == "teams":
        return _card(message.body.split("\n")), {}
    if kind == "ntfy":
        return message.body.encode(), {"Title": message.title.encode("ascii", "replace").decode()}
    return {"text": message.body, **message.data}, {}


def _card(lines: list[str]) -> dict[str, Any]:
    """An Adaptive Card; its text runs, unlike its text blocks, are shown as they are and not read as Markdown."""

    def block(line: str, weight: str) -> dict[str, Any]:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line, "weight": weight}]}

    weights: Iterator[str] = iter(["Bolder"])
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [block(line, next(weights, "Default")) for line in lines],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}
