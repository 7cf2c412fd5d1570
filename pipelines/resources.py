"""What an asset is handed: settings (with the run's own options laid over) and the catalogue."""

from datetime import date
from functools import cached_property
from typing import Any

from dagster import ConfigurableResource

from pipelines import catalog
from pipelines.settings import Settings


class MetalsRun(ConfigurableResource):  # type: ignore[type-arg]
    """Options of one run; in the launchpad under resources > metals."""

    as_of: str = ""
    """Build what was known by the end of this day (YYYY-MM-DD); empty for today. Implies `offline`."""

    offline: bool = False
    """Ask no publisher; use what has landed and what is bundled."""

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
