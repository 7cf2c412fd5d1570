"""The brief for programs: the answers of the page as one JSON document, whose schema these models are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from pipelines import landing, warehouse
from pipelines.brief.answers import Answer, Answers
from pipelines.catalog import Frequency, period_label
from pipelines.text import printable

# A publisher to which no connection is made counts as broken this long after its last answer: two daily runs in a row.
UNREACHED_FOR = timedelta(hours=36)

Text = Annotated[str, AfterValidator(printable)]
Verdict = Literal["supported", "contradicted", "mixed", "undetermined", "no_data"]
State = Literal["opening", "open", "closing", "closed"]


class _Part(BaseModel):
    # A member without a value is null, never absent; infinities and NaN are no figures.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Figure(_Part):
    """A headline figure: the newest of its kind."""

    figure: Text = Field(description="What it is")
    value: float = Field(description="Its value in `unit`, not rounded")
    unit: Text = Field(description="Unit: usd_per_tonne, usd, yoy_pct, pct, pp, pct_of_gdp, index ...")
    frequency: Text = Field(description="daily, monthly, quarterly, annual or us_fiscal_year")
    period: date = Field(description="First day of the period")
    period_label: Text = Field(description="Its name: Aug 2026, 2026Q2, FY2025")
    known_at: AwareDatetime | None = Field(description="When the figure became known")
    table_name: Text = Field(description="The published table that has it")
    column_name: Text = Field(description="Its column there")


class Evidence(_Part):
    """An indicator of a claim."""

    indicator: Text = Field(description="Name of the indicator")
    role: Literal["decisive", "supporting"] = Field(description="Whether it makes the verdict, or is shown beside it")
    finding: Text = Field(description="The value in a sentence")
    value: float | None = Field(description="Its value in `unit`; null where there is none")
    unit: Text = Field(description="Unit of the value")
    period: date | None = Field(description="First day of the period")
    period_label: Text | None = Field(description="Its name")
    known_at: AwareDatetime | None = Field(description="When the value became known")
    reading: Literal["supports", "contradicts", "neutral", "missing"] = Field(description="How the rule reads it")
    is_stale: bool | None = Field(description="Whether it is too old to count; null without a value")
    reason: Text = Field(description="Why its threshold is where it is")


class Claim(_Part):
    """A claim with its verdict and evidence."""

    claim_id: Text = Field(description="C2, for instance")
    name: Text = Field(description="Short name as an identifier")
    title: Text = Field(description="Short name to be shown")
    statement: Text = Field(description="What is claimed")
    verdict: Verdict = Field(description="Verdict as of the as-of day")
    because: Text = Field(description="The evidence in sentences")
    last_verdict: Verdict | None = Field(
        description="The last verdict other than undetermined and no_data; may be today's"
    )
    last_verdict_on: date | None = Field(description="Its day")
    decidable_until: date | None = Field(description="Last day on which today's decisive evidence counts")
    known_at: AwareDatetime | None = Field(description="When the newest fresh evidence became known")
    decisive_indicators: int = Field(description="Decisive indicators of the rule")
    decisive_supporting: int = Field(description="Of these, fresh and supporting")
    decisive_contradicting: int = Field(description="Of these, fresh and contradicting")
    decisive_missing_or_stale: int = Field(description="Of these, missing or too old")
    defined_in: Literal["project", "overlay"] = Field(description="overlay for a claim of the user's own")
    evidence: list[Evidence] = Field(description="Its indicators")


class Flip(_Part):
    """A verdict that differs from that of the publication before."""

    claim_id: Text = Field(description="Claim")
    verdict_before: Verdict = Field(description="Verdict in the publication before")
    verdict_after: Verdict = Field(description="Verdict now")


class Divergence(_Part):
    """Two indicators that usually move together, and whether they do."""

    divergence_id: Text = Field(description="Divergence")
    subject: Text = Field(description="What it is of: a metal, a company, a country")
    subject_name: Text = Field(description="Its name")
    title: Text = Field(description="What is set against what")
    claim_id: Text = Field(description="Claim that it is evidence for")
    state: State = Field(description="State of the newest period")
    state_since: date = Field(description="First day of that state")
    gap_zscore: float | None = Field(description="The gap in standard deviations from its own past")
    left_label: Text = Field(description="One side, with its unit")
    left_value: float | None = Field(description="Its value")
    right_label: Text = Field(description="The other side, with its unit")
    right_value: float | None = Field(description="Its value")
    period: date = Field(description="First day of the newest period")
    period_label: Text = Field(description="Its name")
    known_at: AwareDatetime = Field(description="When the newest figure behind the state became known")
    is_stale: bool = Field(description="Whether the state is the last one known, not today's")


class StateChange(_Part):
    """A divergence whose state differs from that of the publication before."""

    divergence_id: Text = Field(description="Divergence")
    subject: Text = Field(description="Subject")
    title: Text | None = Field(description="What is set against what; null where it is no longer computed")
    state_before: State | None = Field(description="State in the publication before; null where absent")
    state_after: State | None = Field(description="State now; null where absent")


class Nowcast(_Part):
    """China's producer prices on the year in a month to come, as its money lets expect them."""

    target_month: date = Field(description="First day of the month")
    horizon_months: int = Field(description="Months from the last known month of producer prices")
    origin_month: date = Field(description="First day of that last known month")
    forecast_pct: float = Field(description="Forecast, per cent on the year")
    forecast_lower_80_pct: float = Field(description="Lower end of its 80 % band of past errors")
    forecast_upper_80_pct: float = Field(description="Upper end of the band")
    no_change_pct: float = Field(description="Producer prices of the last known month: the forecast of no change")
    forecasts: int = Field(description="Past forecasts with an outcome")
    rmse_pp: float = Field(description="Their root mean squared error, percentage points")
    rmse_no_change_pp: float = Field(description="The same of no change")
    rmse_own_past_pp: float = Field(description="The same without money")
    beats_no_change: bool | None = Field(
        description="Whether the forecasts are better than no change beyond chance; null where that was not tested"
    )
    band_covered_pct: float | None = Field(description="Share of past outcomes inside such bands")
    known_at: AwareDatetime = Field(description="When the newest figure behind it became known")


