"""A page about a compilation: what was read and what was written, side by side, in one file that asks no network."""
