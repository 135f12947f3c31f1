"""Handwritten digits of 8 times 8 pixels, a small network that learns them in seconds, and how many it tells apart.

The digits lie inside of scikit-learn, which is fetched for them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from nhwcc.compiler.types import Array

from benchmarks.pictures import SCIKIT_LEARN
from examples.trained import Source, fetch_source

if TYPE_CHECKING:
    from torch import nn

SEEN = 1200
"""How many digits are learned from, and calibrated on; the rest are held back."""

EPOCHS = 12


def digits() -> tuple[Array, Array]:
    """Return all digits, f32 ``[n, 1, 8, 8]`` from 0 to 1, and what they are."""
    package, version, _, licence = SCIKIT_LEARN
    path = fetch_source(Source(package, version, "sklearn/datasets/data/digits.csv.gz", licence))
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    return (table[:, :-1] / 16).reshape(-1, 1, 8, 8), table[:, -1].astype(np.int64)


def trained(pictures: Array, labels: Array, epochs: int = EPOCHS) -> nn.Module:
    """Return a small network that has learned digits; the same ones make the same network."""
    import torch as library
    from torch import nn

    torch: Any = library
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the same numbers on every machine, and no slower for so few
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10)),
    )
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    x, y = torch.from_numpy(pictures), torch.from_numpy(labels)
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(50):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[part]), y[part]).backward()
            optimizer.step()
    torch.set_num_threads(threads)
    return net.eval()


def network() -> nn.Module:
    """Return the network that has learned from the digits that are not held back."""
    pictures, labels = digits()
    return trained(pictures[:SEEN], labels[:SEEN])


def accuracy(outputs: Iterable[Mapping[str, Array]], labels: Array) -> float:
    """Return how many of a hundred digits are told apart, by the only output for each."""
    found = [int(next(iter(output.values())).argmax()) for output in outputs]
    return 100 * float((np.asarray(found) == labels).mean())
