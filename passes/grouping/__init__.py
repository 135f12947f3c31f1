"""The parts of group-axes: what operations leave alone, regions of values, their rewriting."""
