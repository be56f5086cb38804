"""The operators of ATen, one file for each family. The files are found automatically."""
