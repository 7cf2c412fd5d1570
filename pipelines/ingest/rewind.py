"""The way out after the clock was ahead: what was recorded of later times is set aside, and nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines import warehouse
from pipelines.errors import PublishedUnreadable
from pipelines.landing import Landing
from pipelines.settings import Settings


@dataclass(frozen=True)
class Rewound:
    """What was set aside: lines by journal, and the new name of the build, if there was one."""

    lines: dict[str, int]
    build: str | None


def rewind(settings: Settings) -> Rewound | None:
    """Set aside the journals' lines of times later than now, and the build; None if nothing is of a later time.

    The next run fetches again what those lines were of, and makes the build again from landing. It may be of an earlier
    as-of day than the published file, which stays until then.
    """
    with warehouse.exclusive(settings):
        lines = Landing(settings.landing_dir).set_aside_later(settings.clock())
        if not (lines or _is_ahead(settings)):
            return None
        build = warehouse.set_aside(settings, "ahead") if settings.build_path.exists() else None
        settings.rewound_path.parent.mkdir(parents=True, exist_ok=True)
        settings.rewound_path.write_text(f"{settings.clock():%Y-%m-%d %H:%M} UTC\n", encoding="utf-8")
    return Rewound(lines, build)


def _is_ahead(settings: Settings) -> bool:
    """Whether the build holds something of a later time than now, or the published file is of a later day."""
    if settings.build_path.exists():
        with warehouse.writer(settings) as connection:
            later = connection.execute(
                "select 1 from raw.build where as_of > ? union all select 1 from raw.retrieval where checked_at > ?",
                [settings.as_of_date(), settings.clock()],
            ).fetchall()
        if later:
            return True
    if not settings.published_path.exists():
        return False
    try:
        with warehouse.reader(settings) as connection:
            day = warehouse.as_of(connection)
    except PublishedUnreadable:
        return False  # the next run replaces it
    return day is not None and day > settings.as_of_date()
