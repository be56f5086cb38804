"""Checks networks against budgets: limits on counts, and on growth over a base."""
