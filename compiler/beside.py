"""Files that a model says lie beside it: weights in files of their own."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

FOLDER = "Weights lie in the model's own folder, or below it."
LINK = (
    "A link may lead to where the model's own file lies, as in the caches of model hubs, which link to both. "
    "Put a copy of the file in its place, or link to the model from the same folder."
)


class NotBesideError(ValueError):
    """A location that a model may not name; ``help`` says what it may."""

    def __init__(self, text: str, help: str) -> None:
        super().__init__(text)
        self.help = help


def file_beside(model: Path, location: str) -> Path:
    """Return the path of a file that a model names by a location relative to its folder.

    Raises:
        NotBesideError: it would lie elsewhere, also by a link, or there is no such file.
    """
    parts = PurePosixPath(location.replace("\\", "/"))
    is_elsewhere = parts.is_absolute() or ".." in parts.parts or PureWindowsPath(location).drive
    if not parts.parts or "\0" in location or is_elsewhere:
        raise NotBesideError(f"{location!r} lies outside of the model's folder", FOLDER)
    path = model.parent / parts
    if not path.is_file():
        raise NotBesideError(f"the file {path} is missing", "Put it beside the model, under this name.")
    real = path.resolve()
    if not any(real.is_relative_to(folder) for folder in (model.parent.resolve(), model.resolve().parent)):
        raise NotBesideError(f"{path} is a link to {real}, outside of the model's folder", LINK)
    return path
