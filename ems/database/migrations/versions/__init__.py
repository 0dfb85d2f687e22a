"""One file a revision, each written out: what a revision did never changes afterwards."""
