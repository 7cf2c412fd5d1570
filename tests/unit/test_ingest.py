"""From payload to raw rows, with a source of a few series whose payloads are JSON lists of rows."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines import ingest, warehouse
from pipelines.audit import checks
from pipelines.catalog import (
    Catalog,
    Company,
    CorrectionAction,
    FactKey,
    Fidelity,
    Frequency,
    History,
    LicenceClass,
    Proven,
    RecordCorrection,
    Release,
    Series,
    Source,
    Topic,
    Validity,
)
from pipelines.catalog import load as load_catalog
from pipelines.errors import BadPayload, ContractBreach, PayloadNotRead
from pipelines.landing import Landing, Retrieval
from pipelines.orchestration.assets import raw as assets
from pipelines.settings import Settings
from pipelines.sources import FILING_FACT, OBSERVATION, POLICY_DOCUMENT, REJECT, Parsed, Request
from pipelines.warehouse.tables import define_tables

ACCESSION = "0000000007-26-000001"


def source(max_bad_share: float = 0.5) -> Source:
    return Source(
        id="tiny",
        title="Tiny",
        publisher="Office of Tests",
        group="prices",
        homepage="https://tiny.example.org",
        licence="public domain",
        licence_class=LicenceClass.PUBLIC_DOMAIN,
        credit="Office of Tests",
        terms="none",
        hosts=["tiny.example.org"],
        cadence_hours=20,
        requests_per_second=10,
        max_body_mb=1,
        min_body_bytes=1,
        max_bad_share=max_bad_share,
        day_ends="24:00 UTC",
        proven=Proven(by=Fidelity.DOCUMENTED),
        bundle=True,
        description="A source for tests",
    )


def series(name: str, history: History = History.STABLE) -> Series:
    return Series(
        id=name,
        source="tiny",
        title=name,
        publisher="Office of Tests",
        select={},
        unit="pct",
        frequency=Frequency.MONTHLY,
        plausible=(-1000, 1000),
        publication_lag_days=10,
        staleness_limit_days=60,
        licence="public domain",
        history=history,
        description="A series for tests",
    )


CATALOG = Catalog(
    [source()],
    [series("price"), series("other"), series("index", History.REVISED)],
    [
        Company(
            id="TINY",
            name="Tiny Corp",
            role="hyperscaler",
            ciks=[Validity(cik=7)],
            fiscal_year_end="12-31",
            concepts={"capex": ["Capex"]},
            filing_lag_days=75,
            description="A company for tests",
        )
    ],
    [],
)


class TinyModule:
    """A payload is a JSON object of the frames' rows; `{"crash": true}` is a bug of the parser."""

    def plan(self, catalog: Catalog, today: date) -> list[Request]:
        return []

    def parse(self, body: bytes, key: str, catalog: Catalog) -> Parsed:
        document = json.loads(body)
        if document.get("crash"):
            raise KeyError("column gone")
        frames = {
            name: _frame(document.get(name, []), columns)
            for name, columns in (
                ("observations", OBSERVATION),
                ("filing_facts", FILING_FACT),
                ("policy_documents", POLICY_DOCUMENT),
                ("rejects", REJECT),
            )
        }
        return Parsed(**frames, missing=document.get("missing", {}), whole=frozenset(document.get("whole", ())))


def _frame(rows: list[list[Any]], columns: dict[str, Any]) -> pl.DataFrame:
    text = {name: pl.String if dtype == pl.Date else dtype for name, dtype in columns.items()}
    return pl.DataFrame(rows, schema=text, orient="row").with_columns(
        pl.col(name).str.to_date() for name, dtype in columns.items() if dtype == pl.Date
    )


def observations(*rows: tuple[str, str, float, int | None], **more: Any) -> dict[str, Any]:
    """A payload of (series, month as YYYY-MM, value, decimals)."""
    return {"observations": [[s, f"{m}-01", v, d, f"row {n}"] for n, (s, m, v, d) in enumerate(rows, 1)], **more}


def fact(value: float, accession: str = ACCESSION, filed: str = "2026-02-05") -> list[Any]:
    return [7, "us-gaap", "Capex", "USD", "2025-01-01", "2025-12-31", value, accession, "10-K", filed, 2025, "FY", "r"]


def document(effective_on: str | None, topic: str = "tariffs") -> list[Any]:
    return [
        "2026-00001", topic, "Rule", None, "A rule", "customs", "2026-02-02", None, effective_on, "91 FR 1",
        None, None, "https://tiny.example.org/1", "r",
    ]  # fmt: skip


