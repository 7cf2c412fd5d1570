"""The resource of the assets: settings, overridden by the options of the run, and the catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property

from dagster import ConfigurableResource, InitResourceContext

from pipelines import catalog, warehouse
from pipelines.orchestration import retention
from pipelines.settings import Settings


class MetalsRun(ConfigurableResource):  # type: ignore[type-arg]
    """Options of one run; in the launchpad, under resources > metals."""

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
        # A past day is a partition of `warehouse/as_of`, never a run of the daily assets.
        return base.model_copy(update={"as_of": None, "offline": self.offline or base.offline})

    @cached_property
    def catalog(self) -> catalog.Catalog:
        return catalog.load(self.settings.catalog_dir)
