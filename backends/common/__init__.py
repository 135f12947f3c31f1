"""What every target is made of: its table of kernels, legalization into it, and what is said of both."""