class Publisher(_Part):
    """A publisher: what is held of it, and whether it answers."""

    source_id: Text = Field(description="Publisher, as in the catalogue")
    title: Text = Field(description="Its name")
    figures: Literal["current", "stale", "missing"] = Field(
        description="Whether figures are held, and each series is within its age limit"
    )
    origin: Text | None = Field(description="fetched, or bundled with the project; null without figures")
    last_period_end: date | None = Field(
        description="End of the newest period; of filings and documents the newest day"
    )
    answers: bool | None = Field(
        description="Whether its last answers came and were taken; false where it is broken; null if it never "
        "answered, or was not reached for less than 36 hours"
    )
    fault: Text | None = Field(description="What is wrong with its last answers; null where nothing is")
    last_asked_at: AwareDatetime | None = Field(description="When it was last asked")
    retrieved_at: AwareDatetime | None = Field(description="When the newest payload was retrieved")
    credit: Text = Field(description="Credit line, to be shown with its figures")
    licence: Text = Field(description="Its terms")
    homepage: Text = Field(description="Its homepage")


class Licences(_Part):
    """What happened to figures licensed for personal use."""

    shown: bool = Field(description="Whether such figures are included: then do not share the document")
    publishers: list[Text] = Field(description="Publishers in the warehouse whose terms allow personal use only")


