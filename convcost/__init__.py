"""convcost: what a convolutional network costs, exactly, from a short YAML spec."""

__version__ = "0.1.0"
