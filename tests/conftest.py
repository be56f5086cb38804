"""Kinds and formats of CONVCOST_PLUGINS are there before tests are collected, and so are tested."""

from convcost.cli import plug_in

plug_in()
