"""File formats: bytes to plain data and back, without the IR."""
