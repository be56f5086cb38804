"""The costs of a network as functions of its variables: formulas, and search over many points.

The kinds' own code runs once on symbolic numbers (`symbol`), which records the conditions for
the result (`trace`). The results of a trace are valid at every point where its conditions are true.
"""
