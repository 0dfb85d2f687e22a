"""Why: what contradicts where nothing is feasible, and what the prices say where something is."""
