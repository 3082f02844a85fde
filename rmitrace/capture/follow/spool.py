"""A copy of what came from a source, under our own feet: nobody cuts it, and it can be mapped while it grows."""

from __future__ import annotations

import mmap
import os
import tempfile

from ..errors import CaptureError
from ..index import folder
from ..source import MAX_UNPACKED

_COPY = 1 << 26


class Spool:
    """Bytes in a file without a name, in the order in which they came. Raises CaptureError beyond MAX_UNPACKED bytes."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(dir=folder.prepare())  # noqa: SIM115 - it lives as long as the source
        self._map: mmap.mmap | bytes = b""
        self.size = 0

    def append(self, data: bytes) -> None:
        """Put bytes at the end."""
        self._check(len(data))
        at = 0
        while at < len(data):
            at += os.pwrite(self._file.fileno(), data[at:], self.size + at)
        self.size += len(data)

    def append_from(self, fd: int, at: int, size: int) -> int:
        """Put a part of another file at the end, at most ``size`` bytes from ``at``; how many it was."""
        self._check(size)
        left = size
        try:
            while left:
                n = os.copy_file_range(fd, self._file.fileno(), min(left, _COPY), at + size - left, self.size)
                if not n:
                    break
                self.size += n
                left -= n
        except OSError:  # not between these two file systems
            while left and (data := os.pread(fd, min(left, 1 << 20), at + size - left)):
                self.append(data)
                left -= len(data)
        return size - left

    def _check(self, more: int) -> None:
        if self.size + more > MAX_UNPACKED:
            raise CaptureError(f"more than {MAX_UNPACKED >> 30} GiB came: following ends here")

    def data(self) -> mmap.mmap | bytes:
        """All of it so far, mapped."""
        if len(self._map) != self.size:
            self._map = mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)
        return self._map
