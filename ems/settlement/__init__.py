"""What it costs in truth: bill and physics recomputed from a schedule, without the optimizer."""
