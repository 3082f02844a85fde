"""What is put aside is the same again, in memory while there is little of it, then in files without a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import pieces
from rmitrace.capture.shelf import Shelf


def test_a_file_only_for_what_is_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(pieces, "BUDGET", 4 << 20)  # of which a shelf has a quarter
    values = np.arange(100_000, dtype=np.int64)  # 800,000 bytes
    shelf = Shelf()
    first, second, few = shelf.put(values), shelf.put(values.reshape(-1, 2)), shelf.put(values[:10])
    assert first is values
    assert few.base is values
    assert second.base is not values
    assert np.array_equal(second, values.reshape(-1, 2))
    assert not second.flags.writeable
    assert not list(tmp_path.iterdir())


def test_without_room_for_a_file_it_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pieces, "BUDGET", 0)
    monkeypatch.setattr(pieces, "unnamed", full)
    values = np.arange(100_000)
    assert Shelf().put(values) is values


def test_room_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is: in memory, in a file, or in memory because there is no room for one."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pieces, "BUDGET", 1 << 20)  # of which a shelf has 262,144 bytes
    shelf = Shelf()
    rooms = [shelf.room(1 << n, np.int16) for n in (3, 16, 17, 18)]  # 16, 131,072, 262,144 and 524,288 bytes
    monkeypatch.setattr(pieces, "unnamed", full)
    rooms.append(shelf.room(1 << 18, np.int16))
    for room in rooms:
        assert not room.any()
        room[:] = np.arange(len(room)) & 255
        assert room[-1] == (len(room) - 1) & 255
    assert [room.base is not None for room in rooms] == [False, False, True, True, False]
