"""What shards have in common as a file that every process of this machine maps into memory.

The arrays lie in it as they are in memory: a process that reads it copies none of them, and
all processes have the same pages. They cannot be written to.
"""

import mmap
import pickle
import struct
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from riskmark.engine.shard_compute import Shared

_ALIGNED = 64
"""Bytes to whose multiple every array is moved."""
_SIZE = struct.Struct("<q")


class SharedFile(NamedTuple):
    """The name of a round, and the file that has what its shards have in common."""

    key: str
    path: Path

    def load(self) -> Shared:
        """Map the file into memory; it stays there for as long as any array of it is used."""
        with self.path.open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        (count,) = _SIZE.unpack_from(mapped)
        sizes = [_SIZE.unpack_from(mapped, _SIZE.size * (1 + place))[0] for place in range(count)]
        starts = _starts(sizes)
        head, *arrays = [
            mapped[start : start + size] for start, size in zip(starts, sizes, strict=False)
        ]
        found: Shared = pickle.loads(head, buffers=arrays)  # noqa: S301 - this run has written it
        return found


def write_shared(path: Path, shared: Shared) -> SharedFile:
    """Write ``shared`` to ``path``."""
    arrays: list[pickle.PickleBuffer] = []
    head = pickle.dumps(shared, protocol=5, buffer_callback=arrays.append)
    parts: list[memoryview] = [memoryview(head), *(one.raw() for one in arrays)]
    sizes = [part.nbytes for part in parts]
    with path.open("wb") as file:
        file.write(_SIZE.pack(len(parts)))
        file.writelines(_SIZE.pack(size) for size in sizes)
        for start, part in zip(_starts(sizes), parts, strict=False):
            file.seek(start)
            file.write(part)
    return SharedFile(shared.key, path)


def _starts(sizes: list[int]) -> list[int]:
    """Return where each part begins, and where the last one ends."""
    head = _aligned(_SIZE.size * (1 + len(sizes)))
    return list(accumulate((_aligned(size) for size in sizes), initial=head))


def _aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
