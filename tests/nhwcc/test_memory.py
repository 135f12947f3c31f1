"""Peak memory is that of this process alone."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from nhwcc.memory import peak_memory


def test_it_grows_with_what_is_held() -> None:
    before = peak_memory()
    held = np.ones(200_000_000, np.uint8)
    after = peak_memory()
    assert before is not None and after is not None and after >= held.nbytes


def test_what_the_parent_holds_does_not_count() -> None:
    held = np.ones(300_000_000, np.uint8)
    code = "from nhwcc.memory import peak_memory; print(peak_memory())"
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert 1_000_000 < int(done.stdout) < held.nbytes / 3
