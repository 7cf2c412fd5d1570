"""China's statistics office and customs over HTTP: tables by POST, pages by an index, and what both do at times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines import catalog as catalogs
from pipelines.catalog import Catalog
from pipelines.settings import Settings
from tests.faults.conftest import Desk
from tests.replay import STATS_OFFICE, Replay
from tests.replay_routes import gacc as customs_pages
from tests.replay_routes.nbs import document, month

MONDAY = datetime(2026, 8, 17, 22, 30)  # noqa: DTZ001 - UTC without a zone, as the warehouse stores it
OFFICE, CUSTOMS = "/".join(STATS_OFFICE).replace("//", "/"), "english.customs.gov.cn/statics/report/monthly.html"
# As described by those who met it: 38 kB of scripts, and a line for those who read it. Or the line in a long page.
LINE = b"Please enable JavaScript and refresh the page."
CHALLENGES = {
    "scripts": b"<!DOCTYPE html><html><script>%s</script><body>%s</body></html>" % (b"var a='x';" * 3_800, LINE),
    "text": b"<!DOCTYPE html><html><script>a()</script><body>%s%s</body></html>" % (LINE, b" text" * 7_600),
}
ALUMINIUM, SINCE_JANUARY = (
    "nbs_aluminium_output_ten_thousand_tonnes",
    "nbs_aluminium_output_ytd_ten_thousand_tonnes",
)
ORES = "gacc_imports_copper_ores_ten_thousand_tonnes"


@pytest.fixture(scope="module")
def china() -> Catalog:
    whole = catalogs.load(Settings().catalog_dir)
    names = ("nbs", "gacc")
    return Catalog(
        [whole.sources[name] for name in names],
        [series for name in names for series in whole.series_of(name)],
        [],
        whole.metals.values(),
    )


@pytest.fixture(scope="module")
def desk(shipped: Path, tmp_path_factory: pytest.TempPathFactory, china: Catalog) -> Iterator[Desk]:
    """One desk for all tests here, each some days later than the one before; begun with a good day."""
    folder = tmp_path_factory.mktemp("china")
    with Replay(shipped, MONDAY) as running, closing(Desk(running, folder, china)) as found:
        first = found.run()
        assert all(check.passed for check in (*first.answered.values(), *first.contract_held.values()))
        yield found


@pytest.fixture(autouse=True)
def _mended(desk: Desk) -> Iterator[None]:
    yield
    desk.replay.mend()
    desk.replay.unserve()


def test_each_table_is_one_post_and_each_page_is_asked_for_once(desk: Desk) -> None:
    posts = desk.replay.requests_to(OFFICE)
    assert len(posts) == 13
    assert all(seen.headers["content-type"] == "application/json;charset=UTF-8" for seen in posts)
    pages = Counter(seen.path for seen in desk.replay.requests_to("english.customs.gov.cn"))
    # Three indices; two tables a month from January 2024 to June 2026: July's are out on 20 August.
    assert len(pages) == 3 + 2 * 30
    assert set(pages.values()) == {1}


def test_figures_end_where_the_answers_do(desk: Desk) -> None:
    aluminium = desk.figures(ALUMINIUM)
    assert max(aluminium) == date(2026, 6, 1)
    assert not {period.month for period in aluminium} & {1, 2}
    since = desk.figures(SINCE_JANUARY)
    assert since[date(2026, 3, 1)] - since[date(2026, 2, 1)] == pytest.approx(aluminium[date(2026, 3, 1)])
    assert date(2026, 1, 1) not in since
    assert max(desk.figures("nbs_ppi_yoy_pct").items()) == (date(2026, 5, 1), 3.9)  # the report of June that ships
    assert (min(desk.figures(ORES)), max(desk.figures(ORES))) == (date(2024, 1, 1), date(2026, 6, 1))


def test_a_month_advertised_before_it_is_filled_is_missing_and_dated_by_the_retrieval_that_has_it(desk: Desk) -> None:
    missing = f"select sum(missing) from raw.coverage where series_id = '{ALUMINIUM}'"
    dated = "select known_at, known_at_basis from raw.observation"
    known = f"{dated} where series_id = '{ALUMINIUM}' and period = '2026-07-01'"
    advertised = desk.rows(missing)
    assert advertised[0][0] == 1 + 2 * 21, "July, and each January and February since March 2005"
    assert desk.rows(known) == []

    desk.replay.now = "2026-08-22"
    desk.run(5)
    assert desk.rows(known) == [(datetime(2026, 8, 20), "assumed_lag")]  # noqa: DTZ001

    desk.replay.now = "2026-09-17"  # August is late: a run after the day it is due does not find it
    desk.run(29)
    desk.replay.now = "2026-09-26"
    desk.run(6)
    ((known_at, basis),) = desk.rows(known.replace("2026-07-01", "2026-08-01"))
    assert (f"{known_at:%Y-%m-%d}", basis) == ("2026-09-26", "observed")


def test_a_refused_page_of_a_closed_month_is_asked_for_until_it_is_taken(
    replay: Replay, tmp_path: Path, china: Catalog
) -> None:
    replay.now = MONDAY
    alone = Catalog([china.sources["gacc"]], china.series_of("gacc"), [], china.metals.values())
    month, page = date(2024, 3, 1), "english.customs.gov.cn" + customs_pages.address("import", 2024, 3)
    row = ("Copper ores and concentrates", "BARREL", "-", "x", "y", "z")
    replay.serve(page, customs_pages.documented_page("import", "3.2024", [row] * 9), "text/html")
    with closing(Desk(replay, tmp_path, alone)) as desk:
        assert len(desk.run().reports["gacc"].refused) == 1
        for _ in range(2):
            replay.seen.clear()
            desk.run()
            assert len([seen for seen in replay.seen if page.endswith(seen.path)]) == 1
        assert month not in desk.figures(ORES)
        replay.unserve()
        desk.run()
        assert month in desk.figures(ORES)
        replay.seen.clear()
        desk.run()
        assert not [seen for seen in replay.seen if page.endswith(seen.path)]


def test_older_pages_are_closed_and_the_newest_are_asked_for_again(desk: Desk) -> None:
    desk.replay.seen.clear()
    desk.run()
    assert len(desk.replay.requests_to("english.customs.gov.cn")) == 3 + 2 * 4, "May to August"


@pytest.mark.parametrize("page", CHALLENGES.values(), ids=CHALLENGES)
def test_a_challenge_page_keeps_what_was_known_and_is_over_when_it_is_over(desk: Desk, page: bytes) -> None:
    before = desk.everything()
    desk.replay.serve(OFFICE, page, "text/html")
    faulty = desk.run()
    assert faulty.outcomes("nbs") == ["blocked"] * 3 + ["not_tried"] * 10
    assert "blocked, answered 200 with a page of scripts" in faulty.said("nbs")
    assert "Please enable JavaScript" in faulty.said("nbs")
    assert "[source=nbs row=esData/" in faulty.said("nbs")
    assert desk.everything() == before
    desk.replay.unserve()
    assert desk.run().answered["nbs"].passed


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (document(), "success without months"),
        (document(success=False, message="系统异常", data=None), "no success: 系统异常"),
        (document(month("202606MM", ("15" * 16, "火力发电量当期值 (亿千瓦时)", "5"))), "no figure of the indicators"),
    ],
)
def test_an_empty_success_a_refusal_and_another_series_change_no_figure(desk: Desk, body: bytes, what: str) -> None:
    before = desk.everything()
    desk.replay.serve(OFFICE, body, "application/json")
    faulty = desk.run()
    assert what in faulty.said("nbs")
    assert len(faulty.reports["nbs"].refused) == 13
    assert desk.everything() == before
    assert faulty.contract_held["gacc"].passed, "the other goes on"


def test_the_right_id_under_another_label_is_quarantined_and_the_known_figures_stand(desk: Desk) -> None:
    before = desk.everything()
    ids = [desk.catalog.series[name].select["indicator"] for name in (ALUMINIUM, SINCE_JANUARY)]
    right, wrong = "原铝（电解铝）产量累计值 (万吨)", "生铁产量当期值 (万吨)"
    values = [(ids[0], wrong, "7000"), (ids[1], right, "2190.4")]
    desk.replay.serve(OFFICE, document(*(month(f"20260{n}MM", *values) for n in (6, 5))), "application/json")
    desk.run()
    assert desk.figures(ALUMINIUM) == before[ALUMINIUM]
    assert (ALUMINIUM, "2 values are of '生铁产量当期值 (万吨)', not '^原铝.*当期值 ?\\(万吨\\)$'") in [
        (series, reason) for series, _, reason in desk.quarantined()
    ]
    # The figure that came under its right label was taken; the office's next answer takes it back.
    assert desk.figures(SINCE_JANUARY)[date(2026, 6, 1)] == 2190.4
    desk.replay.unserve()
    desk.run()
    assert desk.everything() == before


@pytest.mark.parametrize(
    ("fault", "what"),
    [("404", "answered 404"), ("403_html", "answered 403"), ("200_html", "fewer than the minimum of 500")],
)
def test_an_index_that_is_none_keeps_what_was_known(desk: Desk, fault: str, what: str) -> None:
    before = desk.everything()
    desk.replay.fault(CUSTOMS, fault)
    faulty = desk.run()
    assert what in faulty.said("gacc")
    assert desk.everything() == before


def test_the_page_of_another_month_does_not_land(desk: Desk) -> None:
    before = desk.everything()
    page = "english.customs.gov.cn" + customs_pages.address("import", 2026, 8)
    row = ("Copper ores and concentrates", "10000T", "1", "1", "2", "2")
    desk.replay.serve(page, customs_pages.documented_page("import", "8.2025", [row] * 9), "text/html")
    faulty = desk.run()
    assert "import/2026-08: is of 2025-08" in faulty.said("gacc")
    assert desk.everything() == before
