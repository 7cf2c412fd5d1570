"""Which real answers each parser has met, as the catalogue says (`proven`), against the recorded answers."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from pipelines import catalog as catalogs
from pipelines import warehouse
from pipelines.catalog import Fidelity
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.sources import module
from tests.recordings import Recording, Recordings

TRACKED = catalogs.load(Settings().catalog_dir)
# The recordings that a source's requests answer, by file, and the request key where the manifest has another or none.
# A source without an entry has none. Answers to what is no longer asked for do not count (IMF's workbook).
RECORDED = {
    "bls": (r"bls/.*\.json", None),
    "census_trade": (r"census_trade/.*", None),
    "cftc": (r"cftc/disaggregated_.*", None),
    "cftc_legacy": (r"cftc/.*/deafut\.txt", "deafut"),
    "cme_stocks": (r"cme/.*", None),
    "comtrade": (r"comtrade/.*", None),
    "eastmoney": (r"eastmoney/.*", "{stem}"),
    "ember": (r"ember/.*", "release_generation_monthly_global"),
    "epu": (r"uncertainty/.*Policy_(Uncertainty_)?Data\..*", "{name}"),
    "federal_register": (r"federal_register/.*", None),
    "fiscal_data": (r"fiscal_data/.*|excerpts/fiscaldata_.*", None),
    "fred": (r"fred/.*", "fredgraph/{stem}"),
    "gfex": (r"gfex/.*", None),
    "gpr": (r"uncertainty/.*/data_gpr_.*\.xls", "{stem}"),
    "imf_pcps": (r"imf_pcps/.*sdmx.*", None),
    "lbma": (r"lbma/.*|excerpts/lbma_.*", None),
    "nbs": (r"nbs/esData_.*", None),
    "omb": (r"omb/.*", "{stem}"),
    "owid_energy": (r"owid_energy/.*", None),
    "sec_edgar": (r"sec/(companyfacts|companyfacts_full|submissions)/.*", "companyfacts/{stem}"),
    "sec_financial_statements": (r"sec/financial_statement.*", "{stem}"),
    "shfe": (r"shfe/.*|excerpts/shfe_.*", None),
    "tpu": (r"uncertainty/.*/tpu_.*", "tpu_web_latest"),
    "usgs_mcs": (r"usgs_mcs/.*", "mcs2026/MCS2026_Commodities_Data.csv"),
    "usitc_hts": (r"usitc_hts/.*", None),
    "westmetall": (r"westmetall/.*", None),
    "worldbank_indicators": (r"worldbank_indicators/.*", None),
    "worldbank_pink_sheet": (r"worldbank/.*\.xlsx", "CMO-Historical-Data-Monthly"),
    "yahoo": (r"yahoo/.*", None),
}
# Their excerpts are of another product or version, or lack parts that the parser needs: tests under tests/recorded add
# what is missing, and say so.
ADAPTED = {"bls", "census_trade", "comtrade", "federal_register", "usgs_mcs", "worldbank_indicators", "yahoo"}


def fidelity(recording: Recording) -> Fidelity:
    """`native` is whole and byte for byte; a manifest calls excerpts and rows of a native answer native too."""
    whole = recording.whole and re.fullmatch(r"native(, complete)?", recording.fidelity)
    return Fidelity.NATIVE if whole else Fidelity.EXCERPT


def found(recordings: list[Path], source_id: str) -> list[Recording]:
    return [r for r in Recordings(recordings).every if re.fullmatch(RECORDED[source_id][0], r.file)]


def test_a_source_is_proven_where_the_tests_have_recordings_of_it() -> None:
    proven = {s.id for s in TRACKED.sources.values() if s.proven.by is not Fidelity.DOCUMENTED}
    assert proven == set(RECORDED)


@pytest.mark.recorded
def test_the_catalogue_says_how_near_and_how_new_the_recordings_are(
    recordings: list[Path], subtests: pytest.Subtests
) -> None:
    for source_id in RECORDED:
        every = found(recordings, source_id)
        best = Fidelity.NATIVE if Fidelity.NATIVE in map(fidelity, every) else Fidelity.EXCERPT
        days = [r.known for r in every if r.known and fidelity(r) is best]
        proven = TRACKED.sources[source_id].proven
        with subtests.test(source_id):
            assert (proven.by, proven.newest) == (best, max(days))


@pytest.mark.recorded
def test_the_parser_reads_the_recording_that_the_catalogue_names(
    recordings: list[Path], subtests: pytest.Subtests
) -> None:
    for source_id in sorted(set(RECORDED) - ADAPTED):
        proven = TRACKED.sources[source_id].proven
        named = [r for r in found(recordings, source_id) if r.known == proven.newest and fidelity(r) is proven.by]
        with subtests.test(source_id):
            rows = 0
            for r in named:
                key = (RECORDED[source_id][1] or str(r.key)).format(stem=r.path.stem, name=r.path.name)
                parsed = module(source_id).parse(r.path.read_bytes(), key, TRACKED)
                rows += parsed.observations.height + parsed.filing_facts.height + parsed.filings.height
                rows += parsed.tariff_releases.height
            assert rows, [r.file for r in named]


def test_the_limits_name_each_parser_without_a_real_answer() -> None:
    limits = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Limits")[2]
    documented = {s.id for s in TRACKED.sources.values() if s.proven.by is Fidelity.DOCUMENTED}
    assert set(re.findall(r"`(\w+)`", limits.partition("no real answer")[0].rpartition("\n* ")[2])) == documented


def test_the_table_of_terms_says_what_a_parser_has_read() -> None:
    with closing(warehouse.scratch()) as connection:
        warehouse.write_catalog(connection, TRACKED)
        said = dict(connection.execute("select source_id, parser_has_read from raw.catalog_source").fetchall())
    assert said["gacc"] == "no real answer yet: written from the documented format"
    assert said["cme_stocks"] == "whole answers, the newest of 2026-01-23; silver alone"
    assert len(said) == len(TRACKED.sources)


def test_an_answer_has_a_day_and_none_has_none() -> None:
    for wrong in ({"by": "native"}, {"by": "documented", "newest": date(2026, 1, 1)}):
        with pytest.raises(ValueError, match="'newest' is the day of a real answer"):
            catalogs.Proven.model_validate(wrong)
