"""Federal Reserve Board archives: documented shape, not recorded.

The figures are those of the recorded FRED files of the same series, so that the two channels can be reconciled. The
2-year yield and the yuan were not recorded at all: they stand there without a figure. `archive` is used by the unit
tests as well.
"""

from __future__ import annotations

import calendar
import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import quoteattr

from tests.recordings import Recordings
from tests.replay_routes import _fred_recordings

HOST = "www.federalreserve.gov"
Obs = tuple[str, str, str]  # TIME_PERIOD, OBS_VALUE, OBS_STATUS


@dataclass(frozen=True)
class Item:
    """One Series element."""

    name: str
    frequency: str
    observations: Iterable[Obs]
    unit: str = "Percent:_Per_Year"
    multiple: str = "1"
    dataset: str = ""


@dataclass(frozen=True)
class Source:
    """Where the figures of a series come from."""

    fred: str
    name: str
    frequency: str
    unit: str = "Percent:_Per_Year"
    multiple: str = "1"
    datasets: tuple[str, ...] = ("",)


RELEASES = {
    "h15": [
        Source("FEDFUNDS", "RIFSPFF_N.M", "129"),
        Source("DGS10", "RIFLGFCY10_N.B", "9"),
        Source("DFII10", "RIFLGFCY10_XII_N.B", "9"),
        Source("DGS2", "RIFLGFCY02_N.B", "9"),
    ],
    "h10": [
        Source("DTWEXBGS", "JRXWTFB_N.B", "9", "Index:_1997_Jan_100"),
        Source("DEXCHUS", "RXI_N.B.CH", "9", "Currency"),
    ],
    "h6": [Source("M2SL", "M2.M", "129", "Currency", "1e+09", ("H6_M2",))],
    "g17": [
        Source("INDPRO", "IP.B50001.S", "129", "Index:_2017_100", "1", ("IP_MAJOR_INDUSTRY_GROUPS", "IP_MARKET_GROUPS"))
    ],
}


def document(release: str, items: Iterable[Item]) -> bytes:
    """The SDMX 1.0 compact message of one release."""
    groups: dict[str, list[str]] = {}
    for item in items:
        observations = "".join(
            f'<frb:Obs OBS_STATUS="{status}" OBS_VALUE="{value}" TIME_PERIOD="{period}" />\n'
            for period, value, status in item.observations
        )
        groups.setdefault(item.dataset or release.upper(), []).append(
            f'<kf:Series CURRENCY="NA" FREQ="{item.frequency}" SERIES_NAME={quoteattr(item.name)} UNIT="{item.unit}" '
            f'UNIT_MULT="{item.multiple}">\n<frb:Annotations><common:Annotation>'
            "<common:AnnotationText>A description</common:AnnotationText></common:Annotation></frb:Annotations>\n"
            f"{observations}</kf:Series>\n"
        )
    structure = "http://www.federalreserve.gov/structure/compact"
    sets = "".join(
        f'<frb:DataSet id="{name}" xmlns:kf="{structure}/{release.upper()}_{name}">\n{"".join(series)}</frb:DataSet>\n'
        for name, series in groups.items()
    )
    schemas = "http://www.SDMX.org/resources/SDMXML/schemas/v1_0"
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        f'<message:MessageGroup xmlns:message="{schemas}/message" xmlns:common="{schemas}/common" '
        f'xmlns:frb="{structure}/common">\n'
        f"<message:Header><message:ID>{release.upper()}</message:ID><message:Test>false</message:Test>"
        f"</message:Header>\n{sets}</message:MessageGroup>\n"
    ).encode()


def archive(release: str, xml: bytes, name: str | None = None) -> bytes:
    """The zip of a release: its data, and the structure file that stands beside it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as members:
        for member, content in (
            (f"{release.upper()}_struct.xml", b"<?xml version='1.0'?><Structure/>"),
            (name or f"{release.upper()}_data.xml", xml),
        ):
            # A fixed moment: the same figures must give the same bytes.
            members.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _observations(upstream: Recordings, source: Source, clock: date | None) -> list[Obs]:
    rows = _fred_recordings.figures(upstream, source.fred, clock)
    if not rows:
        return [("2026-01-02" if source.frequency == "9" else "2026-01-31", "-9999", "ND")]
    return [(_dated(day, source.frequency), text or "-9999", "A" if text else "ND") for day, text in rows]


def _dated(day: date, frequency: str) -> str:
    """As the Board dates it: a month by its last day."""
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return str(last if frequency == "129" else day)


def _answer(release: str) -> Callable[..., tuple[int, str, bytes]]:
    def answer(
        query: dict[str, list[str]], body: bytes, clock: date | None, upstream: Recordings
    ) -> tuple[int, str, bytes]:
        items = [
            Item(
                source.name,
                source.frequency,
                _observations(upstream, source, clock),
                source.unit,
                source.multiple,
                dataset,
            )
            for source in RELEASES[release]
            for dataset in source.datasets
        ]
        return 200, "application/x-zip-compressed", archive(release, document(release, items))

    return answer


def routes() -> list[tuple[str, str, Callable[..., tuple[int, str, bytes]]]]:
    return [(HOST, rf"/releases/{rel}/data/FRB_{rel}_xml\.zip", _answer(rel)) for rel in RELEASES]
