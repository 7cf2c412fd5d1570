"""What an asset is handed: settings (with the run's own options laid over) and the catalogue."""

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
    """Options of one run; in the launchpad under resources > metals."""

    as_of: str = ""
    """Build what was known by the end of this day (YYYY-MM-DD); empty for today. Implies `offline`."""

    offline: bool = False
    """Ask no publisher; use what has landed and what is bundled."""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator["MetalsRun"]:
        """One run at a time, from its first step to its last, whoever started it: the UI, the schedule or `metals`.

        A second one waits, and says so; raises WarehouseBusy when the first takes longer than `lock_wait_s`.
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
            # A past date is answered from what is already here: nothing fetched now was known then.
            changes = {"as_of": date.fromisoformat(self.as_of), "offline": True}
        elif self.offline:
            changes = {"offline": True}
        return base.model_copy(update=changes)

    @cached_property
    def catalog(self) -> catalog.Catalog:
        return catalog.load(self.settings.catalog_dir)
