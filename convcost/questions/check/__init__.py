"""May this change land? Budgets held against a network, and against what it was."""
