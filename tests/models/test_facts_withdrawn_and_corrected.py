"""A fact that the SEC withdraws, or that a correction is of: gone or replaced from that day, and not a day before.

Figures are invented, in billions of US dollars.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from pipelines import catalog as catalogs
from pipelines import warehouse
from pipelines.audit import checks
from pipelines.catalog import CorrectionAction, FactKey, RecordCorrection
from pipelines.settings import Settings
from pipelines.transform import history
from tests.filings import Models, companyfacts
from tests.models.test_filing_models import BN, PPE, direct

WRONG, RIGHT = 39.0, 10.0
KEY = FactKey(company="MSFT", tag=PPE, period_start=date(2025, 4, 1), period_end=date(2025, 6, 30))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("filings"))


def answer(models: Models, *leave_out: int) -> bytes:
    """Six quarters of 2024 and 2025, the last of them wrong, and the answer that ends with a later one."""
    amounts = [9.0, 9.5, 10.0, 10.5, 9.5, WRONG, 11.0]
    every = [direct(2024 + n // 4, n % 4 + 1, amount) for n, amount in enumerate(amounts)]
    return companyfacts(models.cik("MSFT"), [fact for n, fact in enumerate(every) if n not in leave_out])


def second_quarter(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(
        """
        select value_usd / 1e9, strftime(known_at, '%Y-%m-%d') from past.intermediate.int_filing_facts__judged
        where company_id = 'MSFT' and period_end = '2025-06-30'
        """
    ).fetchall()


def correction(action: CorrectionAction, **changes: Any) -> RecordCorrection:
    given = {"id": "synthetic", "fact": KEY, "published": WRONG * BN, "known_on": date(2025, 12, 1)}
    return RecordCorrection(**(given | {"action": action, "reason": "made up", "reference": "none"} | changes))


@pytest.mark.parametrize(
    ("as_of", "found"),
    [
        ("2025-11-30", [(WRONG, "2025-07-25")]),
        ("2025-12-01", []),
        ("2025-12-04", []),
        ("2025-12-05", [(WRONG, "2025-12-05")]),
    ],
)
def test_a_withdrawn_fact_is_read_until_its_day_and_again_when_it_is_stated_again(
    models: Models, as_of: str, found: list[Any]
) -> None:
    days = [("2025-11-01", answer(models)), ("2025-12-01", answer(models, 5)), ("2025-12-05", answer(models))]
    with models.loaded(days, as_of) as connection:
        assert second_quarter(connection) == found


@pytest.mark.parametrize(
    ("entry", "before", "after"),
    [
        (correction(CorrectionAction.DROP), WRONG, []),
        (correction(CorrectionAction.OVERRIDE, value=RIGHT * BN), WRONG, [(RIGHT, "2025-12-01")]),
        (correction(CorrectionAction.FLAG), WRONG, [(WRONG, "2025-07-25")]),
        (correction(CorrectionAction.DROP, published=1.0), WRONG, [(WRONG, "2025-07-25")]),
        (
            correction(CorrectionAction.DROP, fact=KEY.model_copy(update={"accession": "0000000042-25-000001"})),
            WRONG,
            [(WRONG, "2025-07-25")],
        ),
        (
            correction(CorrectionAction.DROP, fact=KEY.model_copy(update={"accession": "0000000042-25-000002"})),
            WRONG,
            [],
        ),
    ],
    ids=["dropped", "overridden", "flagged", "another figure", "another filing", "its filing"],
)
def test_a_correction_of_a_fact_holds_from_its_day(
    models: Models, entry: RecordCorrection, before: float, after: list[Any]
) -> None:
    days = [("2025-11-01", answer(models))]
    with models.loaded(days, "2025-11-30", [entry]) as connection:
        assert second_quarter(connection) == [(before, "2025-07-25")]
    with models.loaded(days, "2025-12-01", [entry]) as connection:
        assert second_quarter(connection) == after
        applies = entry.published == WRONG * BN and entry.fact != KEY.model_copy(
            update={"accession": "0000000042-25-000001"}
        )
        assert checks.corrections_still_apply(connection, Settings()).passed == applies


def test_a_document_that_a_correction_drops_is_read_until_its_day() -> None:
    settings = Settings()
    steps = history.compiled(settings, ["stg_federal_register__documents"])
    entry = RecordCorrection(
        id="synthetic", document="2025-00001", action=CorrectionAction.DROP, known_on=date(2025, 12, 1),
        reason="made up", reference="none",
    )  # fmt: skip
    catalog = catalogs.load(settings.catalog_dir)
    catalog.record_corrections = {entry.id: entry}
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build")
        connection.execute("use build")
        warehouse.tables.define_tables(connection)
        warehouse.write_catalog(connection, catalog)
        finding = checks.corrections_still_apply(connection, settings)
        assert [example.partition(":")[0] for example in finding.examples] == ["synthetic"], "there is none to drop"
        connection.execute(
            "insert into raw.policy_document by name select unnest(['2025-00001', '2025-00002']) as document_number, "
            "'tariffs' as topic, timestamp '2025-06-01' as known_at, 'synthetic' as payload_id"
        )
        assert checks.corrections_still_apply(connection, settings).passed
        for day, count in ((date(2025, 11, 30), 2), (date(2025, 12, 1), 1)):
            with history.models_of(connection, steps, day):
                found = connection.execute("select document_number from past.staging.stg_federal_register__documents")
                assert len(found.fetchall()) == count
