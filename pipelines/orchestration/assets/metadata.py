"""What an asset's page in the UI says beside its runs: where to read on, and by when it should have been made."""

import warnings
from datetime import timedelta
from functools import cache

from dagster import (
    BetaWarning,
    CodeReferencesMetadataValue,
    FreshnessPolicy,
    LocalFileCodeReference,
    MetadataValue,
    UrlCodeReference,
)

from pipelines.catalog import Source
from pipelines.settings import PROJECT_ROOT

TIME_ZONE = "America/New_York"

DICTIONARY = "docs/data_dictionary.md"

# Dagster's freshness is about runs: the schedule of 18:30 must have made the asset by 21:00 in New York. How old the
# figures are against each publisher's calendar is told by the check `fresh`.
EVERY_WEEKDAY = FreshnessPolicy.cron("0 21 * * 1-5", timedelta(hours=2, minutes=30), timezone=TIME_ZONE)

Metadata = dict[str, MetadataValue]


def pages(*files: tuple[str, str | None]) -> Metadata:
    """Links to files of the project, each with the heading to look for in it.

    A browser does not open files from a page that came over HTTP, so these are code references: the UI opens them in
    the editor, and shows the path to copy.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)
        references: list[LocalFileCodeReference | UrlCodeReference] = [
            LocalFileCodeReference(
                file_path=str(PROJECT_ROOT / name),
                line_number=_line(name, heading),
                label=f"{name}#{heading}" if heading else name,
            )
            for name, heading in files
        ]
        return {"dagster/code_references": CodeReferencesMetadataValue(code_references=references)}


def publisher(source: Source) -> Metadata:
    """Who publishes it, on what terms, where to read on."""
    return {
        "publisher": MetadataValue.text(source.publisher),
        "homepage": MetadataValue.url(source.homepage),
        "licence": MetadataValue.text(source.licence),
        "credit": MetadataValue.text(source.credit),
        "terms": MetadataValue.text(source.terms),
        **pages((DICTIONARY, source.id), (f"pipelines/sources/{source.id}.py", None)),
    }


def _line(name: str, heading: str | None) -> int:
    """Line of a heading in a Markdown file; the first one where it has none such."""
    if heading is None:
        return 1
    return _headings(name).get(heading, 1)


@cache
def _headings(name: str) -> dict[str, int]:
    lines = (PROJECT_ROOT / name).read_text(encoding="utf-8").splitlines()
    return {line.lstrip("# "): n for n, line in enumerate(lines, start=1) if line.startswith("#")}
