"""Backends: one package for each target format, with its table of kernels, its lowerings and its writer."""
