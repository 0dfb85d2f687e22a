"""Models of forecasts, one file a kind: each is fitted to what is known at an issue time and predicts what follows."""
