"""Prints the pages that are made from the code: ``python docs/generate.py``; with ``--check`` it only compares."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nhwcc.backends.registry import DEVICES
from pages.api import api
from pages.cli import commands
from pages.errors import errors
from pages.ir import operations
from pages.passes import passes
from pages.proofs import proofs
from pages.support import (
    TENSORFLOW_PAGE,
    device_page,
    page_of,
    support,
    tables,
    target_page,
    tensorflow_page,
)

PAGES: dict[str, Callable[[], str]] = {
    "api.md": api,
    "cli.md": commands,
    "errors.md": errors,
    "ir.md": operations,
    "passes.md": passes,
    "proofs.md": proofs,
    "support.md": support,
    TENSORFLOW_PAGE: tensorflow_page,
    **{page_of(name): partial(target_page, name) for name in tables()},
    **{page_of(name): partial(device_page, name) for name in DEVICES},
}


def main() -> int:
    """Write all pages, or say what differs and return 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="say what differs instead of writing it")
    check: bool = parser.parse_args().check
    stale = False
    for name, make in PAGES.items():
        path, new = Path(__file__).with_name(name), make()
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old == new:
            continue
        stale = True
        if check:
            lines = difflib.unified_diff(
                old.splitlines(), new.splitlines(), name, f"{name} as it should be", lineterm=""
            )
            print("\n".join(lines))
        else:
            path.write_text(new, encoding="utf-8")
            print(f"wrote {path}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
