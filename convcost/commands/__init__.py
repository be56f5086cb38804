"""The use cases, one in each file. A use case reads its sources and returns a report."""
