"""``python -m nhwcc``."""

from nhwcc.cli import main

if __name__ == "__main__":
    main()
