"""The resource of the assets: settings, overridden by the options of the run, and the catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from dagster import ConfigurableResource, InitResourceContext

from pipelines import catalog, warehouse
from pipelines.orchestration import retention
from pipelines.settings import Settings


class MetalsRun(ConfigurableResource):  # type: ignore[type-arg]
    """Options of one run; in the launchpad, under resources > metals."""

    as_of: str = ""
    """Build what was known by the end of this day (YYYY-MM-DD); empty for today. Implies `offline`."""

    offline: bool = False
    """Fetch nothing; use landed responses and bundled figures."""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator["MetalsRun"]:
        """Holds the lock on the build for the whole run, whether the UI, the schedule or `metals` started it.

        A second run logs that it waits; raises WarehouseBusy when it has waited for `lock_wait_s`.
        """
        with warehouse.exclusive(self.settings):
            warehouse.verify_build(self.settings)
            if context.instance is not None:
                retention.tidy(context.instance, datetime.now(UTC))
            yield self

    @cached_property
    def settings(self) -> Settings:
        base = Settings()
        changes: dict[str, Any] = {}
        if self.as_of:
            # A past date is built from landed data: nothing fetched now was known then.
            changes = {"as_of": date.fromisoformat(self.as_of), "offline": True}
        elif self.offline:
            changes = {"offline": True}
        return base.model_copy(update=changes)

    @cached_property
    def catalog(self) -> catalog.Catalog:
        return catalog.load(self.settings.catalog_dir)
