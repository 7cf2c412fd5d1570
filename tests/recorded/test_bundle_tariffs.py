"""The seed of tariff products is what the recorded lists say."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.authoring import tariff_seed

pytestmark = pytest.mark.recorded


def test_the_seed_is_written_from_the_recorded_lists(upstream: Path) -> None:
    products = tariff_seed.products(upstream / "tariffs")
    assert products.columns == list(tariff_seed.COLUMNS)
    assert products.write_csv() == tariff_seed.SEED.read_text(encoding="utf-8")


def test_every_product_of_aluminium_and_copper_is_there_and_no_steel(upstream: Path) -> None:
    products = tariff_seed.products(upstream / "tariffs")
    counts = {(a, b): n for a, b, n in products.group_by("product_list", "metal_id").len().iter_rows()}
    assert counts == {
        ("s232_copper_products", "copper"): 80,
        ("s232_derivative_products", "aluminium"): 94 + 117,  # before and from 18 August 2025
        ("s232_annex_products", "aluminium"): 16 + 61 + 38 + 7,
        ("s232_annex_products", "copper"): 76 + 3,
    }
    assert products.filter(product_list="s232_derivative_products")["effective_on"].null_count() == 94


def test_copper_applies_from_the_legal_day_and_not_from_the_schedules_revision(upstream: Path) -> None:
    copper = tariff_seed.products(upstream / "tariffs").filter(product_list="s232_copper_products")
    assert copper["effective_on"].unique().to_list() == ["2025-08-01"]
    assert copper.filter(pl.col("hts_prefix") == "74061000")["chapter_99_code"].to_list() == ["9903.78.01"]


def test_an_unknown_metal_is_no_silent_loss(tmp_path: Path) -> None:
    (tmp_path / "s232_copper_products.csv").write_text("hts10,ch99_code\n74061000,9903.78.01\n")
    (tmp_path / "s232_derivative_products.csv").write_text(
        "hts_prefix,ch99_code,derivative_type,effective_date\n1,2,zinc,\n"
    )
    (tmp_path / "s232_annex_products.csv").write_text("hts_prefix,annex,metal_type,source,effective_date\n")
    with pytest.raises(ValueError, match=r"neither known nor left out on purpose: \['zinc'\]"):
        tariff_seed.products(tmp_path)
