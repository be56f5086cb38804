"""The 1x1 reduction: where it would save costs, where a network has it, and the rewritten specs."""
