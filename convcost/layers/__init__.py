"""The kinds of layers, one family in each file. The registry finds and imports every module
here."""
