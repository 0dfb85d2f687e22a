"""Watching runs: their logs, ending them, repeating and comparing them, figures for a monitor."""
