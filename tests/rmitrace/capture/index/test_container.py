"""The file of columns: what was written comes back, and nothing else ever does."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture.index import container
from rmitrace.capture.index.container import Damaged
from rmitrace.capture.packed import Column

PLAIN = {
    "numbers": np.arange(-3, 700, dtype=np.int64),
    "bytes": np.frombuffer(b"from the file's own text", dtype=np.uint8),
    "none": np.zeros(0, dtype=np.uint32),
    "packed": np.arange(200, dtype=np.int32) % 90,
    "few": np.array([True, False, True]),
}
PACKED = ("packed", "few")


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Column, "PIECE", 64)


KEY, META = {"files": [["/a", 1]]}, {"calls": 3, "text": "\udcff\x1b"}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = str(tmp_path / "one.index")
    columns = {n: Column(c.dtype, c) if n in PACKED else c for n, c in PLAIN.items()}
    container.write(path, KEY, META, columns)
    return path


def contents(path: str) -> object:
    """All that can be had from a file; raises Damaged."""
    found = container.read(path)
    try:
        columns = {name: found.values(name, c.dtype).tolist() for name, c in PLAIN.items()}
        return found.key, found.meta, columns, bytes(found.part("bytes"))
    finally:
        found.close()


def test_what_was_written_comes_back(file: str) -> None:
    assert contents(file) == (KEY, META, {n: c.tolist() for n, c in PLAIN.items()}, b"from the file's own text")
    assert container.key_of(file) == (KEY, os.path.getsize(file))


def test_only_the_owner_may_read_it_and_nothing_else_is_left(file: str) -> None:
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert os.listdir(os.path.dirname(file)) == ["one.index"]


def test_a_sum_is_that_of_the_words() -> None:
    # two whole words and three bytes: 1 + 2**64 - 1 = 0 modulo 2**64, and 0x030201
    data = np.frombuffer(struct.pack("<QQ", 1, 2**64 - 1) + b"\1\2\3", dtype=np.uint8)
    assert container.sums(data) == [0x030201]
    assert container.sums(np.zeros(container.BLOCK // 8 + 1, dtype=np.uint64)) == [0, 0]


def test_every_flipped_byte_shows_or_does_not_matter(file: str) -> None:
    whole = contents(file)
    good = Path(file).read_bytes()
    noticed = 0
    with open(file, "r+b") as out:
        for at in range(len(good)):
            out.seek(at)
            out.write(bytes([good[at] ^ (1 << at % 8)]))
            out.flush()
            try:
                assert contents(file) == whole, f"byte {at}"
            except Damaged:
                noticed += 1
            out.seek(at)
            out.write(good[at : at + 1])
        out.flush()
    assert contents(file) == whole
    said = sum(c.nbytes for n, c in PLAIN.items() if n not in PACKED) + 200 + 64
    assert noticed > said  # each byte of the prologue and the columns, and those of the table


def test_every_cut_file_is_none(file: str) -> None:
    good = Path(file).read_bytes()
    for size in [*range(80), *range(80, len(good), 97), len(good) - 1]:
        Path(file).write_bytes(good[:size])
        with pytest.raises((Damaged, ValueError)):
            contents(file)


def _forged(path: str, table: bytes, columns: bytes = b"") -> None:
    """A file with right checksums and any table."""
    at = container.ALIGN + len(columns)
    head = struct.pack(
        "<16sIIQQ16s", container.MAGIC, container.VERSION, 0, at, len(table), hashlib.blake2b(table, digest_size=16).digest()
    )
    Path(path).write_bytes(head.ljust(container.ALIGN, b"\0") + columns + table)


@pytest.mark.parametrize(
    "entry",
    [
        ["<i8", 1 << 62, 4096, []],
        ["<i8", 1, 1 << 62, []],
        ["<i8", -1, 4096, []],
        ["<i8", 1, -4096, []],
        ["<i8", 1, 4097, []],
        ["<i8", 1, 4096, "0"],
        ["<i8", True, 4096, []],
        ["<i8", 1.0, 4096, [0]],
        ["<f8", 1, 4096, [0]],
        ["|O", 1, 4096, [0]],
        ["<i8"],
        None,
        {},
    ],
)
def test_a_column_that_cannot_be_is_refused(tmp_path: Path, entry: object) -> None:
    path = str(tmp_path / "forged.index")
    _forged(path, json.dumps({"key": 0, "meta": 0, "columns": {"numbers": entry}}).encode(), bytes(8))
    found = container.read(path)
    with pytest.raises(Damaged):
        found.column("numbers", np.int64)
    found.close()


@pytest.mark.parametrize(
    "entry",
    [
        ["<i4", 3, 4096, [0], -1],
        ["<i4", 3, 4096, [0], 1 << 62],
        ["<i4", 3, 4096, [0], True],
        ["<i4", 3, 4096, [0], 4],  # the pieces have 8 bytes together
        ["<i4", 1 << 40, 4096, [0], 8],
        ["<i4", 3, 4096, [0], 8],  # which are no piece
        ["<i4", 3, 4096, [0], 8, 0],
    ],
)
def test_a_packed_column_that_cannot_be_is_refused(tmp_path: Path, entry: object) -> None:
    path = str(tmp_path / "forged.index")
    sizes = np.array([8], dtype=np.uint32)
    columns = {"numbers": entry, "numbers.sizes": ["<u4", 1, 8192, container.sums(sizes)]}
    _forged(path, json.dumps({"key": 0, "meta": 0, "columns": columns}).encode(), bytes(4096) + sizes.tobytes())
    found = container.read(path)
    with pytest.raises(Damaged):
        found.values("numbers", np.int32)
    found.close()


def test_numbers_out_of_bounds_are_refused(file: str) -> None:
    """The numbers of ``packed`` are 0 to 89, those of ``numbers`` -3 to 699."""
    found = container.read(file)
    for name, dtype, least, end in (("packed", np.int32, 0, 90), ("numbers", np.int64, -3, 700)):
        assert len(found.values(name, dtype, None, least, end)) == len(PLAIN[name])
        for bounds in ((least + 1, end), (least, end - 1)):
            with pytest.raises(Damaged):
                found.values(name, dtype, None, *bounds)
    with pytest.raises(Damaged, match="200 elements, not 7"):
        found.values("packed", np.int32, 7)
    found.close()


def test_a_packed_column_stays_when_the_file_is_let_go_of(file: str) -> None:
    found = container.read(file)
    column = found.values("packed", np.int32)
    found.close()
    os.unlink(file)
    assert column[123] == 33
    column[123] = 7
    assert (column[123], column[124]) == (7, 34)


@pytest.mark.parametrize("table", [b"", b"[]", b"nul", b"[" * 100_000, b"\xff", b'{"columns": 7}', b"1" * 5000])
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: bytes) -> None:
    path = str(tmp_path / "forged.index")
    _forged(path, table)
    with pytest.raises(Damaged):
        container.read(path)


def test_columns_of_another_length_are_refused(file: str) -> None:
    found = container.read(file)
    with pytest.raises(Damaged):
        found.column("numbers", np.int64, 7)
    found.close()


def test_what_others_may_write_is_not_read(file: str) -> None:
    os.chmod(file, 0o620)
    with pytest.raises(Damaged):
        container.read(file)
    os.chmod(file, 0o600)
    link = file + ".link"
    os.symlink(file, link)
    with pytest.raises(OSError, match="symbolic link"):
        container.read(link)
    with pytest.raises((Damaged, OSError)):
        container.read(os.path.dirname(file))


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.index", 0o600)
    with pytest.raises(Damaged):
        container.read(str(tmp_path / "f.index"))


def test_a_column_is_not_written_to(file: str) -> None:
    """It is the file, mapped, and takes no memory of its own."""
    found = container.read(file)
    column = found.column("numbers", np.int64)
    with pytest.raises(ValueError, match="read-only"):
        column[:] = 9
    found.close()
    assert container.read(file).column("numbers", np.int64)[0] == -3


def test_an_index_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        container.write(str(tmp_path / "one.index"), {1, 2}, META, PLAIN)  # a set is no JSON
    assert os.listdir(tmp_path) == []
