"""The pages that ``generate.py`` prints, one file each."""
