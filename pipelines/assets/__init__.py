"""The Dagster assets, stage by stage: landed, raw, models, published. Thin: the work is in the modules they call."""
