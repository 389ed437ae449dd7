# SPDX-License-Identifier: Apache-2.0
"""What the library tells, as values."""
from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar

from ._library import InvalidError, c_text, ffi, lib, text

Shape = Tuple[int, ...]
T = TypeVar("T")

# Callables that make one field out of what the C struct holds.
_convert: Dict[str, Callable[[Any], Any]] = {
    "str": text,
    "int": int,
    "bool": bool,
    "float": float,
    "Shape": lambda value: from_shape(value),
    "Tuple[int, int, int]": lambda value: tuple(int(v) for v in value),
    "Optional[str]": lambda value: text(value) or None,
}


def from_struct(kind: Type[T], struct: Any, **given: Any) -> T:
    """A dataclass out of the struct's members of the same names."""
    values = dict(given)
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name not in values:
            values[field.name] = _convert[str(field.type)](getattr(struct, field.name))
    return kind(**values)


def from_shape(shape: Any) -> Shape:
    return tuple(int(shape.dims[i]) for i in range(shape.rank))


def set_shape(shape: Any, dims: Sequence[int], what: str) -> None:
    extents = tuple(int(d) for d in dims)
    if len(extents) > lib.SEPCL_MAX_RANK:
        raise InvalidError(f"{what} has {len(extents)} dimensions; {lib.SEPCL_MAX_RANK} is the limit")
    shape.rank = len(extents)
    for i, extent in enumerate(extents):
        shape.dims[i] = extent


class InputShapes:
    """A C array of sepcl_input_shape, with the memory that it points to."""

    def __init__(self, shapes: Optional[Mapping[str, Sequence[int]]]) -> None:
        given = dict(shapes or {})
        self.count = len(given)
        self.array = ffi.new("sepcl_input_shape[]", max(1, self.count))
        self._names: List[Any] = []
        for item, (name, dims) in zip(self.array, given.items()):
            self._names.append(c_text(name, "an input's name"))
            item.name = self._names[-1]
            set_shape(item.shape, dims, f"the shape of input '{name}'")


@dataclass(frozen=True)
class Layer:
    """A layer of a model. Shapes are NHWC; counts are for the whole batch."""

    name: str
    op: str
    detail: str
    output: Shape
    parameters: int
    trainable: int
    multiplications: int
    additions: int
    is_convolution: bool
    dense_multiplications: int
    separable_multiplications: int
    spatial_multiplications: int


@dataclass(frozen=True)
class Summary:
    """The layers of a model; str() is a table."""

    layers: Tuple[Layer, ...]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Layer:
        return self.layers[index]

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def trainable(self) -> int:
        return sum(layer.trainable for layer in self.layers)

    @property
    def multiplications(self) -> int:
        return sum(layer.multiplications for layer in self.layers)

    def __str__(self) -> str:
        rows = [(f"{layer.name} ({layer.op})", str(layer.output), f"{layer.parameters:,}", f"{layer.multiplications:,}")
                for layer in self.layers]
        rows.append(("total", "", f"{self.parameters:,}", f"{self.multiplications:,}"))
        return table(("Layer (type)", "Output shape", "Param #", "Mult #"), rows, "<<>>")


@dataclass(frozen=True)
class Step:
    """A step of a session's plan. Times are of the last run of a session made with profile=True, in nanoseconds on the
    device's clock; 0 when there are none. output is NHWC; work_items and work_group are of the first launch."""

    name: str
    op: str
    kernel: str
    why: str
    output: Shape
    launches: int
    work_items: Tuple[int, int, int]
    work_group: Tuple[int, int, int]
    multiplications: int
    additions: int
    bytes: int
    queued_ns: int
    start_ns: int
    end_ns: int
    busy_ns: int


@dataclass(frozen=True)
class Way:
    """A form (which ops run a step's layers and those that follow them alone) or a kernel that competed for a step.
    measured_us is tuning's, 0 without; of predicted, cycles by the cost model, only the order within a step means something."""

    name: str
    is_form: bool
    chosen: bool
    measured_us: float
    predicted: float


@dataclass(frozen=True)
class LayerCheck:
    """A layer compared with the reference. error is the largest difference over the largest magnitude."""

    step: int
    name: str
    op: str
    error: float
    tolerance: float
    where: int
    got: float
    want: float

    @property
    def ok(self) -> bool:
        return self.error <= self.tolerance


@dataclass(frozen=True)
class TuneResult:
    """A layer, or several that follow each other, whose ways to run were timed. after is '' when none was right."""

    name: str
    op: str
    layers: int
    is_form: bool
    used: bool
    before: str
    after: str
    before_us: float
    after_us: float
    error: float
    tried: int
    wrong: int


def progress_bar(title: str, progress: bool) -> Any:
    """tqdm's, in percent: in a notebook, and where standard error is a terminal; elsewhere it would only fill a log."""
    from tqdm.auto import tqdm
    return tqdm(total=100, desc=title, disable=None if progress else True, leave=False,
                bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed} {postfix}")


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], align: str,
          rule: Callable[[int], str] = lambda width: "─" * width) -> str:
    """Columns two blanks apart under titles and a rule; align has '<' or '>' a column."""
    widths = [max(len(str(row[i])) for row in [titles, *rows]) for i in range(len(titles))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(cells, align, widths)).rstrip()

    return "\n".join([line(titles), "  ".join(rule(width) for width in widths), *(line(row) for row in rows)])
