"""The same dispatch in other packages: each file states a case in one of them and returns its cheapest cost."""
