"""A synthetic upstream with planted truths, for tests only: nothing in it is a publisher's figure; its names say so.

Payloads have the publishers' own formats and pass through the project's parsers, contracts and ingest; two invented
companies are in a separate catalogue and one invented duty in a copy of the dbt project.

* China's producer prices follow the gap between M1 and M2 growth five months later.
* SYNTHETIC.PARADOX invests above depreciation while it loses money, from 2025 on; SYNTHETIC.SOUND does neither.
* A duty of 17 % on refined tin is published on 10 March 2023 and takes effect on 3 April 2023.
* Metals fall by 8 % per point of real yields. Geopolitical risk is noise that moves nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import catalog as catalogs
from pipelines import ingest, sources, transform, warehouse
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.sources import worldbank_pink_sheet
from tests.replay_routes.gpr import workbook

LEAD_MONTHS = 5
DUTY = "synthetic_duty_tin_2023"
DUTY_PCT, DUTY_PUBLISHED, DUTY_EFFECTIVE = 17, date(2023, 3, 10), date(2023, 4, 3)
YIELD_EFFECT_PCT_PER_PP = -8.0
RETRIEVED = datetime(2026, 7, 20, 12, tzinfo=UTC).replace(tzinfo=None)
DAY = date(2026, 7, 31)
MONTHS = [date(y, m, 1) for y in range(2007, 2027) for m in range(1, 13) if (y, m) < (2026, 7)]
METALS = {  # column of the Pink Sheet: unit, price of the first month
    "Aluminum": ("($/mt)", 2500.0),
    "Copper": ("($/mt)", 7000.0),
    "Lead": ("($/mt)", 2000.0),
    "Nickel": ("($/mt)", 20000.0),
    "Tin": ("($/mt)", 20000.0),
    "Zinc": ("($/mt)", 2500.0),
    "Gold": ("($/troy oz)", 1000.0),
    "Silver": ("($/troy oz)", 15.0),
    "Platinum": ("($/troy oz)", 1000.0),
}
US_GAAP = {
    "capex": "PaymentsToAcquirePropertyPlantAndEquipment",
    "depreciation": "DepreciationDepletionAndAmortization",
    "revenue": "Revenues",
    "operating_income": "OperatingIncomeLoss",
}
COMPANIES = {"SYNTHETIC.PARADOX": 9999999901, "SYNTHETIC.SOUND": 9999999902}


class SyntheticSettings(Settings):
    """Settings whose dbt project is a copy with the planted duty in it."""

    @property
    def dbt_project_dir(self) -> Path:
        return self.warehouse_dir / "synthetic_dbt_project"


def build(folder: Path) -> SyntheticSettings:
    """A scratch warehouse of the synthetic set with its seeds; transform.history runs the models for a day."""
    catalog_dir = folder / "synthetic_catalog"
    shutil.copytree(PROJECT_ROOT / "pipelines" / "catalog", catalog_dir)
    (catalog_dir / "companies.yaml").write_text(json.dumps({"companies": list(_companies())}), encoding="utf-8")
    gpr = catalog_dir / "series" / "gpr.yaml"  # the synthetic index begins with the other figures
    begins = re.sub(r"first_period: [0-9-]+", f"first_period: {MONTHS[0]}", gpr.read_text(encoding="utf-8"))
    gpr.write_text(begins, encoding="utf-8")
    settings = SyntheticSettings(warehouse_dir=folder, catalog_dir=catalog_dir, as_of=None)
    shutil.copytree(
        PROJECT_ROOT / "dbt_project", settings.dbt_project_dir, ignore=shutil.ignore_patterns("target", "logs")
    )
    _plant_duty(settings.dbt_project_dir / "seeds")
    catalog = catalogs.load(catalog_dir)
    report = ingest.Report()
    with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
        warehouse.write_catalog(connection, catalog)
        for source, key, body in _payloads():
            payload = ingest.Payload(hashlib.sha256(body).hexdigest(), key, RETRIEVED, body, "synthetic:" + key)
            ingest.load_payload(connection, payload, catalog.sources[source], sources.module(source), catalog, report)
    results = transform.build(
        settings, [n["name"] for n in transform.compiled(settings).values() if n["resource_type"] == "seed"]
    )
    failed = [r for r in results if r.failed]
    assert results
    assert not failed, failed
    return settings


def _plant_duty(seeds: Path) -> None:
    with (seeds / "curated_policy_events.csv").open("a", encoding="utf-8") as lines:
        lines.write(
            f"{DUTY},section_232,tin,synthetic refined tin,tariff,{DUTY_PCT},all,,,{DUTY_PUBLISHED},{DUTY_EFFECTIVE},,,"
            "synthetic proclamation,0 FR 0,2023-00000,https://example.org/synthetic,planted for tests\n"
        )
    with (seeds / "measure_coverage.csv").open("a", encoding="utf-8") as lines:
        lines.write(f"{DUTY},tin,refined,true,true,,Synthetic,planted for tests\n")


def _companies() -> Iterator[dict[str, Any]]:
    for company_id, cik in COMPANIES.items():
        yield {
            "id": company_id,
            "name": f"Synthetic producer {company_id}",
            "role": "aluminium",
            "ciks": [{"cik": cik}],
            "fiscal_year_end": "12-31",
            "concepts": {concept: [tag] for concept, tag in US_GAAP.items()},
            "filing_lag_days": 75,
            "description": "Synthetic, for tests only.",
        }


def _payloads() -> Iterator[tuple[str, str, bytes]]:
    """Publisher, request key and body, in no particular order."""
    random = np.random.default_rng(20260731)
    n = len(MONTHS)

    def walk(persistence: float, size: float) -> np.ndarray:
        values = np.zeros(n)
        for i, shock in enumerate(random.normal(0, size, n)):
            values[i] = persistence * values[i - 1] + shock if i else shock
        return values

    gap = walk(0.8, 1.5)
    m2 = 9 + walk(0.9, 0.2)
    prices = np.full(n, np.nan)
    prices[LEAD_MONTHS:] = 0.8 * gap[:-LEAD_MONTHS] + random.normal(0, 0.3, n - LEAD_MONTHS)
    money = [
        {"REPORT_DATE": f"{m} 00:00:00", "CURRENCY_SAME": round(b + g, 1), "BASIC_CURRENCY_SAME": round(b, 1)}
        for m, b, g in zip(MONTHS, m2, gap, strict=True)
    ]
    inflation = [
        {"REPORT_DATE": f"{m} 00:00:00", "BASE_SAME": round(p, 1), "BASE": round(100 + p, 1)}
        for m, p in zip(MONTHS, prices, strict=True)
        if np.isfinite(p)
    ]
    for report, rows in (("RPT_ECONOMY_CURRENCY_SUPPLY", money), ("RPT_ECONOMY_PPI", inflation)):
        result = {"pages": 1, "data": rows[::-1], "count": len(rows)}
        body = {"version": "synthetic", "result": result, "success": True, "message": "ok", "code": 0}
        yield "eastmoney", report, json.dumps(body).encode()

    real = 1 + walk(0.95, 0.25)
    nominal = real + 2 + walk(0.9, 0.1)
    dollar = 110 * np.exp(walk(0.97, 0.01))
    for series, values in (("DFII10", real), ("DGS10", nominal), ("DTWEXBGS", dollar)):
        lines = [f"observation_date,{series}"]
        for month, value in zip(MONTHS, values, strict=True):
            for day in range(28):
                at = month + timedelta(days=day)
                if at.weekday() < 5:
                    lines.append(f"{at},{value:.4f}")
        yield "fred", f"fredgraph/{series}", ("\n".join(lines) + "\n").encode()

    change = np.diff(np.round(real, 4), prepend=np.round(real[0], 4))
    quotations = {}
    for name, (_, first) in METALS.items():
        returns = YIELD_EFFECT_PCT_PER_PP * change + random.normal(0, 1.0, n)
        returns[0] = 0
        quotations[name] = first * np.exp(np.cumsum(returns) / 100)
    table = [["", *METALS], ["", *(unit for unit, _ in METALS.values())]]
    for i, month in enumerate(MONTHS):
        table.append([f"{month:%YM%m}", *(f"{quotations[name][i]:.4f}" for name in METALS)])
    notes = [["Synthetic prices"], ["monthly prices"], [""], ["Updated on July 02, 2026"]]
    yield "worldbank_pink_sheet", worldbank_pink_sheet.WORKBOOK_KEY, workbook({"Monthly Prices": [*notes, *table]})

    risk = 100 + 50 * (random.random(n) < 0.25) + random.normal(0, 5, n)
    labels = [["GPR", "Recent GPR (Index: 1985:2019=100)"], ["GPRH", "Historical GPR (Index: 1900:2019=100)"]]
    rows = [["month", "GPR", "GPRH", "var_name", "var_label"]]
    for i, (month, value) in enumerate(zip(MONTHS, risk, strict=True)):
        rows.append([f"{month} 00:00:00", f"{value:.4f}", f"{value:.4f}", *(labels[i] if i < 2 else ["", ""])])
    yield "gpr", "data_gpr_export", workbook({"Sheet1": rows})

    for company_id, cik in COMPANIES.items():
        yield "sec_edgar", f"companyfacts/CIK{cik:010d}", _companyfacts(company_id, cik)


def _companyfacts(company_id: str, cik: int) -> bytes:
    """Quarters of 2018 to the first of 2026, in millions of dollars: sound until 2024, then as the name says."""
    facts: dict[str, Any] = {tag: {"label": tag, "units": {"USD": []}} for tag in US_GAAP.values()}
    for year in range(2018, 2027):
        for quarter in (1, 2, 3, 4):
            start = date(year, 3 * quarter - 2, 1)
            end = date(year + quarter // 4, 3 * quarter % 12 + 1, 1) - timedelta(days=1)
            if end > date(2026, 3, 31):
                break
            in_paradox = company_id == "SYNTHETIC.PARADOX" and year >= 2025
            millions = {"capex": 60, "depreciation": 100, "revenue": 1000, "operating_income": 80}
            if in_paradox:
                millions |= {"capex": 150, "operating_income": -50}
            for concept, value in millions.items():
                facts[US_GAAP[concept]]["units"]["USD"].append(
                    {
                        "start": f"{start}",
                        "end": f"{end}",
                        "val": value * 1_000_000,
                        "accn": f"{cik:010d}-{year % 100:02d}-{quarter:06d}",
                        "fy": year,
                        "fp": "FY" if quarter == 4 else f"Q{quarter}",
                        "form": "10-K" if quarter == 4 else "10-Q",
                        "filed": f"{end + timedelta(days=40)}",
                    }
                )
    return json.dumps({"cik": cik, "entityName": f"Synthetic {company_id}", "facts": {"us-gaap": facts}}).encode()
