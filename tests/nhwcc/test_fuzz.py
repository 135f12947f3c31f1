"""A sample of the damaged files of ``benchmarks/fuzz.py``: every command ends as it should, with a code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CASES = 80


def test_damaged_files(tmp_path: Path) -> None:
    """In a process of its own: it forks, and it imports everything first."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.fuzz", "--small", "--count", str(CASES)]
    done = subprocess.run([*command, "--place", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| all | {CASES} |" in done.stdout
