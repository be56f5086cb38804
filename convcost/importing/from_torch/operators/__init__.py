"""How operators are drawn, one file a family; found, never listed."""
