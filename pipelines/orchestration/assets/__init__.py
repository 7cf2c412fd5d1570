"""The assets, stage by stage: landed, raw, models, verdict history, published, brief.

A thin layer: the work is done in other packages; this one defines how assets appear in the UI.
"""
