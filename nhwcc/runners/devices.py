"""Running files on devices' own runtimes, in a process that may end."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, TypeAlias

from nhwcc.compiler.diagnostics import counted
from nhwcc.compiler.types import TensorType
from nhwcc.runners.tflite import TfliteRunner
from nhwcc.runners.worker import Worker
from nhwcc.sources.call import Call
from nhwcc.sources.tflite import TfliteSource

Runtime: TypeAlias = Literal["tflm", "gpu"]

MODELS: dict[Runtime, tuple[str, str, str]] = {
    "tflm": ("MicroModel", "TFLite Micro", "tflite-micro"),
    "gpu": ("GpuModel", "LiteRT's GPU accelerator", "ai-edge-litert"),
}
"""The class that runs a file, what messages call it, and the package that it is in."""


class DeviceRunner(TfliteRunner):
    """Runs a file as a device does.

    Raises:
        CompileError: R013, it refuses the file; R017, its runtime is not installed; R019, it ended its process.
    """

    def __init__(self, path: Path, runtime: Runtime, types: Mapping[str, TensorType] | None = None) -> None:
        self._kind: Runtime = runtime
        super().__init__(path, Worker(), types=types, model=("nhwcc.runners.device_models", MODELS[runtime][0]))

    @property
    def title(self) -> str:
        """The runtime with its version."""
        _, title, package = MODELS[self._kind]
        beside = self.beside()
        more = f", with {counted(beside, 'operator')} on the CPU" if beside else ""
        try:
            return f"{title} ({package} {version(package)}){more}"
        except PackageNotFoundError:
            return f"{title}{more}"

    def beside(self) -> int:
        """Return how many operators the processor runs beside the device."""
        return self._worker.call("beside") if self._kind == "gpu" else 0

    def arena(self) -> int | None:
        """Return the bytes that computed tensors take, as TFLite Micro says."""
        return self._worker.call("arena")


class DeviceSource(TfliteSource):
    """A TFLite file that is compared as a device runs it."""

    def __init__(self, path: Path, runtime: Runtime) -> None:
        super().__init__(path, Call())
        self._path = path
        self._kind: Runtime = runtime

    def _open(self, path: Path, types: Mapping[str, TensorType] | None) -> TfliteRunner:
        return DeviceRunner(path, self._kind, types)
