"""Our World in Data's energy file on bodies in the documented shape (not recorded)."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, owid_energy

HEADER = "country,year,iso_code,population,coal_electricity,electricity_generation,solar_electricity"
ROWS = (
    "China,2024,CHN,1400000000,5803.2,10066.38,839.0",
    "China,2025,CHN,,5760.1,,",
    "Indonesia,2024,IDN,283000000,240.5,365.1,1.0",
    "World,2024,,8000000000,10586.1,30853.0,2128.0",
    "World,2024,OWID_WRL,8000000000,10586.1,30853.0,2128.0",
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    loaded = load(Settings().catalog_dir)
    return Catalog([], [s for s in loaded.series_of("owid_energy") if s.select["iso"] in ("CHN", "IDN")], [], [])


def body(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *rows]) + "\n").encode()


def test_countries_are_picked_by_code_and_sums_have_none(catalog: Catalog) -> None:
    parsed = owid_energy.parse(body(*ROWS), owid_energy.KEY, catalog)

    assert dict(parsed.observations.schema) == OBSERVATION
    assert sorted(parsed.observations.select("series_id", "period", "value").rows()) == [
        ("owid_cn_generation_coal_twh", date(2024, 1, 1), 5803.2),
        ("owid_cn_generation_coal_twh", date(2025, 1, 1), 5760.1),
        ("owid_cn_generation_total_twh", date(2024, 1, 1), 10066.38),
        ("owid_id_generation_coal_twh", date(2024, 1, 1), 240.5),
        ("owid_id_generation_total_twh", date(2024, 1, 1), 365.1),
    ]
    assert parsed.missing == {"owid_cn_generation_total_twh": 1}
    assert parsed.rejects.is_empty()


def test_a_column_or_country_that_is_gone_fails_its_series_alone(catalog: Catalog) -> None:
    changed = body(*ROWS[:2], header=HEADER.replace("electricity_generation", "generation"))
    parsed = owid_energy.parse(changed, owid_energy.KEY, catalog)
    assert dict(parsed.rejects.select("series_id", "reason").iter_rows()) == {
        "owid_cn_generation_total_twh": "no column electricity_generation",
        "owid_id_generation_coal_twh": "no row of IDN",
        "owid_id_generation_total_twh": "no column electricity_generation",
    }
    assert parsed.observations.height == 2


def test_a_year_that_is_none_is_rejected(catalog: Catalog) -> None:
    parsed = owid_energy.parse(body(*ROWS, "China,2026e,CHN,,1.0,,"), owid_energy.KEY, catalog)
    assert parsed.rejects["reason"].to_list() == ["not a period of this series: '2026e'"] * 2


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (b"<html>moved</html>", "an HTML page in place of a CSV"),
        (body(*ROWS, header=HEADER.replace("iso_code", "code")), "the header lacks"),
        (body("France,2024,FRA,,,,"), "none of the catalogued countries has a row"),
        (b"", "the header lacks"),
    ],
)
def test_another_file_is_refused(catalog: Catalog, broken: bytes, what: str) -> None:
    with pytest.raises(BadPayload, match=what):
        owid_energy.parse(broken, owid_energy.KEY, catalog)


def test_one_request_reads_the_file(catalog: Catalog) -> None:
    assert [r.key for r in owid_energy.plan(catalog, date(2026, 11, 22))] == [owid_energy.KEY]
    assert owid_energy.plan(Catalog([], [], [], []), date(2026, 11, 22)) == []
