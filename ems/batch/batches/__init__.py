"""Batches: many runs of one study, each done exactly once, whatever happens meanwhile."""
