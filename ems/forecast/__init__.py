"""What will come: features, models, scores, backtests and scenarios of load, PV, wind and price."""
