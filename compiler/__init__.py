"""The core: IR, op declarations, text form, rewriting, pass management, reference interpreter."""
