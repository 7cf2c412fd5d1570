"""The message on a publication: what changed since readers were last told, to the webhook and by mail."""

from typing import Any

from dagster import AssetKey, AssetsDefinition, AssetSpec, MaterializeResult, MetadataValue, multi_asset

from pipelines import text
from pipelines.errors import MetalsError
from pipelines.landing import messages
from pipelines.orchestration.assets.metadata import pages
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import Settings

KEY = AssetKey(["warehouse", "message"])

log = text.logger("metals.messages")


def build(brief: AssetKey) -> AssetsDefinition:
    """The asset after the brief, which the message leads to."""

    @multi_asset(
        name="send_message",
        specs=[
            AssetSpec(
                KEY,
                deps=[brief],
                description="A message to ALERT_WEBHOOK_URL and METALS_SMTP_TO, where they are set, if a verdict "
                "flipped, a divergence opened or closed, or a publisher broke or works again since the last message. "
                "Each event is sent once at most; a server that does not answer fails no run.",
                group_name="published",
                owners=["team:metals-drivers"],
                kinds={"webhook", "mail"},
                metadata=pages(("docs/operations.md", "Messages"), ("pipelines/landing/messages.py", None)),
            )
        ],
    )
    def send_message(metals: MetalsRun) -> MaterializeResult[Any]:
        told = {channel: _tell(metals.settings, channel) for channel in messages.channels(metals.settings)}
        return MaterializeResult(
            asset_key=KEY, metadata={channel: MetadataValue.text(said) for channel, said in told.items()}
        )

    return send_message


def _tell(settings: Settings, channel: str) -> str:
    """Tell one channel what its readers do not know; says what became of it. Fails no run."""
    from pipelines.brief import digest, news  # noqa: PLC0415 - no other step needs them

    try:
        made = digest.Digest.model_validate_json(settings.brief_json_path.read_bytes())
        now, found = news.known(made), messages.records(settings, channel)
        before = messages.told(found, made.as_of)
        if before is None:
            # Told of later days only, by a clock that was ahead: what is published now is no news.
            before = now if found else news.known_before(made)
            messages.assume(settings, channel, before, made.as_of)
        message = news.message(made, before, settings.brief_url or str(settings.brief_path))
        after = news.still_known(before, now)
        if message is None:
            if after != before:  # something that readers were never told of, and that is no news
                messages.assume(settings, channel, after, made.as_of)
            return "nothing new"
        sent = messages.deliver(settings, channel, message, after, made.as_of)
        return messages.said(channel, sent.outcome, sent.error)
    except (MetalsError, OSError, ValueError) as error:
        said = text.redact(f"no message to the {channel}: {error}")
        log.warning("%s", said)
        return said
