"""Messages on publications, to a real webhook and a real mail server on loopback ports: each event once at most."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, materialize
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from pipelines import text
from pipelines.brief import news
from pipelines.brief.digest import Claim, Digest, Divergence, Evidence, Licences, Publisher
from pipelines.errors import Unconfirmed, UpstreamUnavailable
from pipelines.landing import messages
from pipelines.landing.mail import mail
from pipelines.orchestration import automation
from pipelines.orchestration.assets import as_of, live, message
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import Settings
from tests.smtp_server import certificate, serving
from tests.unit.catalogued import catalogue_of

__all__ = ["certificate"]
DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 23, 40, tzinfo=UTC)
FINDING = "the spending of 2026Q2 was 87 % above a year before"
PASSWORD = "plantedpassword"  # noqa: S105 - of the test's own server
TO = {"smtp_from": "metals@example.org", "smtp_to": "desk@example.org, b@example.org", "smtp_host": "127.0.0.1"}


def evidence(reading: str, finding: str = FINDING, *, is_stale: bool = False) -> Evidence:
    return Evidence(
        indicator="growth", role="decisive", finding=finding, value=87.0, unit="pct", period=DAY, period_label="2026Q2",
        known_at=NOW, reading=reading, is_stale=is_stale, reason="half again",
    )  # fmt: skip


def digest(
    verdict: str = "supported",
    *,
    state: str = "closed",
    answers: bool | None = True,
    day: date = DAY,
    found: list[Evidence] | None = None,
    subject: str = "copper",
) -> Digest:
    """A document with one claim, one divergence and one publisher."""
    claim = Claim(
        claim_id="C2", name="ai_capex", title="AI capex adds demand", statement="Capital expenditure goes on.",
        verdict=verdict, because="…",
        last_verdict=None, last_verdict_on=None, decidable_until=None, known_at=NOW, decisive_indicators=1,
        decisive_supporting=1, decisive_contradicting=0, decisive_missing_or_stale=0, defined_in="project",
        evidence=[evidence("supports")] if found is None else found,
    )  # fmt: skip
    divergence = Divergence(
        divergence_id="price_driver", subject="copper", subject_name=subject,
        title="A price against its drivers", claim_id="S2", state=state,
        state_since=day, gap_zscore=1.5, left_label="price", left_value=1.0, right_label="drivers", right_value=2.0,
        period=day, period_label="Nov 2026", known_at=NOW, is_stale=False,
    )  # fmt: skip
    publisher = Publisher(
        source_id="nbs", title="National Bureau of Statistics", figures="current", origin="fetched",
        last_period_end=day,
        answers=answers, fault=None if answers else "refused: a column is missing", last_asked_at=NOW, retrieved_at=NOW,
        credit="NBS", licence="public", homepage="https://example.org",
    )  # fmt: skip
    return Digest(
        schema_version=1, as_of=day, made_at=NOW, published_at=NOW, previous_published_at=None,
        personal_use=Licences(shown=False, publishers=[]), headline_figures=[], claims=[claim], verdict_flips=[],
        divergences=[divergence], divergence_changes=[], publishers=[publisher], ppi_nowcast=[],
    )  # fmt: skip


Publish = Callable[[Digest], dict[str, str]]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """Runs the asset after a publication, as a run does, and returns what it said by channel."""
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.setenv("METALS_NOW", NOW.isoformat())  # publications of one moment are still several
    asset = message.build(AssetKey(["warehouse", "brief"]))
    with DagsterInstance.ephemeral() as instance:

        def run(made: Digest) -> dict[str, str]:
            path = Settings().brief_json_path
            path.parent.mkdir(exist_ok=True)
            path.write_text(made.text(), encoding="utf-8")
            result = materialize([asset], resources={"metals": MetalsRun()}, instance=instance)
            [event] = result.asset_materializations_for_node("send_message")
            return {channel: str(said.value) for channel, said in event.metadata.items()}

        yield run


def posted(httpserver: HTTPServer) -> list[str]:
    return [request.get_json()["text"] for request, _ in httpserver.log]


@pytest.fixture
def hook(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    httpserver.expect_request("/in", method="POST").respond_with_data("ok")
    monkeypatch.setenv("ALERT_WEBHOOK_URL", httpserver.url_for("/in"))
    return httpserver


def test_a_flip_sends_one_message_and_a_second_run_none(hook: HTTPServer, publish: Publish) -> None:
    assert publish(digest("mixed")) == {"webhook": "nothing new"}, "the first publication is no event"
    assert publish(digest("supported")) == {"webhook": "The message to the webhook was delivered."}
    assert publish(digest("supported")) == {"webhook": "nothing new"}
    [text] = posted(hook)
    assert text.splitlines() == [
        "Metals as of 2026-11-20: 1 verdict flipped",
        f"AI capex adds demand (C2): mixed -> supported. Capital expenditure goes on. Because {FINDING}.",
        f"Brief: {Settings().brief_path}",
    ]
    assert hook.log[0][0].get_json()["verdict_flips"] == [
        {"claim_id": "C2", "verdict_before": "mixed", "verdict_after": "supported"}
    ]
    assert messages.last(Settings())[0]["outcome"] == "delivered"


def test_a_divergence_and_a_publisher_are_told_both_ways_in_one_message_each(
    hook: HTTPServer, publish: Publish
) -> None:
    publish(digest())
    publish(digest(state="opening", answers=False))
    publish(digest(state="closing", answers=None))  # still open, and not reached today: nothing new
    publish(digest(state="closed", answers=True))
    first, second = posted(hook)
    assert "Divergence opened: A price against its drivers, copper (Nov 2026)" in first
    assert "Publisher broke: National Bureau of Statistics: refused: a column is missing" in first
    assert "Divergence closed: A price against its drivers, copper" in second
    assert "Publisher works again: National Bureau of Statistics" in second


def test_a_channel_that_is_set_later_is_told_what_this_publication_changed(hook: HTTPServer, publish: Publish) -> None:
    made = digest("supported").model_dump()
    made["verdict_flips"] = [{"claim_id": "C2", "verdict_before": "mixed", "verdict_after": "supported"}]
    publish(Digest.model_validate(made))
    publish(Digest.model_validate(made))
    assert ["mixed -> supported" in text for text in posted(hook)] == [True]


def test_mail_is_encrypted_logged_in_and_sent_once(
    certificate: tuple[Path, Path], publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with serving(certificate) as server:
        for name, value in {**TO, "smtp_port": server.port, "smtp_user": "u", "smtp_password": PASSWORD}.items():
            monkeypatch.setenv(f"METALS_{name}".upper(), str(value))
        for verdict in ("mixed", "supported", "supported"):
            said = publish(digest(verdict))
        assert said == {"mail": "nothing new"}
        [sent] = server.mails
        assert sent["Subject"] == "Metals as of 2026-11-20: 1 verdict flipped"
        assert sent["To"] == TO["smtp_to"]
        assert f"mixed -> supported. Capital expenditure goes on. Because {FINDING}." in sent.get_content()
        assert server.lines.index("STARTTLS") < next(n for n, line in enumerate(server.lines) if "AUTH" in line)
        assert socket.gethostname() not in " ".join(server.lines), "the greeting does not name this machine"


def test_what_a_dead_webhook_was_not_told_comes_with_the_next_publication(
    publish: Publish, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = listener.getsockname()[1]
    monkeypatch.setenv("ALERT_WEBHOOK_URL", f"http://127.0.0.1:{dead}/in")
    publish(digest("mixed"))
    said = publish(digest("supported"))["webhook"]
    assert said.startswith("The message to the webhook was not taken: no answer (ConnectionError)")
    assert messages.last(Settings())[0]["said"] == said, "`metals status` says it"
    httpserver.expect_request("/in").respond_with_data("ok")
    monkeypatch.setenv("ALERT_WEBHOOK_URL", httpserver.url_for("/in"))
    publish(digest("supported", state="open"))
    publish(digest("supported", state="open"))
    [text] = posted(httpserver)
    assert "1 verdict flipped, 1 divergence opened or closed" in text


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_did_not_take_it(status: int, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("no", status=status, headers={"Location": "/elsewhere"})
    with pytest.raises(UpstreamUnavailable, match=f"answered {status}") as failure:
        messages.send(Settings(alert_webhook_url=httpserver.url_for("/in")), "webhook", messages.Message(["x"]))
    assert not isinstance(failure.value, Unconfirmed)
    assert len(httpserver.log) == 1


@contextlib.contextmanager
def dripping() -> Iterator[int]:
    """A port where a web server answers a byte at a time and never ends."""
    done = threading.Event()

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    while not done.wait(0.05):
                        connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield int(listener.getsockname()[1])
        done.set()


def test_a_webhook_that_drips_holds_the_run_up_for_its_limit_and_is_not_told_twice(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages.send, "__defaults__", (0.5,))
    with dripping() as port:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", f"http://127.0.0.1:{port}/in")
        publish(digest("mixed"))
        said = publish(digest("supported"))["webhook"]
        assert re.fullmatch(
            r"The message to the webhook may have been lost: no answer \(.*\); it is not sent again\.", said
        )
        assert publish(digest("supported")) == {"webhook": "nothing new"}


@pytest.mark.parametrize(
    ("behaviour", "kind", "said"),
    [
        ("drips", UpstreamUnavailable, "no answer of the mail server .the mail server took longer"),
        ("refuses", UpstreamUnavailable, "refused .all 2 addresses"),
        ("silent after the data", Unconfirmed, "no answer of the mail server .the mail server took longer"),
    ],
)
def test_a_mail_server_that_misbehaves_is_given_up_in_time(behaviour: str, kind: type[Exception], said: str) -> None:
    with serving(None, behaviour) as server:
        settings = Settings(**TO, smtp_port=server.port, smtp_tls="none")
        with pytest.raises(UpstreamUnavailable, match=said) as failure:
            mail(settings, "s", "b", {"drips": 0.5, "refuses": 10}.get(behaviour, 3))
        assert type(failure.value) is kind


def test_a_mail_server_that_is_not_there_is_said(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for name, value in {**TO, "smtp_port": port}.items():
        monkeypatch.setenv(f"METALS_{name}".upper(), str(value))
    publish(digest("mixed"))
    assert "was not taken: no answer of the mail server (ConnectionRefusedError)" in publish(digest())["mail"]


def test_the_silent_addresses_of_a_mail_server_share_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = [f"127.0.0.{n}" for n in range(2, 6)]
    tried: list[tuple[str, float]] = []

    def silent(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append((address[0], timeout))
        threading.Event().wait(timeout)
        raise TimeoutError

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 587)) for host in hosts]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", silent)
    with pytest.raises(UpstreamUnavailable, match="no answer"):
        mail(Settings(**TO), "s", "b", 0.4)
    assert [host for host, _ in tried] == hosts
    assert sum(timeout for _, timeout in tried) <= 0.4 + 4 * 0.01


@pytest.mark.parametrize("offers_tls", [True, False])
def test_no_mail_and_no_password_without_the_encryption_that_is_set(
    offers_tls: bool, certificate: tuple[Path, Path]
) -> None:
    """A certificate that nobody vouches for, or a server without STARTTLS (as after a downgrade on the way)."""
    with serving(certificate if offers_tls else None) as server:
        settings = Settings(**TO, smtp_port=server.port, smtp_user="u", smtp_password=SecretStr(PASSWORD))
        with pytest.raises(UpstreamUnavailable, match="CERTIFICATE_VERIFY_FAILED" if offers_tls else "STARTTLS"):
            mail(settings, "s", "b", 10)
        assert server.mails == []
        assert not any("AUTH" in line or "MAIL" in line for line in server.lines)


def test_a_mail_password_is_in_no_message_however_it_is_sent() -> None:
    settings = Settings(**TO, smtp_user="u", smtp_password=SecretStr(PASSWORD))
    for sent in (PASSWORD, f"\0u\0{PASSWORD}"):
        assert "***" in text.redact(f"535 {base64.b64encode(sent.encode()).decode()} is wrong")
    assert PASSWORD not in f"{text.redact(PASSWORD)} {settings!r} {settings.model_dump()}"


@pytest.mark.parametrize("private", [True, False])
def test_a_mail_server_on_this_network_is_one_that_the_user_set_so(
    private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    with serving() as server:

        def resolve(host: str, *rest: Any, **options: Any) -> Any:
            return real("127.0.0.1" if host == "mail.example.org" else host, *rest, **options)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        to = {**TO, "smtp_host": "mail.example.org", "smtp_port": server.port, "smtp_tls": "none"}
        settings = Settings(**to, smtp_private=private)
        with contextlib.nullcontext() if private else pytest.raises(UpstreamUnavailable, match="private address"):
            mail(settings, "s", "b", 10)
        assert server.connections == private


def test_a_run_killed_while_it_sends_has_sent(
    hook: HTTPServer, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(digest("mixed"))
    settings = Settings()
    with monkeypatch.context() as patch:

        def kill(*_: object) -> None:
            raise SystemExit

        patch.setattr(messages, "send", kill)
        made = digest("supported")
        with pytest.raises(SystemExit):
            messages.deliver(settings, "webhook", messages.Message(["x"]), news.known(made), made.as_of)
    assert publish(digest("supported")) == {"webhook": "nothing new"}
    assert "the run was killed while it was sent" in messages.last(settings)[0]["said"]
    assert posted(hook) == []


def test_nothing_is_sent_that_cannot_be_remembered(hook: HTTPServer, publish: Publish) -> None:
    publish(digest("mixed"))
    path = Settings().messages_path
    path.rename(path.with_suffix(".old"))
    path.mkdir()  # neither read nor written as a file, by root either
    assert "no message to the webhook" in publish(digest("supported"))["webhook"]
    assert posted(hook) == []


def test_days_that_were_reported_are_not_reported_again_when_the_clock_goes_back(
    hook: HTTPServer, publish: Publish
) -> None:
    publish(digest("mixed", day=date(2026, 11, 10)))
    publish(digest("supported", day=date(2026, 11, 20)))
    publish(digest("mixed", day=date(2026, 11, 11)))  # the clock is wrong
    publish(digest("supported", day=date(2026, 11, 30)))
    assert len(posted(hook)) == 1


def test_a_clock_that_was_ahead_does_not_silence_the_days_in_between(hook: HTTPServer, publish: Publish) -> None:
    publish(digest("mixed", day=date(2026, 11, 20)))
    publish(digest("undetermined", day=date(2027, 3, 1), found=[evidence("supports", is_stale=True)]))
    publish(digest("mixed", day=date(2026, 11, 21)))  # after `metals rewind`
    publish(digest("supported", day=date(2026, 11, 22)))
    ahead, since = posted(hook)
    assert f"mixed -> undetermined. Capital expenditure goes on. Because its evidence is too old: {FINDING}." in ahead
    assert "mixed -> supported" in since


def test_a_past_day_sends_nothing() -> None:
    tracked = catalogue_of()
    assets = [as_of.build(tracked), live.build(tracked), message.build(AssetKey(["warehouse", "brief"]))]
    assert message.KEY not in automation.snapshot_job.selection.resolve(assets)
    assert message.KEY in automation.daily_job.selection.resolve(assets)


def test_the_asset_leads_to_its_page_in_the_docs() -> None:
    [spec] = message.build(AssetKey(["warehouse", "brief"])).specs
    page, _ = spec.metadata["dagster/code_references"].code_references
    line = Path(page.file_path).read_text(encoding="utf-8").splitlines()[page.line_number - 1]
    assert line == "## Messages"


HOSTILE = "<!channel> [x](https://evil.example) \x1b[31m\u202e& *b*"


@pytest.mark.parametrize("kind", ["slack", "teams", "ntfy", "json"])
def test_each_service_is_sent_what_it_shows_and_obeys_nothing_in_it(kind: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("ok")
    settings = Settings(alert_webhook_url=httpserver.url_for("/in"), alert_webhook_format=kind)
    made = digest("supported", state="open", subject=HOSTILE, found=[evidence("supports", "token=abcdef0123456789")])
    told = news.message(made, {"claims": {"C2": "mixed"}}, "https://example.org/brief")
    assert told is not None
    messages.send(settings, "webhook", told)
    [(request, _)] = httpserver.log
    body = request.get_data().decode()
    assert "abcdef0123456789" not in body
    assert [sign for sign in ("\x1b", "\\u001b", "\u202e", "\\u202e") if sign in body] == []
    if kind == "slack":
        text = request.get_json()["text"]
        assert "&lt;!channel&gt;" in text
        assert "<" not in text
        assert request.get_json()["mrkdwn"] is False
    elif kind == "teams":
        [attachment] = request.get_json()["attachments"]
        runs = [run for block in attachment["content"]["body"] for run in block["inlines"]]
        assert {run["type"] for run in runs} == {"TextRun"}
        assert runs[0] == {"type": "TextRun", "text": told.title, "weight": "Bolder"}
    elif kind == "ntfy":
        assert body == told.body
        assert request.headers["Title"] == told.title
    else:
        assert request.get_json()["text"] == told.body
        assert request.get_json()["as_of"] == "2026-11-20"


def test_the_service_is_told_by_its_host() -> None:
    for url, kind in {
        "https://hooks.slack.com/services/T0/B0/x": "slack",
        "https://prod-1.westeurope.logic.azure.com:443/workflows/x": "teams",
        "https://acme.webhook.office.com/webhookb2/x": "teams",
        "https://ntfy.sh/metals": "ntfy",
        "https://hooks.slack.com.evil.example/x": "json",
        "https://example.org/hooks.slack.com": "json",
    }.items():
        assert Settings(alert_webhook_url=url).webhook_format == kind, url


def test_a_long_message_keeps_its_title_and_its_link() -> None:
    told = messages.Message(["title", *["x" * 500] * 20, "Brief: https://example.org"])
    assert len(told.body) == messages.MAX_CHARS
    assert told.body.startswith("title\n")
    assert told.body.endswith("x…\nBrief: https://example.org")
    assert len(messages.Message(["t" * 500]).title) == 200
