"""Reducing a network to the smallest part that still shows a fault, without its weights and names."""
