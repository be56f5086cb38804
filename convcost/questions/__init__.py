"""Questions about costs, each a pure function to a report."""
