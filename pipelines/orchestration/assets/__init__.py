"""The assets, stage by stage: landed, raw, models, verdict history, published, brief.

Thin: what an asset does is in the room it calls; how it looks in the UI is said here.
"""
