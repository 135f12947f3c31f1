"""Builders of operations that several frontends share, and their schemas of handlers."""
