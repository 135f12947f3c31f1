"""Pictures as inputs of networks: read, resized, cropped, scaled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nhwcc.compiler.budget import too_large
from nhwcc.compiler.diagnostics import counted, did_you_mean, error, reason
from nhwcc.compiler.types import Array, TensorType

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm")
"""What counts as a picture in a folder."""

HELP = "for example --images resize=256,crop=224,mean=0.485/0.456/0.406,std=0.229/0.224/0.225"


@dataclass(frozen=True)
class ImageFormat:
    """How pictures become inputs.

    The shorter side becomes ``resize`` pixels, and ``crop`` pixels of the middle are kept; without these, the whole
    picture gets the input's size.  Numbers from 0 to 255 are divided by ``scale``, then ``mean`` is subtracted and the
    rest divided by ``std``, per channel.  ``order`` is that of the colours.
    """

    resize: int | None = None
    crop: int | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    scale: float = 255.0
    order: str = "rgb"

    @staticmethod
    def parse(text: str) -> ImageFormat:
        """Read ``resize=256,crop=224,mean=0.5/0.5/0.5,std=0.5,scale=255,order=bgr``.

        Raises:
            CompileError: L004, it says something else.
        """
        given: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            key, equals, value = part.strip().partition("=")
            if key not in _READ:
                help = did_you_mean(key, _READ) or HELP
                raise error("L004", f"{part!r} says nothing about pictures", help=help)
            if not equals or key in given:
                what = "is given twice" if equals else "has no value"
                raise error("L004", f"{key} of pictures {what}", help=HELP)
            try:
                given[key] = _READ[key](value)
            except ValueError:
                raise error("L004", f"{value!r} is not a value for {key}", help=HELP) from None
        return ImageFormat(**given)

    def load(self, path: Path, size: tuple[int, int], channels: int) -> Array:
        """Return a picture as ``[height, width, channels]``, f32.

        Raises:
            CompileError: R010, it can't be read; R017, Pillow is not installed.
        """
        image = _opened(path).convert("L" if channels == 1 else "RGBA" if channels == 4 else "RGB")
        if self.resize is not None:
            share = self.resize / min(image.size)
            image = self._resized(image, [max(round(s * share), 1) for s in image.size])
        if self.crop is not None:
            left, top = ((s - self.crop) / 2 for s in image.size)
            image = image.crop((round(left), round(top), round(left) + self.crop, round(top) + self.crop))
        if (image.height, image.width) != size:
            image = image.resize((size[1], size[0]))
        numbers = np.asarray(image, np.float32).reshape(*size, channels)
        if self.order == "bgr" and channels == 3:
            numbers = numbers[..., ::-1]
        return ((numbers / self.scale - self.mean) / self.std).astype(np.float32)

    @staticmethod
    def _resized(image: Any, size: list[int]) -> Any:
        """Return a picture in another size, unless that is as large as no tensor may be.

        Raises:
            CompileError: M001.
        """
        problem = too_large((*size, 4), 8)
        if problem is not None:
            raise error("M001", f"a picture of {image.width} x {image.height} would have {problem}", help=HELP)
        return image.resize(size)


def _numbers(text: str) -> tuple[float, ...]:
    found = tuple(float(part) for part in text.split("/"))
    if not all(map(math.isfinite, found)):
        raise ValueError
    return found


def _order(text: str) -> str:
    if text.lower() not in ("rgb", "bgr"):
        raise ValueError
    return text.lower()


def _pixels(text: str) -> int:
    if int(text) < 1:
        raise ValueError
    return int(text)


def _divisors(text: str) -> tuple[float, ...]:
    found = _numbers(text)
    if 0 in found:
        raise ValueError
    return found


def _divisor(text: str) -> float:
    (found,) = _divisors(text)
    return found


_READ = {
    "resize": _pixels,
    "crop": _pixels,
    "mean": _numbers,
    "std": _divisors,
    "scale": _divisor,
    "order": _order,
}


def _opened(path: Path) -> Any:
    try:
        from PIL import Image
    except ImportError as bad:
        raise error("R017", "pictures are read by Pillow", help="pip install pillow") from bad
    try:
        image = Image.open(path)
        image.load()  # what is damaged inside shows here
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as bad:  # by format, Pillow raises any
        raise error("R010", f"can't read {path}: {reason(bad)}", help="leave it out of the folder") from bad
    return image


def pictures(folder: Path) -> list[Path]:
    """Return the pictures in a folder, by name.

    Raises:
        CompileError: R010, there are none.
    """
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise error("R010", f"{folder} holds no pictures", help=f"their names end in {', '.join(SUFFIXES)}")
    return found


def image_samples(
    paths: Sequence[Path], name: str, type: TensorType, format: ImageFormat
) -> Iterator[dict[str, Array]]:
    """Yield one sample per picture: an input ``[1, c, h, w]`` or ``[1, h, w, c]``.

    Raises:
        CompileError: R002, the input holds no picture; L004, its channels are not as many as what is subtracted from
            them; as :meth:`ImageFormat.load`.
    """
    channels_last = _channels_last(name, type)
    _, *rest = type.shape
    channels = rest[-1] if channels_last else rest[0]
    sizes = rest[:-1] if channels_last else rest[1:]
    known = [d if isinstance(d, int) else format.crop or format.resize for d in sizes]
    height, width = (d or 0 for d in known)
    if not (height and width and isinstance(channels, int)):
        help = "say it: --images crop=224, or fix the input's size: --shape"
        raise error("R002", f"the size of pictures for {name}, {type}, is open", help=help)
    for what, numbers in (("mean", format.mean), ("std", format.std)):
        if len(numbers) not in (1, channels):
            text = f"{counted(len(numbers), 'number')} as {what} of pictures with {counted(channels, 'channel')}"
            raise error("L004", text, help=HELP)
    for path in paths:
        picture = format.load(path, (height, width), channels)
        batch = picture[None] if channels_last else picture.transpose(2, 0, 1)[None]
        yield {name: np.ascontiguousarray(batch.astype(type.dtype.numpy))}


def _channels_last(name: str, type: TensorType) -> bool:
    shape = type.shape
    for count in (3, 1, 4):
        for axis, is_last in ((1, False), (3, True)):
            if len(shape) == 4 and shape[axis] == count:
                return is_last
    help = "give arrays instead: --data file.npy"
    raise error("R002", f"the input {name} is {type}, which is not a picture of 1, 3 or 4 channels", help=help)
