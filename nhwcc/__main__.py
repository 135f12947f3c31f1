"""Runs the command line as a module: ``python -m nhwcc`` is ``nhwcc``."""

from nhwcc.cli import main

if __name__ == "__main__":
    main()
