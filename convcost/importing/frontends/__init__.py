"""The front ends, which read models: one folder for each framework."""
