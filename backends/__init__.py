"""Backends: one package per target format."""
