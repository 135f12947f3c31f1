"""What a compilation gives: a file, a report, and a function on arrays."""

from __future__ import annotations

import shutil
from pathlib import Path

from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import counted, error
from nhwcc.compiler.scratch import Scratch
from nhwcc.compiler.types import Array
from nhwcc.files import replacing
from nhwcc.options import PathLike
from nhwcc.report import Report
from nhwcc.targets import InProcess, runners_of, signatures_of


class Artifact:
    """A compiled network.

    Called with arrays, by position or by name, it runs on the target's runtime and returns the outputs by name.  Inputs
    and outputs lie as ``report.inputs`` and ``report.outputs`` say.  Of a file that holds several networks, it is the
    one that is called by the key ``signature``.
    """

    def __init__(self, path: Path, report: Report, folder: Scratch | None = None, signature: str | None = None) -> None:
        self.path = path
        self.signature = signature
        self.report = report
        self._folder = folder
        self._model: InProcess | None = None

    def save(self, path: PathLike) -> Path:
        """Write a copy of the file or folder, and of the files beside it, whole or not at all, and return its path.

        Raises:
            CompileError: R012, it can't be written.
        """
        target = Path(path)
        is_folder = self.path.is_dir()
        with replacing(target, folder=is_folder) as draft:
            (shutil.copytree if is_folder else shutil.copyfile)(self.path, draft)
            companion = find_target(self.report.target).companion
            if companion is not None:
                shutil.copyfile(self.path.with_suffix(companion), draft.with_suffix(companion))
        return target

    def __call__(self, *args: Array, **kwargs: Array) -> dict[str, Array]:
        """Run on arrays.

        Raises:
            CompileError: R002, an array doesn't fit its input; R013, the runtime refuses.
        """
        if self._model is None:
            target = find_target(self.report.target)
            if self.signature is None:
                self._model = runners_of(target).in_process(self.path)
            else:
                self._model = signatures_of(target).signature_in_process(self.path, self.signature)
        names = [port.name for port in self.report.inputs]
        if len(args) > len(names):
            raise error(
                "R002", f"there are {counted(len(names), 'input')}, but {counted(len(args), 'array')} were given"
            )
        given = dict(zip(names, args, strict=False)) | kwargs
        unknown = [name for name in given if name not in names]
        if unknown:
            raise error("L006", f"there is no input {unknown[0]!r}", help=f"there are {', '.join(names)}")
        return self._model.run(given)

    def __repr__(self) -> str:
        return f"<Artifact {self.path}: {self.report.bytes:,} bytes>"

    def _repr_html_(self) -> str:
        return self.report._repr_html_()  # pyright: ignore[reportPrivateUsage]
