"""Runs of notebooks: from checked parameters to a report and a database record."""
