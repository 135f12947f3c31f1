"""Packages of Core ML: an ML program as plain data, and what writes and checks it by coremltools."""
