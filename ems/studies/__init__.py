"""What a notebook runs: one study a notebook, under the same name."""
