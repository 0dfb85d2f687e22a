"""A papermill engine whose kernels are forked from a process that has imported everything before."""
