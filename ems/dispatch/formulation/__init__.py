"""The mathematics of a dispatch: declarations as rows and columns, with names."""
