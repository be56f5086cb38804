"""Checks the global heaps of an HDF5 file, which store texts. The HDF5 library reads a damaged heap
in an endless loop, so the heaps are checked first. Source: HDF5 File Format Specification, "Global
Heap"."""

from mmap import ACCESS_READ, mmap
from struct import Struct
from typing import IO

SIGNATURE = b"GCOL\x01\0\0\0"  # signature, version and three reserved bytes
SIZE = Struct("<Q")
OBJECT = Struct("<HHIQ")  # index, references, reserved, size of the data


def has_valid_heaps(file: IO[bytes]) -> bool:
    """Whether the objects of each heap fill it exactly."""
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        begin = data.find(SIGNATURE)
        while begin >= 0:
            if begin % 8 == 0 and not _has_valid_objects(data, begin):
                return False
            begin = data.find(SIGNATURE, begin + len(SIGNATURE))
    return True


def _has_valid_objects(data: mmap, begin: int) -> bool:
    first = begin + len(SIGNATURE) + SIZE.size
    end = begin + SIZE.unpack_from(data, begin + len(SIGNATURE))[0] if first <= len(data) else -1
    while first + OBJECT.size <= end <= len(data):
        index, _, _, length = OBJECT.unpack_from(data, first)
        # The object with index 0 is the free space; its size includes its header.
        size = length if index == 0 else OBJECT.size + -(-length // 8) * 8
        if size < OBJECT.size or first + size > end:
            return False
        first += size
    return 0 <= end <= len(data)
