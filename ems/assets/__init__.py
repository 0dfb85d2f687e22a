"""What there is: one file a kind, holding its fields and its part of a dispatch."""