class Digest(_Part):
    """The answers of the brief of a published warehouse, for programs. Times are in UTC; a missing figure is null."""

    schema_version: Literal[1] = Field(description="Raised when a member changes its meaning or is removed")
    as_of: date = Field(description="Nothing that became known after this day was used")
    made_at: AwareDatetime = Field(description="When this document was made")
    published_at: AwareDatetime | None = Field(description="When the build behind it was finished")
    previous_published_at: AwareDatetime | None = Field(description="The same of the publication before")
    personal_use: Licences
    headline_figures: list[Figure] = Field(description="The figures at the head of the page")
    claims: list[Claim] = Field(description="Every claim")
    verdict_flips: list[Flip] = Field(description="Verdicts that differ from the publication before")
    divergences: list[Divergence] = Field(description="Every divergence, open ones first")
    divergence_changes: list[StateChange] = Field(description="States that differ from the publication before")
    ppi_nowcast: list[Nowcast] = Field(description="China's producer prices in the months to come, farthest first")
    publishers: list[Publisher] = Field(description="Every publisher")

    def text(self) -> str:
        """The document as it is written."""
        return self.model_dump_json(indent=1) + "\n"


def digest(answers: Answers, made_at: datetime) -> Digest:
    """The document of a published warehouse. `made_at`: the current time, UTC."""
    [publication] = _rows(answers["json_publication"])
    evidence: dict[str, list[Evidence]] = {}
    for row in _rows(answers["json_evidence"]):
        evidence.setdefault(row["claim_id"], []).append(_part(Evidence, row))
    faults = _faults(answers)
    return Digest(
        schema_version=1,
        as_of=publication["as_of"],
        made_at=made_at.replace(tzinfo=UTC),
        published_at=publication["published_at"],
        previous_published_at=publication["previous_published_at"],
        personal_use=Licences(
            shown=bool(answers.own_use.publishers) and answers.own_use.shown, publishers=answers.own_use.publishers
        ),
        headline_figures=[
            _part(Figure, row | {"period_label": period_label(row["period"], Frequency(row["frequency"]))})
            for row in _rows(answers["json_figures"])
        ],
        claims=[
            _part(Claim, row | {"evidence": evidence.get(row["claim_id"], [])}) for row in _rows(answers["json_claims"])
        ],
        verdict_flips=[_part(Flip, row) for row in _rows(answers["verdict_flips"])],
        divergences=[_part(Divergence, row) for row in _rows(answers["json_divergences"])],
        divergence_changes=[_part(StateChange, row) for row in _rows(answers["json_divergence_changes"])],
        ppi_nowcast=[_part(Nowcast, row) for row in _rows(answers["ppi_nowcast"])],
        publishers=[
            _part(
                Publisher,
                row | {"figures": row["state"]} | faults.get(row["source_id"], {"answers": None, "fault": None}),
            )
            for row in _rows(answers["sources"])
        ],
    )


def _part(kind: type[Any], row: dict[str, Any]) -> Any:
    return kind(**{name: row[name] for name in kind.model_fields})


def _rows(answer: Answer) -> Iterator[dict[str, Any]]:
    """Its rows, with the zone that the warehouse's times are in."""
    for row in answer.frame.iter_rows(named=True):
        yield {k: v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for k, v in row.items()}


def _faults(answers: Answers) -> dict[str, dict[str, Any]]:
    """By publisher that was asked: whether it answers, and its fault.

    A refused answer, a block or an error of the server counts at once; a host that is not reached, which may be this
    machine's network, when that lasts (UNREACHED_FOR). An answer that was not read in time is read by the next run.
    """
    asked = answers.connection.execute(
        "select source_id, max(checked_at), max(checked_at) filter (where outcome in ('fresh', 'unchanged', 'absent')) "
        "from raw.retrieval group by source_id"
    ).fetchall()
    standing: dict[str, list[tuple[str, str]]] = {}
    for source_id, _, outcome, reason in warehouse.standing_faults(answers.connection):
        standing.setdefault(source_id, []).append((outcome, str(reason or outcome)))
    found = {}
    for source_id, last_asked, last_answered in asked:
        reasons = standing.get(source_id, [])
        lasts = last_answered is not None and last_asked - last_answered >= UNREACHED_FOR
        counted = [r for outcome, r in reasons if outcome != "waiting" and (lasts or not landing.is_unreached(r))]
        answers_now = False if counted else None if reasons or last_answered is None else True
        fault = landing.plain((counted or [r for _, r in reasons])[0]) if reasons else None
        found[source_id] = {"answers": answers_now, "fault": fault}
    return found
