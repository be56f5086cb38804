"""A report as one web page: no script, nothing fetched, every word of a spec escaped."""
