"""From a matrix to an exact answer, by whichever solver is there."""
