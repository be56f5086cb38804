"""The reports: pure functions that turn costs into tables, records and charts."""
