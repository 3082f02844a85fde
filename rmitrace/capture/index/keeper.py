"""Keeps the index of the files that are opened together: takes a capture out of it, or puts one into it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...formats.base import ReadOptions, Unreadable
from .. import checking
from ..packed import Column
from . import container, contents, folder, identity, later

if TYPE_CHECKING:
    from ..model import Capture
    from ..opening import OpenOptions

SMALLEST = 32 << 20
"""Bytes of all sources together, unpacked, from which on an index repays: below, they are read in less time than the program
takes to start."""
_WORTH_LOOKING = 1 << 20
"""Bytes of all files, packed or not, from which on an index is looked for."""
LATER = ".later" + folder.SUFFIX
"""How the name of what was found out later goes on."""
_UNUSABLE = (container.Damaged, OSError, ValueError, TypeError, KeyError, LookupError, OverflowError, MemoryError, Unreadable)


class _Stale(container.Damaged):
    """A whole index, of something else: nothing is wrong with it."""


class Keeper:
    """The index of some files opened in some way. Whatever goes wrong with it is as if there were none."""

    def __init__(self, paths: list[str], options: OpenOptions) -> None:
        self._options = options
        self._said = {"abi": options.abi, "source_format": options.source_format, "maps": list(options.maps)}
        self._stamps: list[identity.Stamp] = []
        self._file: str | None = None
        self._learned: dict[str, Any] = {}
        self._recalling = threading.RLock()
        self._parts: list[str] = []
        """What of the file with LATER was not taken out of it yet."""
        self.problem = ""
        """Why an index that is there was not used."""
        if "-" in paths or not _big_enough(paths):
            return
        where = folder.prepare()
        if where is None:
            return
        with contextlib.suppress(OSError):
            found = [identity.stamp(p) for p in paths]
            self._stamps = [s for s in found if s is not None]
            if len(self._stamps) == len(paths):
                name = identity.name([s.path for s in self._stamps], self._said)
                self._file = os.path.join(where, name + folder.SUFFIX)
        self._paths = paths
        self._settled = identity.settled(self._stamps)

    def load(self) -> Capture | None:
        """The capture as it was read before; None where there is no index of it that holds."""
        if self._file is None or not os.path.lexists(self._file):
            return None
        try:
            with self._open(self._file) as found:
                options = ReadOptions(self._options.maps, keys=self._options.keys, show_secrets=self._options.show_secrets)
                capture = contents.take(found, self._paths, options)
        except _Stale as e:
            self.problem = str(e)
            return None
        except _UNUSABLE as e:
            self.problem = str(e) or type(e).__name__
            if self._options.note is not None:
                self._options.note(f"the index kept of {', '.join(self._paths)} is not used: {self.problem}; reading again")
            return None
        capture.keeper = self
        folder.used(self._file)
        self.look(capture)
        return capture

    def look(self, capture: Capture) -> None:
        """See what was found out about a capture and kept by now, also by another process."""
        if self._file is None:
            return
        try:
            with self._open(self._file + LATER) as found:
                later.take_small(capture, found.meta)
                self._parts = [p for p in later.PARTS if found.meta.get(p) and p not in capture.parts]
            folder.used(self._file + LATER)
        except _UNUSABLE as e:
            self.problem = str(e)
        self._learned = self._known(capture)

    def recall(self, capture: Capture, part: str) -> None:
        """Tell a capture what an earlier one found out about the same files (see later.PARTS), where that was kept."""
        with self._recalling:  # whoever else wants it has it afterwards
            if part not in self._parts or self._file is None:
                return
            self._parts.remove(part)  # once: what is damaged is worked out anew
            try:
                with self._open(self._file + LATER) as found:
                    later.take(found, capture, part)
            except _UNUSABLE as e:
                self.problem = str(e)

    def _known(self, capture: Capture) -> dict[str, Any]:
        """What is known of a capture, in memory or in the file."""
        return later.known(capture) | dict.fromkeys(self._parts, True)

    @contextlib.contextmanager
    def _open(self, file: str) -> Iterator[container.Container]:
        """An index file of this key. Raises Damaged, OSError."""
        found = container.read(file)
        try:
            if found.key != identity.key(self._stamps, self._said):
                raise _Stale("of other files, or of the files as they were")
            yield found
        finally:
            found.close()

    def save(self, capture: Capture) -> bool:
        """Keep a capture that was just read; whether that was worth it and possible."""
        if self._file is None or not self._settled or not contents.fits(capture):
            return False
        if sum(len(s.data) for s in capture.sources) < SMALLEST:
            return False
        try:
            if [identity.stamp(p) for p in self._paths] != self._stamps:
                return False  # the files changed while they were read
            meta, columns = contents.give(capture, [s.size for s in self._stamps])
            if not folder.has_room(sum(c.nbytes for c in columns.values())):
                return False
            container.write(self._file, identity.key(self._stamps, self._said), meta, columns)
        except (OSError, ValueError, MemoryError):
            return False
        folder.evict(self._file)
        capture.keeper = self
        checking.prepare(sum(len(c) for c in columns.values() if isinstance(c, Column)))
        return True

    def learn(self, capture: Capture) -> None:
        """Keep what was found out about a capture since it came from here."""
        if self._file is None or self._known(capture) == self._learned or not folder.has_room(0):
            return
        for part in [*self._parts]:
            self.recall(capture, part)
        self._learned = {}
        with contextlib.suppress(OSError, ValueError, MemoryError):
            meta, columns = later.give(capture)
            container.write(self._file + LATER, identity.key(self._stamps, self._said), meta, columns)
            self._learned = later.known(capture)

    def keeps(self, part: str) -> bool:
        """Whether a part of later.PARTS is kept, so that another process can have it from there."""
        return bool(self._learned.get(part))


def _big_enough(paths: list[str]) -> bool:
    try:
        return sum(os.stat(p).st_size for p in paths) >= _WORTH_LOOKING
    except OSError:
        return False
