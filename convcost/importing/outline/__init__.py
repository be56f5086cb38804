"""Converts the layer graph to a tree of items: layers, joins with branches, sequences of modules,
side outputs, calls of blocks, and repeated items (`tree.py`).

Terms in this package: a value is the index of a layer, or of an input of the network as −1 − k. A
chain is layers in series (`chains.py`). A reference is an input by name (`from`), instead of the
output of the item before. A use of a block is the list of items that one call replaces. The body
of a block generalizes all its uses, and a place is an option of a layer in that body.
"""
