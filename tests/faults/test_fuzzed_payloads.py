"""A sample of the mutated payloads of `python -m tests.fuzz`, and proof that its judge detects a fault."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import polars as pl
import pytest

from pipelines import catalog as catalogs
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, Parsed, fred
from tests.fuzz import judge, runner
from tests.fuzz.corpus import Seed
from tests.fuzz.mutate import Mutation

SHARE = 300  # of the 10,000 and more of a full run; each publisher has ten


def test_every_mutated_payload_ends_in_a_typed_error_or_in_honest_rows(shipped: Path) -> None:
    done = runner.run(shipped, SHARE, workers=2)
    faults = [f"{c['source']} {c['key']} case {c['seed']}, {c['mutation']}: {c['fault']}" for c in done if c["fault"]]
    assert faults == []
    assert len(done) == SHARE
    assert {c["source"] for c in done} == set(catalogs.load(Settings().catalog_dir).sources), "every parser"
    ends = {end: sum(c["end"] == end for c in done) for end in ("error", "refused", "rows")}
    assert min(ends.values()) > SHARE / 50, f"mutations that bite, and mutations that do not: {ends}"


SEED = Seed("fred", "fredgraph/FEDFUNDS", "0" * 64)
BODY = b"observation_date,FEDFUNDS\n2026-05-01,3.61\n2026-06-01,3.62\n2026-07-01,3.63\n"


def judged(mutation: Mutation) -> judge.Case:
    _, _, original = judge.read(BODY, SEED)
    assert len(original) == 3
    return judge.judge_mutation(SEED, 0, mutation, original)


def test_an_untouched_payload_is_well() -> None:
    case = judged(Mutation("nothing", BODY, 0))
    assert (case.end, case.rows, case.changed, case.fault) == ("rows", 3, 0, None)


def test_a_changed_figure_that_the_mutation_did_not_touch_is_a_fault() -> None:
    shifted = BODY.replace(b"3.61", b"3.62")
    assert "rows changed silently" in str(judged(Mutation("a shift", shifted, 0)).fault)
    assert judged(Mutation("a wrong number", shifted, 1)).fault is None


def test_an_invented_row_is_a_fault() -> None:
    assert "new" in str(judged(Mutation("a row more", BODY + b"2026-08-01,3.64\n", 0)).fault)


@pytest.mark.parametrize(
    ("parse", "fault"),
    [
        (lambda *_: {}["gone"], "untyped KeyError"),
        (lambda *_: "x" + 1, "untyped TypeError"),  # type: ignore[operator]
        (lambda *_: pl.Series([1]).cast(pl.Int8).cast(pl.Date).item().gone, "untyped AttributeError"),
        (lambda *_: sys.exit(), "untyped SystemExit"),
        (
            lambda *_: Parsed(observations=pl.DataFrame(schema=OBSERVATION | {"value": pl.String}).clear(1)),
            "contract could not be applied",
        ),
    ],
)
def test_a_parser_that_raises_what_is_not_typed_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, parse: object, fault: str
) -> None:
    monkeypatch.setattr(fred, "parse", parse)
    end, said, _ = judge.read(BODY, SEED)
    assert (end, said.startswith(fault)) == ("fault", True), said


def test_a_parser_that_takes_too_long_or_too_much_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "MAX_CPU_S", 0.05)

    def slow(*_: object) -> Parsed:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
        return Parsed()

    monkeypatch.setattr(fred, "parse", slow)
    assert "of processor time" in str(judge.judge_mutation(SEED, 0, Mutation("none", BODY, 0), {}).fault)
    monkeypatch.setattr(judge, "MAX_CPU_S", 60)
    monkeypatch.setattr(judge, "MAX_PEAK_MB", 50.0)
    monkeypatch.setattr(fred, "parse", lambda *_: Parsed() if b"x" * 200_000_000 else None)
    assert "MB" in str(judge.judge_mutation(SEED, 0, Mutation("none", BODY, 0), {}).fault)


def test_a_case_that_takes_its_process_down_is_a_fault_and_the_next_one_is_judged(tmp_path: Path) -> None:
    worker = runner.Worker(tmp_path)
    try:
        worker._process.kill()
        case = worker.judge(SEED, 0)
        assert "took the process down" in case["fault"]
        assert worker._process.is_alive()
    finally:
        worker.close()
