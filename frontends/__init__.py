"""Frontends: one package for each source format, with a handler for each of its operators."""
