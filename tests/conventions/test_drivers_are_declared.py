"""A driver or a divergence is declared in several places, which must agree."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from pipelines import catalog

DBT = Path(__file__).resolve().parents[2] / "dbt_project"


def seed(name: str) -> list[dict[str, str]]:
    with (DBT / "seeds" / f"{name}.csv").open() as lines:
        return list(csv.DictReader(lines))


def model(path: str) -> str:
    return (DBT / "models" / f"{path}.sql").read_text()


def test_every_driver_is_read_described_and_exposed() -> None:
    read = dict(re.findall(r"'id': '(\w+)', 'mart': '(\w+)'", model("intermediate/drivers/int_drivers__readings")))
    described = {row["driver_id"]: row["source_table"] for row in seed("drivers")}
    assert read == described
    assert {row["driver_id"] for row in seed("driver_exposures")} == set(described)


def test_every_group_of_drivers_has_its_part_of_the_composite() -> None:
    (groups,) = re.findall(r"set groups = \[([^\]]*)\]", model("marts/drivers/driver_composites"))
    assert {row["driver_group"] for row in seed("drivers")} <= set(re.findall(r"\w+", groups))


def test_every_driver_goes_back_to_what_it_reads() -> None:
    by_series = {row["subject"] for row in seed("lineage_inputs") if row["table_name"] == "driver_scores"}
    by_rows = set(re.findall(r"driver_id = '(\w+)'", model("intermediate/lineage/int_lineage__driver_rows")))
    assert by_series | by_rows == {row["driver_id"] for row in seed("drivers")}


def test_every_reference_names_a_year_or_an_address() -> None:
    for row in seed("driver_exposures"):
        assert re.search(r"\(\d{4}\)|https://|http://", row["reference"]), row


def test_every_divergence_is_in_the_table_and_has_a_definition() -> None:
    (listed,) = re.findall(r"set divergences = \[([^\]]*)\]", model("marts/divergences/divergence_history"))
    models = {
        path.name.split("__")[0].removeprefix("int_divergence_")
        for path in DBT.glob("models/**/int_divergence_*__states.sql")
    }
    assert set(re.findall(r"\w+", listed)) == models
    assert models <= {row["divergence_id"] for row in seed("divergence_definitions")}


def test_every_driver_of_the_attribution_is_read_and_goes_back_to_what_it_reads() -> None:
    read = model("intermediate/attribution/int_attribution__changes")
    inputs = {row["input_id"] for row in seed("lineage_inputs") if row["table_name"] == "metal_attribution"}
    for row in seed("attribution_regressors"):
        assert f"'{row['source_column']}'" in read or f"{row['source_column']} as value" in read, row
        assert f"ref('{row['source_table']}')" in read, row
        assert re.search(r"\(\d{4}\)|forms", row["reference"]), row
    assert inputs >= {"us_treasury_10y_real_pct", "us_broad_dollar_index", "china_exports_yoy_pct"}
    metals = {row["subject"] for row in seed("lineage_inputs") if row["table_name"] == "metal_attribution"} - {""}
    assert len(metals) == 10


def test_every_daily_quotation_is_a_series_of_its_metal() -> None:
    catalogued = {
        s.id: (s.metal, s.frequency) for s in catalog.load(DBT.parent / "pipelines" / "catalog").series.values()
    }
    for row in seed("daily_quotations"):
        assert catalogued[row["series_id"]] == (row["metal_id"], "daily"), row
