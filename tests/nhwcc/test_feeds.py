"""What networks are run on: random numbers, the user's data, sizes for names."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.types import Array, TensorType, parse_type

from nhwcc.data import read_data
from nhwcc.drawing import SCALE
from nhwcc.feeds import Feeding, accepted, feeds, runs
from nhwcc.runners import Traced

IMAGE = {"image": parse_type("f32[batch,3,h,w]")}
TWO = {"ids": parse_type("i64[batch,seq]"), "mask": parse_type("bool[batch,1,seq]")}
STATIC = {"x": parse_type("f32[2,3]")}


class Picky:
    """A runner that accepts some sizes only."""

    title = "picky"
    outputs = ("y",)

    def __init__(self, types: Mapping[str, TensorType], accepts: set[int]) -> None:
        self.inputs = types
        self.accepts = accepts

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        (array,) = inputs.values()
        if array.shape[2] not in self.accepts:
            raise error("R018", f"not {array.shape[2]}")
        return {"y": array}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """There is one way."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        yield from ()


def problem(data: Any, types: Mapping[str, TensorType] = STATIC) -> tuple[str, str | None]:
    with pytest.raises(CompileError) as caught:
        read_data(data, types)
    (bad,) = caught.value.diagnostics
    return bad.code, bad.help


class TestRandom:
    def test_a_seed_is_reproducible(self) -> None:
        (a,), (b,), (c,) = (list(feeds(STATIC, Feeding(seed=s))) for s in (3, 3, 4))
        assert a.sizes == {} and (a.inputs["x"] == b.inputs["x"]).all() and not (a.inputs["x"] == c.inputs["x"]).all()

    def test_batches_are_one_and_other_names_get_different_sizes_first(self) -> None:
        first = next(feeds(IMAGE))
        assert first.sizes == {"batch": 1, "h": 64, "w": 96} and first.inputs["image"].shape == (1, 3, 64, 96)

    def test_the_size_that_all_inputs_begin_with_is_a_batch(self) -> None:
        types = {"a": parse_type("f32[s0,4]"), "b": parse_type("f32[s0,s1]")}
        assert next(feeds(types)).sizes == {"s0": 1, "s1": 64}

    def test_first_sizes_that_stand_nowhere_else_are_batches(self) -> None:
        types = {"ids": parse_type("i64[s0,s1]"), "mask": parse_type("i64[s2,s1]")}
        assert next(feeds(types)).sizes == {"s0": 1, "s1": 64, "s2": 1}
        assert next(feeds({"x": parse_type("f32[s0,s0]")})).sizes == {"s0": 64}
        assert next(feeds(types | {"sr": parse_type("i64[2]")})).sizes["s0"] == 64, "not all inputs have a batch"

    def test_a_name_means_one_size_everywhere(self) -> None:
        first = next(feeds(TWO))
        assert first.inputs["ids"].shape == (1, 64) and first.inputs["mask"].shape == (1, 1, 64)
        assert first.inputs["mask"].dtype == np.bool_ and first.inputs["ids"].min() >= 0

    def test_expressions(self) -> None:
        shapes = [f.inputs["x"].shape for f in feeds({"x": parse_type("f32[1,h//32]")})]
        assert (1, 2) in shapes and all(min(s) >= 0 for s in shapes)

    def test_impossible_sizes_are_left_out(self) -> None:
        assert all(f.inputs["x"].shape[1] >= 0 for f in feeds({"x": parse_type("f32[1,h-10]")}))


