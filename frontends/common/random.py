"""Seeds of random numbers, as TensorFlow states them."""

from __future__ import annotations


def seed_of(seed: int, seed2: int) -> int | None:
    """Return one seed for two; two zeros ask for other numbers in each process."""
    return None if seed == seed2 == 0 else abs(seed)
