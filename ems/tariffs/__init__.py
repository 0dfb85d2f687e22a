"""What energy costs by contract: energy periods in local civil time."""