class TestAccepted:
    def test_sizes_are_tried_until_one_is_accepted(self) -> None:
        feed, results = accepted(Picky(IMAGE, {224}), feeds(IMAGE))
        assert feed.sizes == {"batch": 1, "h": 224, "w": 224} and results["y"].shape == (1, 3, 224, 224)

    def test_no_giants_are_made_up(self) -> None:
        assert max(array.size for feed in feeds(IMAGE) for array in feed.inputs.values()) <= 3 * 1024 * 1024

    def test_all_refused(self) -> None:
        with pytest.raises(CompileError) as caught:
            accepted(Picky(IMAGE, set()), feeds(IMAGE))
        (bad,) = caught.value.diagnostics
        assert bad.code == "R018" and any("shapes or data" in note for note in bad.notes)

    def test_sizes_that_are_given_are_not_chosen(self) -> None:
        types = {"image": parse_type("f32[1,3,5,5]")}
        with pytest.raises(CompileError) as caught:
            accepted(Picky(types, set()), feeds(types))
        assert caught.value.diagnostics[0].notes == []

    def test_nothing_to_try(self) -> None:
        with pytest.raises(CompileError) as caught:
            accepted(Picky(IMAGE, set()), iter(()))
        assert caught.value.diagnostics[0].code == "R017"


