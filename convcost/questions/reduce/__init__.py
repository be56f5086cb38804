"""The 1x1 reduction: where it would pay, where it is, and specs rewritten with it or without."""
