"""Lines of hex dumps, joined to dumps."""

from __future__ import annotations

import random
import time

import pytest

from rmitrace.formats.hexlines import Dump, dumps, hex_lines, parse_line

GET_VERSION = bytes((0x10, 0x84, 0, 0))


def read(text: str) -> list[Dump]:
    return sorted(dumps(hex_lines(text.encode())), key=lambda d: d.start)


def one(text: str) -> list[bytes]:
    found = read(text)
    assert len(found) == 1
    return found[0].readings()


# what print_hex_dump and printk print of the bytes 10 84 00 00 (Linux lib/hexdump.c, printk-formats.rst)
@pytest.mark.parametrize(
    "line",
    [
        "[   12.3] doe: 00000000: 10 84 00 00                                      ....",
        "[   12.3] doe: 00000000: 10 84 00 00",
        "[   12.3] doe: 00000000a1b2c3d4: 10 84 00 00",  # DUMP_PREFIX_ADDRESS, hashed
        "[   12.3] doe: 10 84 00 00",  # DUMP_PREFIX_NONE, and %*ph
        "[   12.3] doe: 10:84:00:00",  # %*phC
        "[   12.3] doe: 10-84-00-00",  # %*phD
        "0000: 10 84 00 00 ",  # libspdm
        "0000: 10 84 00 00 \r",
        "> 0000: 10 84 00 00",  # quoted in a mail
        "    10 84 00 00",
        "00000000  10 84 00 00                                       |....|",  # hexdump -C
        "buf: 10 84 00 00 (a request)",
    ],
)
def test_bytes(line: str) -> None:
    assert one(line + "\n") == [GET_VERSION]


@pytest.mark.parametrize(
    "line",
    [
        "[   12.3] doe: 00000000: 00008410",  # groups of four bytes: words of the machine
        "[   12.3] doe: 00000000: 8410 0000",  # of two
        "[   12.3] doe: 10840000",  # %*phN
        "00000000: 1084 0000                                ....",  # xxd: pairs in the order of memory
    ],
)
def test_words_may_be_either_way(line: str) -> None:
    assert GET_VERSION in one(line + "\n")


def test_the_column_of_characters_decides_the_order_of_words() -> None:
    swapped = "x: 00000000: 4144 4241 0043 0000                      DAABC...\n"
    assert one(swapped) == [b"DAABC\0\0\0"]
    plain = "00000000: 4441 4142 4300 0000                      DAABC...\n"
    assert one(plain) == [b"DAABC\0\0\0"]


def test_words_without_characters_are_little_endian_first() -> None:
    assert one("x: 00000000: 0000e112 00001400\n")[0] == bytes.fromhex("12e1000000140000")


def test_lines_go_on_where_the_offset_says() -> None:
    rows = [bytes(range(16)), bytes(range(16, 32)), b"\xaa\xbb"]
    lines = [f"[ {i}.000001] doe: {16 * i:08x}: {row.hex(' ')}" for i, row in enumerate(rows)]
    lines.insert(1, "[ 0.5] usb 1-1: new device")
    (dump,) = read("\n".join(lines))
    assert dump.data == b"".join(rows)
    assert not dump.broken
    assert dump.start == 0


def test_two_dumps_one_after_the_other() -> None:
    found = read("0000: 10 84 00 00\n0000: 10 04 00 00\n")
    assert [d.data.hex() for d in found] == ["10840000", "10040000"]


def test_two_tasks_print_at_once() -> None:
    lines = []
    for i in range(0, 48, 16):
        lines += [f"a: {i:08x}: {bytes([i] * 16).hex(' ')}", f"b: {i:08x}: {bytes([i + 1] * 16).hex(' ')}"]
    found = {d.lines[0].label: d.data for d in read("\n".join(lines))}
    assert found == {b"a:": bytes([0] * 16 + [16] * 16 + [32] * 16), b"b:": bytes([1] * 16 + [17] * 16 + [33] * 16)}


def test_a_missing_line_breaks_a_dump() -> None:
    found = read(f"x: 00000000: {bytes(16).hex(' ')}\nx: 00000020: {bytes(16).hex(' ')}\n")
    assert [d.broken for d in found] == [False, True]


def test_without_offsets_a_short_line_is_the_last() -> None:
    found = read(f"x: {bytes(range(16)).hex(' ')}\nx: 01 02\nx: 03 04\n")
    assert [len(d.data) for d in found] == [18, 2]


@pytest.mark.parametrize(
    "line",
    [
        "count: 10",
        "len: 12 bytes",
        "pci 0000:01:00.0: [1af4:1000] type 00",
        "12:34:56 hello",
        "see: ab cd",
        "Oct 10 12:00:00 host kernel: x",
        "",
        "0x10 0x84",
        "SMC_RMI_VERSION                   20000 > RMI_SUCCESS 20000 20000",
    ],
)
def test_other_lines(line: str) -> None:
    assert [d for d in read(line + "\n") if len(d.data) >= 4] == []


def test_places() -> None:
    text = b"first\nx: 00000000: 10 84 00 00\nlast\n"
    (line,) = hex_lines(text)
    assert text[line.start : line.end] == b"x: 00000000: 10 84 00 00"
    assert (line.offset, line.width, line.label) == (0, 1, b"x:")


def test_a_line_by_itself() -> None:
    line = parse_line(b"  0010: aa bb")
    assert line is not None
    assert (line.offset, line.data) == (0x10, b"\xaa\xbb")


def test_big_input_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from rmitrace.formats import hexlines

    text = "".join(f"line {i}\nx: {16 * i:08x}: {bytes([i & 255] * 16).hex(' ')}\n" for i in range(300)).encode()
    whole = [(x.start, x.data) for x in hex_lines(text)]
    monkeypatch.setattr(hexlines, "_CHUNK", 997)
    assert [(x.start, x.data) for x in hex_lines(text)] == whole
    assert len(whole) == 300


def test_hostile_text_takes_no_time() -> None:
    rng = random.Random(4)
    pieces = [b": ", b"10 84 ", b"00000000: ", b"\n", b"aa:", b"-", b"  ", b"|", b"f" * 3000, b"[" * 100, b"\xff", b" " * 500]
    began = time.process_time()
    for _ in range(15):
        text = b"".join(rng.choice(pieces) for _ in range(3000))
        for d in dumps(hex_lines(text)):
            assert 0 <= d.start <= d.end <= len(text)
            d.readings()
    for text in (b": 10 " * 40_000, b"a" * 1_000_000, b": " + b"10 " * 60_000, b": 1\n" * 40_000, b"\n10 84" * 40_000):
        list(dumps(hex_lines(text)))
    assert time.process_time() - began < 20
