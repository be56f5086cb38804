"""Reads specs, their configuration and their earlier versions, from files and from Git."""
