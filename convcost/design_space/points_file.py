"""Writes the points of a search to a file: CSV, JSON Lines or Parquet."""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from convcost.design_space.search import Points, SearchRequest
from convcost.design_space.traced_function import Variable
from convcost.model.errors import UsageError, required_package
from convcost.model.number_format import format_count
from convcost.model.options import json_number, value_text
from convcost.reports.files import new_file, partial_file, refuse_read_only
from convcost.reports.sweep.points import setting_column
from convcost.reports.table import UNKNOWN

SUFFIXES = (".csv", ".jsonl", ".parquet")
MAX_DIGITS = 38  # of the largest integers of Parquet that pyarrow reads from CSV


class PointsFile:
    """A file of points, in the order of the space.

    It is written at the end, from a file beside it whose name ends in `.part`: so it is complete or
    not there, and a search can continue. The part of a Parquet file is CSV.
    """

    def __init__(self, path: Path, request: SearchRequest) -> None:
        """Raises UsageError if the suffix is not known."""
        if path.suffix not in SUFFIXES:
            raise UsageError(f"--points must end in {', '.join(SUFFIXES)}, not `{path.name}`")
        if path.suffix == ".parquet":
            _pyarrow()
        self.path = Path(os.path.realpath(path))
        self.request = request
        self._partial = partial_file(path)
        self._names = (
            *(setting_column(name, name, request.columns).key for name in request.space.names),
            *request.columns,
        )
        self._lines = path.suffix == ".jsonl"
        self._line: Callable[[Iterable[str]], str] = self._json_line if self._lines else ",".join
        write = _json_text if self._lines else value_text
        self._unknown = "null" if self._lines else UNKNOWN
        self._texts = {
            variable.name: np.array([write(value) for value in variable.values], dtype=object)
            for variable in request.space.variables
        }
        self._file: BinaryIO | None = None

    def open(self, offset: int) -> None:
        """Continues at `offset`. Raises UsageError if the first `offset` bytes are not there, or if
        the file cannot be written."""
        refuse_read_only(self.path)
        file = self._file = self._open(offset)
        file.truncate(offset)
        file.seek(offset)
        if not offset and not self._lines:
            file.write(f"{','.join(self._names)}\n".encode())

    def _open(self, offset: int) -> BinaryIO:
        """The partial file. It is never a link, whose target would be overwritten."""
        if not offset:
            self._partial.unlink(missing_ok=True)
            return self._partial.open("xb")
        is_regular = self._partial.is_file() and not self._partial.is_symlink()
        if not is_regular or self._partial.stat().st_size < offset:
            message = f"--resume needs the first {format_count(offset)} bytes of `{self._partial}`"
            raise UsageError(message, help="delete the state to begin the search again")
        return self._partial.open("r+b")

    def write(self, start: int, stop: int, points: Points) -> None:
        """Adds `points`, which are some of those from `start` up to, but not including, `stop`."""
        assert self._file is not None
        positions = self.request.space.positions(start, stop)
        chosen = points.index - start
        columns = [self._texts[name][at[chosen]] for name, at in positions.items()]
        by_name = dict(zip(positions, columns, strict=True))
        ordered = [by_name[name].tolist() for name in self._texts]
        numbers = []
        for name, column in zip(self.request.columns, points.columns, strict=True):
            texts = np.array([repr(value) for value in column.tolist()], dtype=object)
            texts[self.request.unknown(name, points)] = self._unknown
            numbers.append(texts.tolist())
        rows = zip(*ordered, *numbers, strict=True)
        self._file.write("".join(f"{self._line(row)}\n" for row in rows).encode())

    def flush(self) -> int:
        """Writes everything to the disk and returns the size of the file."""
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self, *, complete: bool, keep: bool) -> None:
        """Writes the file if the points are complete; else keeps, or deletes, what there is."""
        try:
            if self._file is not None:
                self._file.close()
            if complete:
                if self.path.suffix == ".parquet":
                    self._write_parquet()
                self._partial.replace(self.path)
        finally:
            if not keep:
                self._partial.unlink(missing_ok=True)

    def _json_line(self, row: Iterable[str]) -> str:
        pairs = (f"{json.dumps(name)}: {text}" for name, text in zip(self._names, row, strict=True))
        return "{" + ", ".join(pairs) + "}"

    def _write_parquet(self) -> None:
        pyarrow = _pyarrow()
        for integer in (pyarrow.int64(), pyarrow.decimal128(MAX_DIGITS)):
            with suppress(pyarrow.ArrowInvalid):  # it has a larger integer
                return self._convert(pyarrow, integer)
        limit = f"an integer of more than {MAX_DIGITS} digits"
        raise UsageError(f"Parquet cannot store {limit}; write the points to a .csv or .jsonl file")

    def _convert(self, pyarrow: Any, integer: Any) -> None:
        """Writes the CSV of the part as Parquet, with integers of a type."""
        types = [_arrow_type(variable) for variable in self.request.space.variables]
        types += ["float64" if name == "score" else "integer" for name in self.request.columns]
        schema = pyarrow.schema(
            (name, integer if kind == "integer" else pyarrow.type_for_alias(kind))
            for name, kind in zip(self._names, types, strict=True)
        )
        options = pyarrow.csv.ConvertOptions(column_types=schema, null_values=[UNKNOWN])
        with (
            new_file(self._partial) as file,
            pyarrow.csv.open_csv(self._partial, convert_options=options) as reader,
            pyarrow.parquet.ParquetWriter(file, schema) as writer,
        ):
            for batch in reader:
                writer.write_batch(batch)


def _json_text(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else json_number(value))


def _arrow_type(variable: Variable) -> str:
    types = set(map(type, variable.values))
    if types <= {bool}:
        return "bool"
    if types <= {int}:
        return "integer"
    decimal = all("/" not in value_text(value) for value in variable.values)
    return "float64" if variable.is_number and decimal else "string"


def _pyarrow() -> Any:
    modules = ("pyarrow", "pyarrow.csv", "pyarrow.parquet")
    return required_package("Parquet needs pyarrow", "parquet", *modules)
