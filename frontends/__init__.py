"""Frontends: one package per source format."""
