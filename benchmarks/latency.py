"""Networks beside litert-torch: how fast the files of both run, with intervals that say what is noise.

    python -m benchmarks.latency --peer-python PYTHON [NAME ...] [--before MODULE] [--without PASS,...]

PYTHON is one that has litert-torch, timm and torchvision installed; ``--before`` imports a module first in both.  Both
files run on one thread of the same runtime, each round in fresh processes, in a random order, and the processor's time
of the thread counts.  A ratio above 1 says that ours is faster; in brackets, where it would lie in 95 of 100
repetitions.  Without a peer, ours stands beside itself without the passes that are left out.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from statistics import fmean

from benchmarks.measure import megabytes, run, scratch, table
from nhwcc.bench import Settings, Timing, bench

NAMES = (
    *("resnet50", "mobilenet_v3_large", "shufflenet_v2_x1_0", "deeplabv3_resnet50", "densenet121", "r3d_18"),
    *("timm/convnext_tiny", "timm/vit_tiny_patch16_224", "timm/swin_tiny_patch4_window7_224", "timm/mobilevit_s"),
    *("timm/mobileone_s0", "timm/fastvit_t8", "timm/repvit_m0_9", "timm/mobilenetv4_conv_small", "timm/starnet_s1"),
    *("timm/efficientnet_b0", "timm/hgnetv2_b0", "timm/inception_next_tiny", "timm/edgenext_xx_small", "lstm"),
)

HEAD = ("network", "ms", "theirs", "ratio", "operators", "theirs", "XNNPACK runs", "file", "theirs")

ROUNDS = 9


def files(name: str, options: argparse.Namespace, folder: Path) -> list[Path]:
    """Return the peer's file and ours.

    Raises:
        RuntimeError: a tool fails.
    """
    before = ["--before", options.before] if options.before else []
    ours, theirs = folder / "ours.tflite", folder / "theirs.tflite"
    convert = [sys.executable, "-m", "benchmarks.peers", "--convert"]
    commands = [[*convert, ours, name, *before]]
    if options.peer_python:
        commands.append([options.peer_python, "-m", "benchmarks.peer_convert", name, theirs, *before])
    else:
        commands.append([*convert, theirs, name, *before, "--without", options.without])
    for command in commands:
        done = run(command)
        if done.code:
            raise RuntimeError(done.output.strip().splitlines()[-1][:100])
    return [theirs, ours]


def row(name: str, theirs: Timing, ours: Timing) -> list[str]:
    """Return the cells of a network."""
    ratio = ours.faster
    return [
        name,
        f"{ours.milliseconds.middle:.2f}",
        f"{theirs.milliseconds.middle:.2f}",
        f"{ratio.middle:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]",
        str(ours.operators),
        str(theirs.operators),
        f"{ours.delegated} and {theirs.delegated}",
        megabytes(ours.bytes),
        megabytes(theirs.bytes),
    ]


def main() -> None:
    """Print the table, and the geometric mean of its ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--peer-python")
    parser.add_argument("--before")
    parser.add_argument("--without", default="merge-linear-branches,choose-kernels", help="passes that are left out")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(table(HEAD, []), flush=True)
    ratios: list[float] = []
    for number, name in enumerate(options.names):
        try:
            theirs, ours = bench(files(name, options, scratch()), Settings(options.rounds, seed=number))
        except RuntimeError as bad:
            print(f"| {name} | {bad} |{' |' * (len(HEAD) - 2)}", flush=True)
            continue
        ratios.append(math.log(ours.faster.middle))
        print(f"| {' | '.join(row(name, theirs, ours))} |", flush=True)
    if ratios:
        print(f"\ngeometric mean {math.exp(fmean(ratios)):.3f}")


if __name__ == "__main__":
    main()
