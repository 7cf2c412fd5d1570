"""The resource of the assets: settings, overridden by the options of the run, and the catalogue."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property

from dagster import ConfigurableResource, InitResourceContext

from pipelines import catalog, warehouse
from pipelines.orchestration import failures, retention
from pipelines.settings import Settings

# Steps of the daily job; if one fails, nothing is published.
BEFORE_THE_GATE = ("landing", "load", "models", "past_verdicts")


class MetalsRun(ConfigurableResource):  # type: ignore[type-arg]
    """Options of one run; in the launchpad, under resources > metals."""

    offline: bool = False
    """Fetch nothing; use landed responses and bundled figures."""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator["MetalsRun"]:
        """Holds the lock on the build for the whole run, whether the UI, the schedule or `metals` started it.

        A second run logs that it waits; raises WarehouseBusy when it has waited for `lock_wait_s`.
        """
        with warehouse.exclusive(self.settings), warehouse.marked_as_running(self.settings):
            warehouse.verify_build(self.settings)
            if context.instance is not None:
                retention.tidy(context.instance, datetime.now(UTC))
            yield self
            if context.instance is not None and context.run is not None:
                self._leave_a_trace(failures.of_run(context.instance, context.run.run_id))

    def _leave_a_trace(self, failed: dict[str, str]) -> None:
        """For `metals status` and `metals doctor`: what stopped this run before the gate, which says it itself."""
        why = [failed[step] for step in BEFORE_THE_GATE if step in failed]
        if why:
            with contextlib.suppress(OSError):  # on a full disk, the run's own messages have to do
                warehouse.hold_back(self.settings, "\n".join(why))

    @cached_property
    def settings(self) -> Settings:
        base = Settings()
        # A past day is a partition of `warehouse/as_of`, never a run of the daily assets.
        return base.model_copy(update={"as_of": None, "offline": self.offline or base.offline})

    @cached_property
    def catalog(self) -> catalog.Catalog:
        return catalog.load(self.settings.catalog_dir, self.settings.overlay_dir)