def load(
    connection: duckdb.DuckDBPyConnection,
    content: dict[str, Any],
    at: str,
    *,
    max_bad_share: float = 0.5,
    catalog: Catalog = CATALOG,
    origin: str = "fetched",
    key: str = "tiny",
    fidelity: str = "native",
) -> ingest.Report:
    body = json.dumps(content).encode()
    payload = ingest.Payload(
        hashlib.sha256(body).hexdigest(), key, datetime.fromisoformat(at), body, origin=origin, fidelity=fidelity
    )
    report = ingest.Report()
    ingest.load_payload(connection, payload, source(max_bad_share), TinyModule(), catalog, report)
    return report


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture
def raw(database: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse in memory, attached: to open a database of its own takes three times as long."""
    with database.cursor() as connection:
        connection.execute("attach ':memory:' as fresh; use fresh")
        define_tables(connection, commented=False)
        yield connection
    database.execute("detach fresh")


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def known(connection: duckdb.DuckDBPyConnection, name: str = "price") -> list[tuple[Any, ...]]:
    """(month, value, day known, basis) of a series, by period and time of knowledge."""
    return connection.execute(
        """
        select strftime(period, '%Y-%m'), value, strftime(known_at, '%Y-%m-%d'), known_at_basis
        from raw.observation where series_id = ? order by period, known_at
        """,
        [name],
    ).fetchall()


def test_a_first_load_dates_by_publication_lag_and_observes_what_was_not_due_yet(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    report = load(raw, observations(("price", "2026-01", 1.5, 1), ("price", "2026-02", 2.5, 1)), "2026-03-09T12:00")
    assert known(raw) == [
        ("2026-01", 1.5, "2026-02-10", "assumed_lag"),  # 31 January + 10 days
        ("2026-02", 2.5, "2026-03-09", "observed"),  # due on 10 March, seen the day before
    ]
    assert (report.rows_added, report.rows_changed, report.payloads) == (2, 0, 1)


def test_a_period_missing_from_a_retrieval_after_its_due_day_is_observed_later(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2026-01", 1.5, 1)), "2026-03-12")
    load(raw, observations(("price", "2026-01", 1.5, 1), ("price", "2026-02", 2.5, 1)), "2026-03-20")
    assert known(raw)[1] == ("2026-02", 2.5, "2026-03-20", "observed")


def test_a_period_that_was_not_due_at_the_earlier_retrieval_is_dated_by_its_lag(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2026-01", 1.5, 1)), "2026-03-01")
    load(raw, observations(("price", "2026-01", 1.5, 1), ("price", "2026-02", 2.5, 1)), "2026-03-20")
    assert known(raw)[1] == ("2026-02", 2.5, "2026-03-10", "assumed_lag")


def test_an_earlier_retrieval_of_a_window_says_nothing_about_the_time_before_it(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2026-01", 1.5, 1)), "2026-03-01")
    load(raw, observations(("price", "2025-12", 1.4, 1), ("price", "2026-01", 1.5, 1)), "2026-03-02")
    assert known(raw)[0] == ("2025-12", 1.4, "2026-01-10", "assumed_lag")


def test_a_hole_inside_an_earlier_retrieval_is_observed_when_it_is_filled(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2025-11", 1.3, 1), ("price", "2026-01", 1.5, 1)), "2026-03-01")
    load(raw, observations(("price", "2025-12", 1.4, 1), ("price", "2026-01", 1.5, 1)), "2026-03-02")
    assert ("2025-12", 1.4, "2026-03-02", "observed") in known(raw)


def test_a_series_with_a_revised_history_is_known_only_from_its_retrieval(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("index", "1990-01", 100.0, 1), ("index", "2025-11", 300.0, 1)), "2026-01-04")
    assert {(basis, day) for _, _, day, basis in known(raw, "index")} == {("observed", "2026-01-04")}


@pytest.mark.parametrize(("coarse", "decimals"), [(2.35, 2), (2.3, 1), (2.0, 0)])
def test_a_coarser_payload_adds_nothing_and_overwrites_nothing(
    raw: duckdb.DuckDBPyConnection, coarse: float, decimals: int
) -> None:
    load(raw, observations(("price", "2026-01", 2.3456, 4)), "2026-03-01")
    report = load(raw, observations(("price", "2026-01", coarse, decimals)), "2026-03-02")
    assert (report.rows_added, report.rows_changed) == (0, 0)
    assert [value for _, value, *_ in known(raw)] == [2.3456]


def test_a_half_rounds_either_way_without_being_a_change(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2026-01", 2.345, 3), ("price", "2026-02", 2.345, 3)), "2026-04-01")
    report = load(raw, observations(("price", "2026-01", 2.34, 2), ("price", "2026-02", 2.35, 2)), "2026-04-02")
    assert report.rows_changed == 0


def test_a_coarser_payload_that_contradicts_the_finer_figure_is_a_change(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2026-01", 2.3456, 4)), "2026-03-01")
    load(raw, observations(("price", "2026-01", 2.36, 2)), "2026-03-02")
    assert known(raw)[1:] == [("2026-01", 2.36, "2026-03-02", "observed")]


def counted(report: ingest.Report) -> tuple[int, int, int]:
    return report.rows_added, report.rows_changed, report.rows_refined


@pytest.mark.parametrize(("finer", "decimals"), [(2.3456, 4), (2.345, 3), (2.3456, None)])
def test_a_finer_payload_adds_its_digits_and_revises_nothing(
    raw: duckdb.DuckDBPyConnection, finer: float, decimals: int | None
) -> None:
    load(raw, observations(("price", "2026-01", 2.35, 2)), "2026-03-01")
    assert counted(load(raw, observations(("price", "2026-01", finer, decimals)), "2026-03-02")) == (0, 0, 1)
    assert known(raw)[1:] == [("2026-01", finer, "2026-03-02", "refined")]
    counts = "select rows_added, rows_changed, rows_refined from raw.coverage order by retrieved_at"
    assert rows(raw, counts) == [(1, 0, 0), (0, 0, 1)]
    assert counted(load(raw, observations(("price", "2026-01", 2.35, 2)), "2026-03-03")) == (0, 0, 0)


def test_digits_that_contradict_those_known_are_a_revision(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2026-01", 2.35, 2), ("price", "2026-02", 7.0, 1)), "2026-04-01")
    finer = observations(("price", "2026-01", 2.3551, 4), ("price", "2026-02", 6.9, 1))
    assert counted(load(raw, finer, "2026-04-02")) == (0, 2, 0)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        # The bytes of a file in single precision: 103.74880301 is the nearest such number.
        (103.74880301, 103.748802185, (0, 0)),
        (86.486182067, 86.486167908, (0, 0)),  # computed in single precision: two units in the last place
        (103.748802185, 103.74880301, (0, 1)),  # digits that single precision does not hold
        (103.74880301, 103.748901367, (1, 0)),  # 13 units: a revision
        (103.74880301, 103.74881, (1, 0)),  # not a number in single precision
    ],
)
def test_a_figure_in_single_precision_prints_no_more_digits_than_it_holds(
    raw: duckdb.DuckDBPyConnection, before: float, after: float, changes: tuple[int, int]
) -> None:
    load(raw, observations(("price", "2026-01", before, 9)), "2026-03-01")
    report = load(raw, observations(("price", "2026-01", after, 9)), "2026-03-02")
    assert (report.rows_changed, report.rows_refined) == changes


RELEASES = [
    Release(id="lapse", series=["price"], released={date(2025, 10, 1): date(2025, 11, 25)}, reason="r", reference="f")
]


def dated(*releases: Release) -> Catalog:
    return Catalog(CATALOG.sources.values(), CATALOG.series.values(), [], [], releases=releases)


def test_a_first_load_is_dated_by_the_day_of_release_where_it_is_known(raw: duckdb.DuckDBPyConnection) -> None:
    content = observations(("price", "2025-09", 1.0, 1), ("price", "2025-10", 2.0, 1), ("other", "2025-10", 3.0, 1))
    load(raw, content, "2026-06-01", catalog=dated(*RELEASES))
    assert known(raw) == [
        ("2025-09", 1.0, "2025-10-10", "assumed_lag"),
        ("2025-10", 2.0, "2025-11-25", "reported"),  # its lag would be 10 November
    ]
    assert known(raw, "other") == [("2025-10", 3.0, "2025-11-10", "assumed_lag")]


def test_a_figure_seen_before_its_stated_day_of_release_is_known_from_its_retrieval(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    load(raw, observations(("price", "2025-10", 2.0, 1)), "2025-11-24", catalog=dated(*RELEASES))
    assert known(raw) == [("2025-10", 2.0, "2025-11-24", "observed")]


def test_figures_already_loaded_are_redated_once_and_the_old_day_is_kept(raw: duckdb.DuckDBPyConnection) -> None:
    content = observations(("price", "2025-09", 1.0, 1), ("price", "2025-10", 2.0, 1))
    load(raw, content, "2026-06-01")
    load(raw, observations(("price", "2025-10", 2.5, 1)), "2026-07-01")
    now = datetime.fromisoformat("2026-08-01")
    assert ingest.redate(raw, dated(*RELEASES), now) == 1
    assert ingest.redate(raw, dated(*RELEASES), now + timedelta(days=1)) == 0
    october = [("2025-10", 2.0, "2025-11-25", "reported"), ("2025-10", 2.5, "2026-07-01", "observed")]
    assert known(raw)[1:] == october
    changes = (
        "select period, known_at_before, known_at_basis_before, known_at_after, reference from raw.known_at_change"
    )
    first = (
        date(2025, 10, 1),
        datetime.fromisoformat("2025-11-10"),
        "assumed_lag",
        datetime.fromisoformat("2025-11-25"),
        "f",
    )
    assert rows(raw, changes) == [first]
    moved = RELEASES[0].model_copy(update={"released": {date(2025, 10, 1): date(2025, 11, 26)}})
    assert ingest.redate(raw, dated(moved), datetime.fromisoformat("2026-09-01")) == 1
    assert rows(raw, f"{changes} order by changed_at")[1] == (
        date(2025, 10, 1), datetime.fromisoformat("2025-11-25"), "reported", datetime.fromisoformat("2025-11-26"), "f",
    )  # fmt: skip
    assert ingest.redate(raw, dated(), datetime.fromisoformat("2026-10-01")) == 0


def test_a_declared_new_construction_is_taken_once_and_then_compared_with_itself(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    """Made up: 30 months, written anew from 2026-02 on; after that the old figures are a break again."""

    def file(turn: int) -> dict[str, Any]:
        values = [(n * turn) % 17 + 1.0 for n in range(30)]
        return observations(*(("index", f"{2020 + n // 12}-{n % 12 + 1:02}", v, 1) for n, v in enumerate(values)))

    index = CATALOG.series["index"].model_copy(update={"rewritten_since": date(2026, 2, 1)})
    declared = Catalog(CATALOG.sources.values(), [*CATALOG.series.values(), index], [], [])
    load(raw, file(3), "2026-01-05")
    with pytest.raises(ContractBreach, match="another construction"):
        load(raw, file(7), "2026-01-20", catalog=declared)
    assert load(raw, file(7), "2026-02-05", catalog=declared).rows_changed > 20
    with pytest.raises(ContractBreach, match="another construction"):
        load(raw, file(3), "2026-03-05", catalog=declared)


@pytest.mark.parametrize(
    ("retrieved", "expected"),
    [
        (["2025-11-24"], ("2025-11-25", "reported")),  # the day before it came out
        (["2025-11-27"], ("2025-12-20", "observed")),  # two days after, and it was not there
        (["2025-11-24", "2025-11-27"], ("2025-12-20", "observed")),
    ],
)
def test_a_figure_already_loaded_is_dated_as_at_a_first_load(retrieved: list[str], expected: tuple[str, str]) -> None:
    """Its lag would have been 2025-12-10, so that no retrieval before it says anything against that day."""
    late = CATALOG.series["price"].model_copy(update={"publication_lag_days": 40})
    lagging = Catalog(CATALOG.sources.values(), [late], [], [])
    releasing = Catalog(CATALOG.sources.values(), [late], [], [], releases=RELEASES)
    found = []
    for catalog in (lagging, releasing):
        with warehouse.scratch() as raw:
            for at in retrieved:
                load(raw, observations(("price", "2025-09", 1.0, 1)), at, catalog=catalog)
            both = observations(("price", "2025-09", 1.0, 1), ("price", "2025-10", 2.0, 1))
            load(raw, both, "2025-12-20", catalog=catalog)
            ingest.redate(raw, releasing, datetime.fromisoformat("2026-08-01"))
            found.append(known(raw)[1][2:])
    assert found == [expected, expected]


def test_a_figure_is_redated_no_later_than_it_was_retrieved(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2025-10", 2.0, 1)), "2025-11-20")
    assert ingest.redate(raw, dated(*RELEASES), datetime.fromisoformat("2026-08-01")) == 1
    assert known(raw) == [("2025-10", 2.0, "2025-11-20", "observed")]


def test_a_figure_without_printed_precision_is_compared_as_a_binary_number(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2026-01", 0.1 + 0.2, None)), "2026-03-01")
    assert load(raw, observations(("price", "2026-01", 0.3, None)), "2026-03-02").rows_changed == 0
    assert load(raw, observations(("price", "2026-01", 0.3001, None)), "2026-03-03").rows_changed == 1


def test_a_real_change_adds_exactly_one_row_and_a_way_back_another(raw: duckdb.DuckDBPyConnection) -> None:
    first = observations(("price", "2026-01", 1.5, 1), ("other", "2026-01", 7.0, 1))
    load(raw, first, "2026-03-01")
    load(raw, observations(("price", "2026-01", 1.6, 1), ("other", "2026-01", 7.0, 1)), "2026-03-02")
    report = load(raw, first, "2026-03-03")  # the publisher takes it back: the same bytes as the first time
    assert report.rows_changed == 1
    assert [(value, day) for _, value, day, _ in known(raw)] == [
        (1.5, "2026-02-10"),
        (1.6, "2026-03-02"),
        (1.5, "2026-03-03"),
    ]
    assert len(known(raw, "other")) == 1


def test_the_same_payload_twice_adds_nothing(raw: duckdb.DuckDBPyConnection) -> None:
    content = observations(("price", "2026-01", 1.5, 1), ("index", "2026-01", 3.0, 1))
    content |= {"filing_facts": [fact(5e9)], "policy_documents": [document("2026-03-01")]}
    assert load(raw, content, "2026-03-01").rows_added == 4
    again = load(raw, content, "2026-03-02")
    assert (again.rows_added, again.rows_changed) == (0, 0)
    assert rows(raw, "select count(*) from raw.payload") == [(1,)]


def test_vanished_periods_are_counted_and_kept(raw: duckdb.DuckDBPyConnection) -> None:
    months = [("price", f"2025-{month:02}", float(month), 1) for month in range(1, 7)]
    load(raw, observations(*months), "2026-01-01")
    load(raw, observations(months[0], months[2], months[5], missing={"price": 2}), "2026-01-02")
    # February, April and May are gone.
    assert rows(raw, "select rows, missing, rows_vanished from raw.coverage order by retrieved_at") == [
        (6, 0, 0),
        (3, 2, 3),
    ]
    assert len(known(raw)) == 6


def test_a_payload_that_ends_before_an_earlier_one_is_an_older_file_and_refused(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    load(raw, observations(("price", "2026-01", 1.0, 1), ("price", "2026-02", 2.0, 1)), "2026-03-20")
    with pytest.raises(BadPayload, match=r"ends in 2026-01-01 \(price\), but an earlier response ended in 2026-02-01"):
        load(raw, observations(("price", "2026-01", 9.0, 1)), "2026-03-21")
    assert [value for _, value, *_ in known(raw)] == [1.0, 2.0]


def test_where_another_series_goes_on_the_end_of_the_shorter_one_has_vanished(raw: duckdb.DuckDBPyConnection) -> None:
    both = observations(("price", "2026-02", 2.0, 1), ("other", "2026-01", 1.0, 1), ("other", "2026-02", 2.0, 1))
    load(raw, both, "2026-03-20")
    load(raw, observations(("price", "2026-02", 2.0, 1), ("other", "2026-01", 1.0, 1)), "2026-03-21")
    vanished = "select series_id, rows_vanished from raw.coverage where rows_vanished > 0"
    assert rows(raw, vanished) == [("other", 1)]
    assert len(known(raw, "other")) == 2


def test_bad_rows_go_to_quarantine_with_their_reasons_and_good_ones_on(raw: duckdb.DuckDBPyConnection) -> None:
    content = observations(
        ("price", "2026-01", 1.5, 1),
        ("price", "2026-02", 5000.0, 1),
        ("unheard_of", "2026-01", 1.0, 1),
        ("other", "2026-01", 2.0, 1),
        ("other", "2027-01", 2.0, 1),
        rejects=[["price", "B7", "not a number: 'abc'"]],
    )
    report = load(raw, content, "2026-03-20", max_bad_share=0.9)
    assert report.rows_quarantined == 4
    quarantine = rows(raw, "select series_id, row, reason, source_id from raw.quarantine order by all")
    assert quarantine == [
        ("other", "row 5: 2027-01-01 = 2.0", "row: its period starts after the payload was fetched", "tiny"),
        ("price", "B7", "not a number: 'abc'", "tiny"),
        ("price", "row 2: 2026-02-01 = 5000.0", "row: is outside the plausible range of the catalogue", "tiny"),
        ("unheard_of", "row 3: 2026-01-01 = 1.0", "plausible_high: not_nullable; plausible_low: not_nullable", "tiny"),
    ]
    assert rows(raw, "select series_id, value from raw.observation order by all") == [("other", 2.0), ("price", 1.5)]
    assert rows(raw, "select series_id, quarantined from raw.coverage order by all") == [("other", 1), ("price", 2)]


def test_a_series_without_any_good_row_is_said(raw: duckdb.DuckDBPyConnection) -> None:
    content = observations(("price", "2026-01", 1.5, 1), rejects=[["other", "header", "no column 'Other'"]])
    report = load(raw, content, "2026-03-20")
    assert report.without_rows == ["other"]


def test_too_many_bad_rows_refuse_the_payload_and_the_last_good_data_stands(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, observations(("price", "2026-01", 1.5, 1)), "2026-03-01")
    before = {t: rows(raw, f"from raw.{t}") for t in ("observation", "coverage", "payload")}
    bad = observations(("price", "2026-01", 1.6, 1), ("price", "2026-02", 9999.0, 1), ("price", "2026-03", 9999.0, 1))
    with pytest.raises(ContractBreach, match=r"2 of 3 rows broke the contract.*50\.0% tolerated: row 2"):
        load(raw, bad, "2026-05-01")
    assert {t: rows(raw, f"from raw.{t}") for t in before} == before
    assert rows(raw, "select count(*) from raw.quarantine") == [(2,)]
    assert load(raw, observations(("price", "2026-01", 1.7, 1)), "2026-05-02").rows_changed == 1


@pytest.mark.parametrize(
    ("bad", "good", "share", "refused"),
    [
        (2, 55, 0.02, False),  # two labels of a yearbook
        (10, 11, 0.02, False),
        (10, 10, 0.02, True),  # as many bad rows as good ones
        (11, 400, 0.02, True),
        (11, 600, 0.02, False),  # within the share
        (2, 1, 0.7, False),  # a report of three figures, by its own share
        (1, 1, 0.02, True),
        (1, 0, 0.7, True),
        (0, 0, 0.02, False),
    ],
)
def test_a_share_refuses_no_payload_for_a_few_labels(bad: int, good: int, share: float, refused: bool) -> None:
    assert ingest.too_many_bad(bad, good, source(share)) == refused


def test_a_series_that_differs_as_a_whole_takes_no_other_of_its_payload_with_it(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    """Made up: 120 months of two series, of which one comes in another unit; and then both."""

    def file(months: int, **factors: float) -> dict[str, Any]:
        periods = [f"{2010 + n // 12}-{n % 12 + 1:02}" for n in range(months)]
        return observations(*((s, m, f * (n % 17 + 1), 1) for s, f in factors.items() for n, m in enumerate(periods)))

    load(raw, file(120, price=1.0, other=1.0), "2021-01-05", max_bad_share=0.02)
    report = load(raw, file(121, price=1.0, other=3.0), "2021-03-05", max_bad_share=0.02)
    assert (report.rows_added, report.rows_quarantined) == (1, 121)
    assert [row[0] for row in rows(raw, "select distinct series_id from raw.quarantine")] == ["other"]
    with pytest.raises(ContractBreach, match="another unit"):
        load(raw, file(122, price=3.0, other=3.0), "2021-04-05", max_bad_share=0.02)


def test_no_publisher_of_the_catalogue_loses_a_payload_of_fifty_figures_for_two_labels() -> None:
    publishers = load_catalog(Settings().catalog_dir).sources.values()
    assert [s.id for s in publishers if ingest.too_many_bad(2, 50, s)] == []


@pytest.mark.parametrize(
    ("frequency", "period", "at", "ended"),
    [
        ("monthly", "2026-03-01", "2026-03-30 23:00", False),
        ("monthly", "2026-03-01", "2026-03-31 01:30", True),  # purchasing managers' indices
        ("quarterly", "2026-01-01", "2026-03-30 12:00", False),
        ("quarterly", "2026-01-01", "2026-03-31 12:00", True),
        ("annual", "2026-01-01", "2026-12-30 12:00", False),
        ("us_fiscal_year", "2025-10-01", "2026-09-29 12:00", False),
        ("us_fiscal_year", "2025-10-01", "2026-09-30 12:00", True),
        ("weekly", "2026-03-02", "2026-03-07 12:00", False),
        ("daily", "2026-03-20", "2026-03-20 23:59", False),
        ("daily", "2026-03-20", "2026-03-21 00:00", True),
    ],
)
def test_a_period_that_has_not_ended_has_no_figure_and_is_counted(
    raw: duckdb.DuckDBPyConnection, frequency: str, period: str, at: str, ended: bool
) -> None:
    tracked = CATALOG.series["price"].model_copy(update={"frequency": Frequency(frequency)})
    catalog = Catalog([source()], [tracked], [], [])
    content = {"observations": [["price", "2024-10-01", 1.0, 1, "a"], ["price", period, 2.0, 1, "b"]]}
    report = load(raw, content, at, catalog=catalog)
    assert (report.rows_added, report.rows_quarantined) == ((2, 0) if ended else (1, 0))
    assert rows(raw, "select rows, missing from raw.coverage") == [(2, 0) if ended else (1, 1)]


@pytest.mark.parametrize(
    ("source_id", "day", "at", "ended"),
    [
        ("yahoo", "2026-11-23", "2026-11-23 21:59", False),  # New York closes at 22:00 UTC in winter
        ("yahoo", "2026-11-23", "2026-11-23 22:00", True),
        ("yahoo", "2026-07-20", "2026-07-20 21:00", True),  # and at 21:00 in summer
        ("shfe", "2026-11-23", "2026-11-23 06:59", False),
        ("shfe", "2026-11-23", "2026-11-23 07:00", True),
        ("gfex", "2026-11-23", "2026-11-23 06:59", False),
        ("lbma", "2026-07-20", "2026-07-20 14:59", False),
        ("lbma", "2026-07-20", "2026-07-20 15:00", True),
        ("epu", "2026-11-23", "2026-11-23 23:59", False),
        ("epu", "2026-11-23", "2026-11-24 00:00", True),
    ],
)
def test_each_publishers_day_ends_in_its_own_zone(source_id: str, day: str, at: str, ended: bool) -> None:
    tracked = load_catalog(Settings().catalog_dir)
    daily = next(s for s in tracked.series_of(source_id) if s.frequency is Frequency.DAILY)
    found = tracked.sources[source_id].has_ended(daily, date.fromisoformat(day), datetime.fromisoformat(at))
    assert found == ended


def test_as_many_bad_rows_as_are_tolerated_refuse_nothing(raw: duckdb.DuckDBPyConnection) -> None:
    content = observations(("price", "2026-01", 1.5, 1), ("price", "2026-02", 9999.0, 1))
    assert load(raw, content, "2026-05-01", max_bad_share=0.5).rows_added == 1


def test_an_exception_of_a_parser_becomes_a_bad_payload_and_writes_nothing(raw: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(BadPayload, match=r"source=tiny row=tiny\] could not be parsed \(KeyError: 'column gone'\)"):
        load(raw, {"crash": True}, "2026-03-01")
    assert rows(raw, "select count(*) from raw.payload") == [(0,)]


def test_a_failure_while_writing_rolls_the_whole_payload_back(
    raw: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.ingest.load._write_payload", fail)
        with pytest.raises(RuntimeError, match="killed here"):
            load(raw, observations(("price", "2026-01", 1.5, 1), ("price", "2026-02", 9999.0, 1)), "2026-04-01")
    for table in ("observation", "coverage", "quarantine", "payload"):
        assert rows(raw, f"from raw.{table}") == [], table
    assert load(raw, observations(("price", "2026-01", 1.5, 1)), "2026-04-01").rows_added == 1


def as_of(connection: duckdb.DuckDBPyConnection, day: date) -> dict[int, float]:
    """Month of the period: value known at the start of `day`."""
    sql = "select month(period), arg_max(value, known_at) from raw.observation where known_at <= ? group by all"
    return dict(connection.execute(sql, [day]).fetchall())


def test_a_fact_filed_before_is_no_new_row_and_another_filing_of_it_is(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, {"filing_facts": [fact(5e9)]}, "2026-02-06")
    assert load(raw, {"filing_facts": [fact(5e9)], "rejects": []}, "2026-02-07").rows_added == 0
    amended = {"filing_facts": [fact(5e9), fact(5.1e9, "0000000007-26-000002", "2026-03-01")]}
    report = load(raw, amended, "2026-03-02")
    assert (report.rows_added, report.rows_changed) == (1, 0)
    assert rows(
        raw, "select value, strftime(known_at, '%Y-%m-%d'), known_at_basis from raw.filing_fact order by 1"
    ) == [
        (5e9, "2026-02-05", "reported"),
        (5.1e9, "2026-03-01", "reported"),
    ]
    assert rows(raw, "select distinct series_id from raw.coverage") == [("TINY",)]


def test_a_fact_that_changed_under_its_accession_is_an_observed_row(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, {"filing_facts": [fact(5e9)]}, "2026-02-06")
    assert load(raw, {"filing_facts": [fact(5.2e9)]}, "2026-02-08").rows_changed == 1
    assert load(raw, {"filing_facts": [fact(5.2e9)]}, "2026-02-09").rows_changed == 0
    assert rows(
        raw, "select value, strftime(known_at, '%Y-%m-%d'), known_at_basis from raw.filing_fact order by 1"
    ) == [
        (5e9, "2026-02-05", "reported"),
        (5.2e9, "2026-02-08", "observed"),
    ]


def test_a_fact_of_whole_dollars_that_gained_cents_is_refined(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, {"filing_facts": [fact(1200.0)]}, "2026-02-06")
    assert counted(load(raw, {"filing_facts": [fact(1200.25)]}, "2026-02-08")) == (0, 0, 1)
    assert counted(load(raw, {"filing_facts": [fact(1240.0)]}, "2026-02-09")) == (0, 1, 0)
    bases = "select known_at_basis from raw.filing_fact order by known_at"
    assert rows(raw, bases) == [("reported",), ("refined",), ("observed",)]


def test_an_instant_without_start_is_recognised_again(raw: duckdb.DuckDBPyConnection) -> None:
    instant = fact(1e9)
    instant[4] = None
    load(raw, {"filing_facts": [instant]}, "2026-02-06")
    assert load(raw, {"filing_facts": [instant]}, "2026-02-07").rows_added == 0


def test_a_document_whose_record_changed_is_a_later_row_under_its_own_topic(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, {"policy_documents": [document(None), document(None, "minerals")]}, "2026-02-03")
    changed = {"policy_documents": [document("2026-03-01"), document(None, "minerals")]}
    assert load(raw, changed, "2026-02-09").rows_changed == 1
    assert load(raw, changed, "2026-02-10").rows_changed == 0
    assert rows(
        raw,
        """
        select topic, effective_on, strftime(known_at, '%Y-%m-%d'), known_at_basis
        from raw.policy_document order by topic, known_at
        """,
    ) == [
        ("minerals", None, "2026-02-02", "reported"),
        ("tariffs", None, "2026-02-02", "reported"),
        ("tariffs", date(2026, 3, 1), "2026-02-09", "observed"),
    ]


def landed(folder: Path, payloads: Sequence[tuple[str, dict[str, Any]]]) -> Landing:
    landing = Landing(folder)
    for at, content in payloads:
        payload_id = landing.put(json.dumps(content).encode())
        landing.append(Retrieval("tiny", "tiny", datetime.fromisoformat(at), "fresh", payload_id, status=200))
    return landing


def test_a_damaged_line_of_the_journal_is_counted_and_its_answer_is_loaded_when_it_is_repeated(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.write_catalog(raw, CATALOG)
    landing = landed(tmp_path, [("2026-03-01", observations(("price", "2026-01", 1.5, 1)))])
    (fresh,) = landing.retrievals("tiny")
    path = tmp_path / "journal" / "tiny.jsonl"
    path.write_bytes(path.read_bytes().replace(b"fresh", b"frash"))
    report = ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    assert (report.payloads, known(raw)) == (0, [])
    landing.append(replace(fresh, outcome="unchanged", checked_at=datetime.fromisoformat("2026-03-02")))
    for _ in range(2):  # it is one row however often it is read
        ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
        assert known(raw) == [("2026-01", 1.5, "2026-02-10", "assumed_lag")]
        damaged = [("tiny", "journal of tiny, line 1", "it does not match its checksum")]
        assert rows(raw, 'select source_id, "row", reason from raw.quarantine') == damaged
    finding = checks.every_answer_was_taken(raw, Settings())
    assert (finding.passed, finding.examples) == (
        False,
        ["tiny  journal of tiny, line 1: it does not match its checksum"],
    )
    path.write_bytes(path.read_bytes().replace(b"frash", b"fresh"))  # restored from a backup
    ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    assert checks.every_answer_was_taken(raw, Settings()).passed


def test_load_source_takes_payloads_oldest_first_each_once_and_goes_on_after_a_refused_one(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    landing = landed(
        tmp_path,
        [
            ("2026-03-03", observations(("price", "2026-01", 1.7, 1))),
            ("2026-03-01", observations(("price", "2026-01", 1.5, 1))),
            ("2026-03-02", {"crash": True}),
        ],
    )
    landing.append(
        Retrieval(
            "tiny",
            "tiny",
            datetime.fromisoformat("2026-03-04"),
            "failed",
            error="tiny.example.org could not be reached",
        )
    )
    report = ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    assert [value for _, value, *_ in known(raw)] == [1.5, 1.7]
    assert len(report.refused) == 1
    assert rows(raw, "select outcome from raw.retrieval order by checked_at") == [
        ("fresh",),
        ("refused",),
        ("fresh",),
        ("failed",),
    ]
    again = ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    assert (again.payloads, rows(raw, "select count(*) from raw.retrieval")) == (0, [(4,)])


class SlowModule(TinyModule):
    """Does not get through a payload with the figure 1.5."""

    def parse(self, body: bytes, key: str, catalog: Catalog) -> Parsed:
        if b"1.5" in body:
            raise PayloadNotRead("not read within 60 s", source="tiny")
        return super().parse(body, key, catalog)


def test_what_was_not_read_in_time_waits_for_the_next_run_with_what_came_after_it(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    january = [("price", "2026-01", value, 1) for value in (1.5, 1.7)]
    days = ("2026-03-01", "2026-03-02")
    landing = landed(tmp_path, [(day, observations(row)) for day, row in zip(days, january, strict=True)])
    report = ingest.load_source(raw, source(), SlowModule(), CATALOG, landing)
    assert report.refused == ["[source=tiny] not read within 60 s"]
    for table in ("observation", "payload"):
        assert rows(raw, f"from raw.{table}") == [], table
    (said,) = rows(raw, "select error from raw.retrieval where outcome = 'waiting'")
    assert said == tuple(report.refused)
    assert said[0] in checks.every_answer_was_taken(raw, Settings()).examples
    again = ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    assert (again.payloads, again.refused) == (2, [])
    assert rows(raw, "select outcome from raw.retrieval") == [("fresh",), ("fresh",)]
    assert [value for _, value, *_ in known(raw)] == [1.5, 1.7]


def test_what_is_never_read_in_time_is_refused_once_a_much_newer_answer_waits_behind_it(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    january = [observations(("price", "2026-01", value, 1)) for value in (1.5, 1.7, 1.8)]
    days = ("2026-03-01", "2026-03-03", "2026-03-04")
    outcomes = []
    for several in (2, 2, 3, 3):
        landing = landed(tmp_path / str(several), list(zip(days, january, strict=True))[:several])
        ingest.load_source(raw, source(), SlowModule(), CATALOG, landing)
        outcomes.append([o for (o,) in rows(raw, "select outcome from raw.retrieval order by checked_at")])
    assert outcomes == [["waiting"], ["waiting"], ["refused", "fresh", "fresh"], ["refused", "fresh", "fresh"]]
    assert [value for _, value, *_ in known(raw)] == [1.7, 1.8]


@pytest.mark.parametrize("why", [errno.EIO, errno.EACCES, errno.EMFILE, errno.ESTALE, errno.ENOENT], ids=os.strerror)
@pytest.mark.parametrize("where", ["landing", "parser"])
def test_what_the_machine_does_not_give_waits_and_is_refused_for_good_only_if_it_is_lost(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int, where: str
) -> None:
    january = [observations(("price", "2026-01", value, 1)) for value in (1.5, 1.7)]
    landing = landed(tmp_path, list(zip(("2026-03-01", "2026-03-06"), january, strict=True)))

    read_bytes = Path.read_bytes

    def fails(*_: object) -> bytes:
        raise OSError(why, os.strerror(why))

    outcomes = []
    for _ in range(2):
        with monkeypatch.context() as patched:
            if where == "landing":
                patched.setattr(Path, "read_bytes", lambda path: fails() if path.suffix == ".gz" else read_bytes(path))
            else:
                patched.setattr(TinyModule, "parse", fails)
            report = ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
        outcomes.append([o for (o,) in rows(raw, "select outcome from raw.retrieval order by checked_at")])
        assert report.payloads == 0
        assert os.strerror(why) in report.refused[0] or "is not in landing" in report.refused[0]
    ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    if where == "landing" and why != errno.ENOENT:
        assert outcomes == [["waiting"]] * 2
        assert [value for _, value, *_ in known(raw)] == [1.5, 1.7]
    else:  # five days of answers wait behind it
        assert outcomes == [["waiting"], ["refused", "waiting"]]
        assert [value for _, value, *_ in known(raw)] == [1.7]


@pytest.mark.parametrize("killed_in", ["_record_retrieval", "_write_payload"])
def test_a_kill_between_the_rows_and_their_record_leaves_neither(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    content = observations(("price", "2026-01", 1.5, 1), rejects=[["other", "B7", "not a number: 'abc'"]])
    landing = landed(tmp_path, [("2026-03-01", content | {"filing_facts": [fact(5e9)]})])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"pipelines.ingest.load.{killed_in}", killed)
        with pytest.raises(KeyboardInterrupt):
            ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    tables = ("observation", "filing_fact", "coverage", "quarantine", "payload", "retrieval")
    assert {t: rows(raw, f"from raw.{t}") for t in tables} == {t: [] for t in tables}
    assert ingest.load_source(raw, source(), TinyModule(), CATALOG, landing).rows_added == 2
    assert rows(raw, "select series_id, rows, quarantined from raw.coverage order by 1") == [
        ("TINY", 1, 0),
        ("other", 0, 1),
        ("price", 1, 0),
    ]


def test_the_rows_of_a_refused_payload_are_in_quarantine_once(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    landing = landed(tmp_path, [("2026-03-01", observations(("price", "2026-01", 9999.0, 1)))])
    for _ in range(2):
        ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    assert rows(raw, "select count(*) from raw.quarantine") == [(1,)]
    assert rows(raw, "select outcome, error like '%1 of 1 rows broke%' from raw.retrieval") == [("refused", True)]


def test_coverage_counts_what_is_missing_and_quarantined_of_a_company_and_of_a_topic(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    content = {
        "filing_facts": [fact(5e9), fact(5e9, "not an accession number")],
        "policy_documents": [document(None, "minerals")],
        "rejects": [["CIK7", "fact 3", "'val' is not a number"], ["minerals", "document 2", "no title"]],
        "missing": {"CIK7": 2},
    }
    catalog = Catalog(
        CATALOG.sources.values(),
        CATALOG.series.values(),
        CATALOG.companies.values(),
        [],
        [Topic(id=t, source="tiny", title=t, conditions={"term": t}, since=date(2018, 1, 1), description=t)
         for t in ("minerals", "tariffs")],
    )  # fmt: skip
    content["rejects"].append(["tariffs", "document 3", "no title"])  # type: ignore[union-attr]
    report = load(raw, content, "2026-02-06", max_bad_share=0.9, catalog=catalog)
    assert rows(raw, "select series_id, rows, missing, quarantined from raw.coverage order by 1") == [
        ("TINY", 1, 2, 2),
        ("minerals", 1, 0, 1),
        ("tariffs", 0, 0, 1),
    ]
    assert report.without_rows == ["tariffs"]


def facts(count: int) -> list[list[Any]]:
    """So many facts of one filer, one filing each; the first is filed last."""
    return [fact(5e9, f"{7:010d}-26-{n:06d}", f"2026-02-{max(6 - n, 1):02d}") for n in range(1, count + 1)]


def whole(rows: list[list[Any]], **more: Any) -> dict[str, Any]:
    return {"filing_facts": rows, "whole": ["filing_fact"], **more}


WITHDRAWN = """
select accession, strftime(known_at, '%Y-%m-%d'), value from raw.filing_fact
where known_at_basis = 'withdrawn' order by 1
"""
VANISHED = "select rows_vanished from raw.coverage order by retrieved_at"


def test_a_fact_that_a_whole_answer_no_longer_states_is_withdrawn_from_that_day(raw: duckdb.DuckDBPyConnection) -> None:
    every = facts(12)
    gone = every[5][7]
    load(raw, whole(every), "2026-03-01")
    load(raw, whole([f for f in every if f[7] != gone]), "2026-03-02")
    assert rows(raw, WITHDRAWN) == [(gone, "2026-03-02", 5e9)]
    check = assets._contract_held(raw, source(), assets._held(raw, source()), ingest.Report())
    assert (check.passed, check.description) == (False, "1 facts of TINY are withdrawn from that answer on")
    load(raw, whole([f for f in every if f[7] != gone], again=1), "2026-03-03")
    assert len(rows(raw, WITHDRAWN)) == 1, "it is withdrawn once"
    assert rows(raw, VANISHED) == [(0,), (1,), (0,)]
    report = load(raw, whole(every, again=2), "2026-03-04")
    assert (report.rows_added, report.rows_changed) == (0, 1)
    newest = "select known_at_basis, strftime(known_at, '%Y-%m-%d') from raw.filing_fact where accession = ? order by 2"
    assert raw.execute(newest, [gone]).fetchall() == [
        ("reported", "2026-02-01"),
        ("withdrawn", "2026-03-02"),
        ("observed", "2026-03-04"),
    ]


REJECTED = [["CIK7", "us-gaap/Capex USD accession 0000000007-26-000006", "'val' is no number"]]


@pytest.mark.parametrize(
    ("count", "without", "answer", "vanished"),
    [
        (12, {6}, {"whole": []}, 0),
        (12, {6}, {"fidelity": "native rows, some tags only"}, 0),
        (12, {6}, {"key": "another"}, 0),
        (12, {6}, {"rejects": REJECTED}, 0),
        (12, {6}, {"broken": 6}, 0),
        (12, {1}, {}, 1),
        (30, set(range(10, 21)), {}, 11),
        (400, set(range(10, 31)), {}, 21),
    ],
    ids=[
        "a part of an answer", "rows of an answer", "another request", "it could not be read", "it broke its contract",
        "an older answer", "too many at once", "too large a share",
    ],
)  # fmt: skip
def test_a_fact_is_not_withdrawn_by(
    raw: duckdb.DuckDBPyConnection, count: int, without: set[int], answer: dict[str, Any], vanished: int
) -> None:
    every = facts(count)
    load(raw, whole(every), "2026-03-01")
    stated = [f for n, f in enumerate(every, 1) if n not in without]
    if broken := answer.pop("broken", None):
        stated.append([*every[broken - 1][:6], 1e308, *every[broken - 1][7:]])
    origin = {name: answer.pop(name) for name in ("key", "fidelity") if name in answer}
    load(raw, whole(stated) | answer, "2026-03-02", **origin)
    assert rows(raw, WITHDRAWN) == []
    assert rows(raw, VANISHED)[-1] == (vanished,)
    said = assets._contract_held(raw, source(), assets._held(raw, source()), ingest.Report()).description
    assert ("are no longer published" in str(said)) == bool(vanished)


def test_as_many_facts_as_a_correction_accepts_are_withdrawn(raw: duckdb.DuckDBPyConnection) -> None:
    load(raw, whole(facts(30)), "2026-03-01")
    key = FactKey(company="TINY", tag="Capex", period_start=date(2025, 1, 1), period_end=date(2025, 12, 31))
    entry = RecordCorrection(
        id="made_up",
        fact=key,
        action=CorrectionAction.ACCEPT,
        published=5e9,
        known_on=date(2026, 3, 2),
        reason="-",
        reference="-",
    )
    accepting = Catalog([source()], CATALOG.series.values(), CATALOG.companies.values(), [], record_corrections=[entry])
    load(raw, whole(facts(30)[:15]), "2026-03-02", catalog=accepting)
    assert len(rows(raw, WITHDRAWN)) == 15


def test_a_landed_payload_that_was_tampered_with_is_refused(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    landing = landed(tmp_path, [("2026-03-01", observations(("price", "2026-01", 1.5, 1)))])
    (stored,) = (tmp_path / "objects").glob("*/*.gz")
    stored.write_bytes(b"not gzip")
    report = ingest.load_source(raw, source(), TinyModule(), CATALOG, landing)
    assert "in landing is damaged" in report.refused[0]
    assert known(raw) == []


def bundle(folder: Path, vintages: Sequence[tuple[str, dict[str, Any]]]) -> Path:
    """A bundle compiled from payloads, as pipelines.authoring.bundle does it."""
    folder.mkdir()
    with warehouse.scratch() as connection:
        for at, content in vintages:
            load(connection, content, at, origin="bundled")
        for table in ingest.BUNDLED_TABLES:
            connection.execute(f"copy raw.{table} to '{folder / table}.parquet' (format parquet)")
    ingest.seal(folder)
    return folder


NOW = datetime.fromisoformat("2026-06-01")


def test_a_bundle_is_loaded_once(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    content = observations(("price", "2026-01", 1.5, 1))
    content |= {"filing_facts": [fact(5e9)], "policy_documents": [document(None)]}
    folder = bundle(tmp_path / "bundle", [("2026-03-01", content)])
    assert ingest.load_bundle(raw, folder, NOW) == 3
    assert ingest.load_bundle(raw, folder, NOW) == 0
    assert rows(raw, "select origin from raw.payload") == [("bundled",)]


def test_without_a_bundle_nothing_is_loaded(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert ingest.load_bundle(raw, tmp_path, NOW) == 0
    assert rows(raw, "select count(*) from raw.bundle") == [(0,)]


def test_a_newer_bundle_adds_only_its_new_payloads(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    first = ("2026-03-01", observations(("price", "2026-01", 1.5, 1)))
    second = ("2026-04-01", observations(("price", "2026-01", 1.5, 1), ("price", "2026-02", 1.6, 1)))
    ingest.load_bundle(raw, bundle(tmp_path / "old", [first]), NOW)
    assert ingest.load_bundle(raw, bundle(tmp_path / "new", [first, second]), NOW) == 1
    assert [value for _, value, *_ in known(raw)] == [1.5, 1.6]


def test_a_bundle_after_fetched_data_adds_only_what_is_new(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(raw, observations(("price", "2026-01", 1.5, 1), ("index", "2026-01", 100.0, 1)), "2026-03-01")
    older = observations(
        ("price", "2025-12", 1.4, 1),
        ("price", "2026-01", 1.5, 1),
        ("index", "2026-01", 99.0, 1),
        ("other", "2026-01", 9.0, 1),
    )
    assert ingest.load_bundle(raw, bundle(tmp_path / "bundle", [("2026-02-20", older)]), NOW) == 3
    assert known(raw) == [("2025-12", 1.4, "2026-01-10", "assumed_lag"), ("2026-01", 1.5, "2026-02-10", "assumed_lag")]
    assert [(value, day) for _, value, day, _ in known(raw, "index")] == [(99.0, "2026-02-20"), (100.0, "2026-03-01")]


def test_a_bundle_never_overrules_what_was_fetched_later(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(raw, observations(("price", "2026-01", 1.5, 1)), "2026-05-01")
    vintages = [
        ("2026-03-01", observations(("price", "2026-01", 1.4, 1))),
        ("2026-04-01", observations(("price", "2026-01", 1.6, 1))),
    ]
    assert ingest.load_bundle(raw, bundle(tmp_path / "bundle", vintages), NOW) == 0
    assert known(raw) == [("2026-01", 1.5, "2026-02-10", "assumed_lag")]


def test_a_bundle_retrieved_after_the_fetched_data_brings_its_revision(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load(raw, observations(("price", "2026-01", 1.5, 1)), "2026-03-01")
    vintages = [
        ("2026-03-10", observations(("price", "2026-01", 1.5, 1))),
        ("2026-04-01", observations(("price", "2026-01", 1.6, 1))),
    ]
    # The first vintage is the fetched payload's twin; the second one changes its figure.
    assert ingest.load_bundle(raw, bundle(tmp_path / "bundle", vintages), NOW) == 1
    assert known(raw)[1:] == [("2026-01", 1.6, "2026-04-01", "observed")]


@pytest.mark.parametrize(
    ("bundled", "added"),
    [
        ((2.3456, 4), [("2026-01", 2.3456, "2026-03-10", "refined")]),
        ((2.3456, None), [("2026-01", 2.3456, "2026-03-10", "refined")]),
        ((2.3, 1), []),
        ((2.36, 2), [("2026-01", 2.36, "2026-03-10", "observed")]),
    ],
)
def test_a_bundled_figure_beside_a_fetched_one_counts_as_if_it_had_been_fetched(
    raw: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    bundled: tuple[float, int | None],
    added: list[tuple[Any, ...]],
) -> None:
    load(raw, observations(("index", "2026-01", 2.35, 2)), "2026-03-01")
    later = bundle(tmp_path / "bundle", [("2026-03-10", observations(("index", "2026-01", *bundled)))])
    assert ingest.load_bundle(raw, later, NOW) == len(added)
    assert known(raw, "index")[1:] == added


def test_digits_that_a_bundle_gained_by_itself_are_added_to_the_fetched_figure(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load(raw, observations(("price", "2026-01", 2.3, 1)), "2026-03-01")
    vintages = [(f"2026-03-{10 * n}", observations(("price", "2026-01", v, n))) for n, v in ((1, 2.3), (2, 2.34))]
    assert ingest.load_bundle(raw, bundle(tmp_path / "bundle", vintages), NOW) == 1
    assert known(raw)[1:] == [("2026-01", 2.34, "2026-03-20", "refined")]


def test_a_bundled_document_is_told_apart_by_topic(raw: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(raw, {"policy_documents": [document(None)]}, "2026-02-03")
    both = {"policy_documents": [document(None), document(None, "minerals")]}
    assert ingest.load_bundle(raw, bundle(tmp_path / "bundle", [("2026-02-04", both)]), NOW) == 1
    assert rows(raw, "select count(*) from raw.policy_document") == [(2,)]


def _flipped(path: Path) -> None:
    """One bit of the middle of a file, the other way round."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_flipped, "observation.parquet is not the file whose SHA-256 is in SHA256SUMS"),
        (lambda path: path.unlink(), "observation.parquet is missing; SHA256SUMS names it"),
        (lambda path: _flipped(path.parent / "SHA256SUMS"), "SHA-256 is in SHA256SUMS|missing; SHA256SUMS names it"),
        (lambda path: (path.parent / "SHA256SUMS").unlink(), "SHA256SUMS is missing"),
        (lambda path: [f.unlink() for f in path.parent.glob("*.parquet")], "coverage.parquet is missing"),
    ],
    ids=["a flipped bit", "a file lost", "a flipped bit of the hashes", "the hashes lost", "every file lost"],
)
def test_a_damaged_bundle_is_not_loaded_and_the_file_is_named(
    raw: duckdb.DuckDBPyConnection, tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    folder = bundle(tmp_path / "bundle", [("2026-03-01", observations(("price", "2026-01", 1.5, 1)))])
    damage(folder / "observation.parquet")
    with pytest.raises(BadPayload, match=said):
        ingest.load_bundle(raw, folder, NOW)
    assert rows(raw, "select count(*) from raw.payload") == [(0,)]
    assert rows(raw, "select count(*) from raw.bundle") == [(0,)]


def test_a_series_that_begins_decades_earlier_than_in_the_answer_before_is_named(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    finding = checks.series_begin_where_they_did
    load(raw, observations(("price", "1985-01", 1.0, 1), ("other", "1985-01", 1.0, 1)), "2026-03-01")
    assert finding(raw, Settings()).passed
    longer = observations(*((s, m, 1.0, 1) for s, first in (("price", "1900-01"), ("other", "1976-01"))
                            for m in (first, "1985-01")))  # fmt: skip
    load(raw, longer, "2026-04-01")
    named = "price begins in 1900-01, at first in 1985-01: if it is right, state first_period in the catalogue"
    assert finding(raw, Settings()).examples == [named]
    more = observations(*((s, m, 1.0, 1) for s, first in (("price", "1900-01"), ("other", "1985-01"))
                          for m in (first, "1985-01", "1985-02") if m != first or m != "1985-01"))  # fmt: skip
    load(raw, more, "2026-05-01")
    assert finding(raw, Settings()).examples == [named], "until it is accepted"
    first = CATALOG.series["price"].model_copy(update={"first_period": date(1985, 1, 1)})
    warehouse.write_catalog(raw, Catalog(CATALOG.sources.values(), [first], [], []))
    assert finding(raw, Settings()).passed


FIRST_DAY = date(2026, 7, 1)


def alternating(raw: duckdb.DuckDBPyConnection, versions: Sequence[dict[str, Any]], days: int) -> None:
    for n in range(days):
        load(raw, versions[n % len(versions)], (FIRST_DAY + timedelta(days=n)).isoformat())


def after(days: int) -> Settings:
    return Settings(now=datetime.combine(FIRST_DAY + timedelta(days=days), datetime.min.time()))


def test_a_publisher_that_alternates_between_two_versions_is_named_and_every_day_says_its_own(
    raw: duckdb.DuckDBPyConnection,
) -> None:
    first, second = (
        observations(
            *(("price", f"2026-0{m}", v, 1) for m in (1, 2)), ("price", "2026-03", 3.0, 1), ("other", "2026-01", 9.0, 1)
        )
        for v in (1.0, 2.0)
    )
    alternating(raw, [first, second], 20)
    # One row for every figure that differs and day; the payloads are the same two.
    assert rows(raw, "select series_id, count(*) from raw.observation group by all order by 1") == [
        ("other", 1),
        ("price", 2 * 20 + 1),
    ]
    assert rows(raw, "select count(*) from raw.payload") == [(2,)]
    said = [as_of(raw, FIRST_DAY + timedelta(days=n)) for n in range(20)]
    assert [figures[2] for figures in said] == [1.0, 2.0] * 10
    finding = checks.publishers_do_not_alternate(raw, after(20))
    assert (finding.passed, finding.blocking, finding.said) == (False, False, "1 series alternate between two versions")
    assert finding.examples == [
        "price: 2 rows went back to what they were before, up to 18 times from 2026-07-03 to 2026-07-20; "
        "each version is held from its day on, and the newest counts"
    ]
    assert checks.publishers_do_not_alternate(raw, after(19 + 90)).examples == finding.examples
    assert checks.publishers_do_not_alternate(raw, after(19 + 91)).passed, "it has stopped"


def test_an_older_file_every_other_day_adds_nothing(raw: duckdb.DuckDBPyConnection) -> None:
    new = observations(*(("price", f"2026-0{m}", 1.0, 1) for m in (1, 2, 3)))
    load(raw, new, "2026-06-01")
    for n in range(1, 11):
        with pytest.raises(BadPayload, match="an older file"):
            load(raw, observations(("price", "2026-01", 5.0, 1)), f"2026-07-{n:02}")
        load(raw, new, f"2026-07-{n:02}T12:00")
    assert len(known(raw)) == 3


@pytest.mark.parametrize(
    ("versions", "subject"),
    [
        ([{"filing_facts": [fact(v)]} for v in (5e9, 5.2e9)], "CIK7 Capex"),
        ([{"policy_documents": [document(day)]} for day in ("2026-03-01", None)], "tariffs"),
        (
            [
                {"filing_facts": [fact(5e9), *more], "whole": ["filing_fact"]}
                for more in ([fact(1e9, "0000000007-26-000002", "2026-02-01")], [])
            ],
            "CIK7 Capex",
        ),
    ],
    ids=["a fact", "a document", "a fact withdrawn and stated again"],
)
def test_records_that_alternate_are_named(
    raw: duckdb.DuckDBPyConnection, versions: list[dict[str, Any]], subject: str
) -> None:
    alternating(raw, versions, 6)
    (example,) = checks.publishers_do_not_alternate(raw, after(6)).examples
    assert example.startswith(f"{subject}: 1 rows went back to what they were before, up to 4 times from 2026-07-03")


@pytest.mark.parametrize(
    "figures", [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 1.0, 2.0], [1.0, 1.0, 2.0, 1.0, 3.0, 1.0]]
)
def test_revisions_are_no_alternation(raw: duckdb.DuckDBPyConnection, figures: list[float]) -> None:
    alternating(raw, [observations(("price", "2026-01", v, 1)) for v in figures], len(figures))
    assert checks.publishers_do_not_alternate(raw, after(len(figures))).passed


def test_a_date_that_python_cannot_hold_is_rejected_with_its_year(raw: duckdb.DuckDBPyConnection) -> None:
    body = json.dumps(observations(("price", "2026-01", 1.0, 1), ("price", "2026-02", 2.0, 1))).encode()
    parsed = TinyModule().parse(body, "tiny", CATALOG)
    frame = parsed.observations.with_columns(
        pl.when(pl.col("value") == 2.0).then(pl.date(1, 1, 1).dt.offset_by("-2y")).otherwise("period").alias("period")
    )
    payload = ingest.Payload("a" * 64, "tiny", datetime.fromisoformat("2026-03-01"), body)
    verdict = ingest.load.judged(replace(parsed, observations=frame), payload, CATALOG)["observation"]
    assert verdict.good["value"].to_list() == [1.0]
    assert [(row["period"], row["reason"]) for row in verdict.bad.iter_rows(named=True)] == [
        (None, "period: a date in the year -1")
    ]
