"""Devices as targets: TFLite's rows as far as a device's table takes them, and lowerings that come before TFLite's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ....compiler.diagnostics import Diagnostic
from ....compiler.ir import Module
from ....compiler.lowering import Limits, Lowerings
from ....compiler.options import CALIBRATED, QuantizationMode, Strategy
from ...common.target import Target
from .. import FOR_ANY_DEVICE, emit, emit_signatures
from ..table import TABLE
from ..target import TARGET as TFLITE
from ..target import prepare
from . import edgetpu, ethos, ethos_lowerings, gpu, gpu_lowerings, micro, micro_lowerings
from .integers import DeviceIntegers
from .interface import narrow_interface
from .placing import place
from .table import Kernels


@dataclass(frozen=True)
class Device:
    """What there is to say of a device besides what its kernels take.

    ``own`` are its lowerings; ``without`` names those of TFLite that don't suit it; ``last`` are passes after all
    others. What it can't run is an error unless ``rest`` says what then runs it. ``more_modes`` are ways to quantize
    besides those that compute with integers, which it does wherever it can if it ``prefers_integers``.
    """

    name: str
    kernels: Kernels
    limits: Limits
    own: Lowerings | None = None
    without: Collection[str] = ()
    rest: str = "the CPU"
    last: str = ""
    more_modes: frozenset[QuantizationMode] = frozenset()
    prefers_integers: bool = True

    def target(self) -> Target:
        """Return the target of the device: TFLite's, narrowed to the device's table."""
        table = self.kernels.narrowed(TABLE)
        kept = (without(owner, self.without) for owner in TFLITE.lowerings)
        return Target(
            name=self.name,
            title=self.kernels.title,
            suffix=TFLITE.suffix,
            table=table,
            lowerings=(*([] if self.own is None else [self.own]), *kept),
            limits=self.limits,
            channels=TFLITE.channels,
            pipeline=f"{FOR_ANY_DEVICE},legalize".replace("legalize", f"legalize{{target={self.name}}}") + self.last,
            prepare=prepare_for_device,
            unstorable=TFLITE.unstorable,
            emit=partial(emit, tables=(table, TABLE)),
            emit_signatures=partial(emit_signatures, tables=(table, TABLE)),
            runner=TFLITE.runner,
            integers=DeviceIntegers(self.kernels) if self.prefers_integers else TFLITE.integers,
            arena=TFLITE.arena,
            fallback=TABLE,
            runs_alone=not self.rest,
            place=partial(place, self.name, self.kernels, self.rest),
            only_integers=self.kernels.only_integers,
            modes=CALIBRATED | self.more_modes,
        )


def prepare_for_device(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Prepare as for TFLite, with integers of 32 bits outside, and without loops unless they are asked for."""
    narrow_interface(target.title, module)
    return prepare(target, module, rnn="unroll" if rnn == "auto" else rnn)


def without(owner: Lowerings, names: Collection[str]) -> Lowerings:
    """Return the lowerings of a target without those that have these names."""
    if not names:
        return owner
    kept = [p for p in owner.patterns if p.name not in names]
    return Lowerings(kept, owner.documented, [p for p in owner.preparations if p.name not in names])


_GPU = Device(
    "tflite-gpu",
    gpu.KERNELS,
    Limits(gpu.MAX_RANK, gpu.MAX_RANK, gpu.MAX_RANK),
    gpu_lowerings.LOWERINGS,
    last=",keep-outputs",
    more_modes=frozenset({"float16"}),
    prefers_integers=False,
)
_MICRO = Device("tflite-micro", micro.KERNELS, Limits(5, 5, 6), micro_lowerings.LOWERINGS, rest="")


def _ethos(version: Literal["U55", "U65", "U85"]) -> Device:
    """Return an NPU of Arm; transposed convolutions stay whole, for DEPTH_TO_SPACE runs on none of them."""
    kernels = ethos.kernels(version)
    name, limits = f"ethos-{version.lower()}", Limits(6, 5, 4)
    return Device(name, kernels, limits, ethos_lowerings.LOWERINGS, without={"use-depth-to-space"})


_U55, _U65, _U85 = _ethos("U55"), _ethos("U65"), _ethos("U85")
_EDGETPU = Device(
    "edgetpu", edgetpu.KERNELS, Limits(4, 4, 4), ethos_lowerings.LOWERINGS, without={"use-depth-to-space"}
)

KERNELS = {device.name: device.kernels for device in (_GPU, _MICRO, _U55, _U65, _U85, _EDGETPU)}
"""What the devices run, by their names."""

GPU, MICRO = _GPU.target(), _MICRO.target()
ETHOS_U55, ETHOS_U65, ETHOS_U85 = _U55.target(), _U65.target(), _U85.target()
EDGETPU = _EDGETPU.target()