class Masked:
    """A runner whose result tells nothing unless its mask holds zeros and ones only."""

    title = "masked"
    outputs = ("y",)
    inputs: Mapping[str, TensorType] = {"mask": parse_type("i64[4,n]")}

    def __init__(self, worst: float) -> None:
        self.worst = worst

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        mask = inputs["mask"].astype(np.float32)
        return {"y": np.full_like(mask, self.worst) if mask.max() > 1 else mask}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """There is one way."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        yield from ()


class TestIntegers:
    def test_masks_are_zeros_and_ones_where_others_tell_nothing(self) -> None:
        feed, results = accepted(Masked(np.nan), feeds(Masked.inputs))
        assert feed.inputs["mask"].max() == 1 and np.isfinite(results["y"]).all()

    def test_larger_integers_are_preferred(self) -> None:
        feed, _ = accepted(Masked(0.0), feeds(Masked.inputs))
        assert feed.inputs["mask"].max() == 3


class TestRuns:
    def test_every_size_differs_in_three_runs(self) -> None:
        found = [feed.sizes for feed, _ in runs(Picky(IMAGE, set(range(2000))))]
        assert len(found) == 3
        for name in ("batch", "h", "w"):
            assert len({sizes[name] for sizes in found}) == 3, name

    def test_sizes_near_those_that_are_accepted(self) -> None:
        found = [feed.sizes["h"] for feed, _ in runs(Picky(IMAGE, {576, 583, 590}))]
        assert found == [576, 583, 590]

    def test_one_size_only(self) -> None:
        first, large = (feed for feed, _ in runs(Picky({"image": parse_type("f32[1,3,h,224]")}, {224})))
        assert first.sizes == large.sizes == {"h": 224} and (first.scale, large.scale) == (1, SCALE)

    def test_batches_of_one_only(self) -> None:
        class One(Picky):
            def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
                if inputs["image"].shape[0] != 1:
                    raise error("R018", "one by one")
                return super().run(inputs)

        found = [feed.sizes for feed, _ in runs(One(IMAGE, set(range(2000))))]
        assert [s["batch"] for s in found] == [1, 1, 1] and len({s["h"] for s in found}) == 3

    def test_batches_alone(self) -> None:
        types = {"x": parse_type("f32[batch,4,5]")}
        assert [feed.sizes["batch"] for feed, _ in runs(Picky(types, {5}))] == [1, 2, 3]

    def test_what_the_data_says_is_not_varied(self) -> None:
        (only,) = runs(Picky(IMAGE, {7}), Feeding(np.zeros((2, 3, 7, 5), np.float32)))
        assert only[0].sizes == {"batch": 2, "h": 7, "w": 5}

    def test_without_names_there_is_a_run_as_usual_and_one_with_large_numbers(self) -> None:
        first, large = (feed for feed, _ in runs(Picky({"x": parse_type("f32[1,2,3]")}, {3})))
        assert np.abs(first.inputs["x"]).max() < 5 and np.abs(large.inputs["x"]).max() > 5
        (only,) = runs(Picky({"x": parse_type("f32[1,2,3]")}, {3}), Feeding(large=False))
        assert only[0].scale == 1

    def test_the_last_of_three_runs_has_large_numbers(self) -> None:
        assert [feed.scale for feed, _ in runs(Picky(IMAGE, set(range(2000))))] == [1, 1, SCALE]

    def test_what_takes_long_is_not_run_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nhwcc.feeds.AFFORDABLE", 0.0)
        assert len(list(runs(Picky({"x": parse_type("f32[1,2,3]")}, {3})))) == 1


class TestData:
    def test_arrays_and_files(self, tmp_path: Path) -> None:
        x = np.ones((2, 3), np.float32)
        np.save(tmp_path / "x.npy", x)
        np.savez(tmp_path / "all.npz", x=x)
        given: list[Any] = [x, {"x": x}, tmp_path / "x.npy", {"x": str(tmp_path / "x.npy")}, tmp_path / "all.npz"]
        for data in given:
            assert (read_data(data, STATIC)["x"] == x).all()
        assert read_data(None, STATIC) == {}

    def test_it_tells_named_sizes(self) -> None:
        image = np.zeros((2, 3, 7, 5), np.float32)
        (only,) = feeds(IMAGE, Feeding(image))
        assert only.sizes == {"batch": 2, "h": 7, "w": 5} and only.inputs["image"] is image

    def test_what_is_missing_is_random_with_the_sizes_of_what_is_given(self) -> None:
        (only,) = feeds(TWO, Feeding({"ids": np.zeros((3, 9), np.int64)}))
        assert only.inputs["mask"].shape == (3, 1, 9)

    def test_two_arrays_that_contradict(self) -> None:
        with pytest.raises(CompileError) as caught:
            list(feeds(TWO, Feeding({"ids": np.zeros((3, 9), np.int64), "mask": np.zeros((3, 1, 8), np.bool_)})))
        assert caught.value.diagnostics[0].code == "R002"

    @pytest.mark.parametrize(
        "wrong", [np.ones((2, 3)), np.ones((2, 4), np.float32), np.ones(3, np.float32), np.ones((2, 3), np.int32)]
    )
    def test_arrays_that_do_not_fit(self, wrong: Array) -> None:
        assert problem(wrong)[0] == "R002"

    def test_many_samples_where_one_is_compared(self) -> None:
        code, help = problem(np.ones((9, 3), np.float32))
        assert code == "R002" and "array[:1]" in str(help)
        assert problem(np.ones((2, 4), np.float32)) == ("R002", None)

    def test_names_that_do_not_exist(self) -> None:
        assert problem({"y": np.ones((2, 3), np.float32)}) == ("L006", "there are x")
        assert problem({"imagge": np.ones(1)}, IMAGE) == ("L006", "did you mean 'image'?")

    def test_one_array_for_two_inputs(self) -> None:
        assert problem(np.ones(1), TWO) == ("L006", "ids, mask")

    def test_files_that_can_not_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "text.npy").write_text("no array")
        (tmp_path / "text.npz").write_text("no arrays")
        np.save(tmp_path / "objects.npy", np.asarray([object()]), allow_pickle=True)
        (tmp_path / "empty.npy").write_bytes(b"")
        for name in ("none.npy", "none.npz", "text.npy", "text.npz", "objects.npy", "empty.npy"):
            assert problem(tmp_path / name)[0] == "R010", name

    def test_several_arrays_for_one_name(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "all.npz", x=np.ones(1))
        assert problem({"x": tmp_path / "all.npz"})[0] == "R010"


@pytest.mark.parametrize(
    ("member", "content"),
    [
        ("x", b"no array"),
        ("x.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4',\n"),
        ("x.npy", b"\x93NUMPY\x01\x00\x10\x00((((((((((((((((\n"),
        ("x.npy", b"\x93NUMPY\x09\x00"),
        ("x.npy", b""),
    ],
)
def test_an_archive_of_what_are_no_arrays(tmp_path: Path, member: str, content: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr(member, content)
    with pytest.raises(CompileError) as caught:
        read_data(tmp_path / "d.npz", STATIC)
    assert [d.code for d in caught.value.diagnostics] == ["R010"]
