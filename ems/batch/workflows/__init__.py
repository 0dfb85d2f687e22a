"""Workflows: tasks that depend on each other, checked as a whole, each run in a process of its own, then resumed."""
