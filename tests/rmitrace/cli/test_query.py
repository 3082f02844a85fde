"""query against sums made from the recording itself."""

from __future__ import annotations

import csv
import io
import json
import lzma
from collections import Counter
from pathlib import Path

import pytest

from rmitrace.__main__ import main

ROOT = Path(__file__).parent.parent.parent.parent
CAPTURE = ROOT / "captures/rmm/tf-rmm-head-errors.calls.jsonl.xz"
CONNECT = ROOT / "captures/ftrace/pdev-connect.trace.txt"
TRUTH = [json.loads(line) for line in lzma.decompress(CAPTURE.read_bytes()).splitlines()]


def query(capsys: pytest.CaptureFixture[str], sql: str, *words: str, of: Path = CAPTURE) -> str:
    assert main(["query", *words, sql, str(of)]) == 0
    return capsys.readouterr().out


def objects(capsys: pytest.CaptureFixture[str], sql: str, of: Path = CAPTURE) -> list[dict]:
    return [json.loads(line) for line in query(capsys, sql, "-f", "json", of=of).splitlines()]


def fid(call: dict) -> int:
    return int(call["fid"], 16) & ~0x10000  # without the SVE hint


def test_groups_are_those_of_the_recording(capsys):
    rows = objects(capsys, "SELECT fid, count(*) AS n, max(dur_ns) AS longest FROM calls GROUP BY fid")
    counted = Counter(map(fid, TRUTH))
    assert {int(r["fid"], 16): r["n"] for r in rows} == counted
    for r in rows:
        longest = max(c["dur_us"] for c in TRUTH if fid(c) == int(r["fid"], 16))
        assert r["longest"] == pytest.approx(longest * 1000, abs=2)


def test_registers_are_exact_and_hexadecimal(capsys, tmp_path):
    """2^60 + 1 and 2^60 are the same number to a float."""
    row = "  a-1  [001] d..1.  12.34567{}: smc_enter: (__arm_smccc_smc+0x0/0x30) x0=0xc4000150 x1=0x{:x}\n"
    path = tmp_path / "trace.txt"
    path.write_text("# tracer: nop\n" + row.format(0, 1 << 60) + row.format(1, (1 << 60) + 1))
    sql = "SELECT seq, x1, x1 + 1 AS next FROM calls WHERE x1 = 0x1000_0000_0000_0001"
    assert objects(capsys, sql, path) == [{"seq": 1, "x1": "0x1000000000000001", "next": "0x1000000000000002"}]


def test_rows_beyond_one_part(capsys, monkeypatch):
    whole = query(capsys, "SELECT seq, fid FROM calls")
    some = query(capsys, "SELECT seq FROM calls WHERE seq > 10 LIMIT 5")
    monkeypatch.setattr("rmitrace.tables.AT_ONCE", 7)
    assert query(capsys, "SELECT seq, fid FROM calls") == whole
    assert query(capsys, "SELECT seq FROM calls WHERE seq > 10 LIMIT 5") == some
    assert objects(capsys, "SELECT count(*) AS n FROM calls") == [{"n": len(TRUTH)}]


def test_text_stands_in_columns(capsys):
    lines = query(capsys, "SELECT x0 AS first, seq FROM calls ORDER BY seq LIMIT 2").splitlines()
    assert lines == [f"{'first':>10}  seq", "-" * 10 + "  ---", *(f"{c['in'][0]:>10}  {i:>3}" for i, c in enumerate(TRUTH[:2]))]


def test_csv(capsys):
    rows = list(csv.DictReader(io.StringIO(query(capsys, "SELECT seq, fid, ts FROM calls ORDER BY seq", "-f", "csv"))))
    assert [(int(r["seq"]), int(r["fid"], 16)) for r in rows] == [(i, fid(c)) for i, c in enumerate(TRUTH)]


def test_every_table_joins_by_call(capsys):
    """The requests of this connect as its README lists them, each in its call; the state that came after."""
    names = objects(
        capsys, "SELECT m.name, c.name AS call FROM messages m JOIN calls c ON m.call = c.seq ORDER BY m.seq", CONNECT
    )
    assert [r["name"] for r in names][:4] == ["GET_VERSION", "VERSION", "GET_CAPABILITIES", "CAPABILITIES"]
    assert {r["call"] for r in names} == {"RMI_PDEV_COMMUNICATE"}
    states = objects(
        capsys,
        "SELECT s.to_state, c.r1 FROM states s JOIN calls c ON s.call = c.seq WHERE NOT s.inferred ORDER BY c.seq",
        CONNECT,
    )
    assert states == [  # DEN0137 RmiPdevState: NEEDS_KEY 1, ERROR 5
        {"to_state": "NEEDS_KEY", "r1": "0x1"},
        {"to_state": "ERROR", "r1": "0x5"},
    ]
    failed = objects(capsys, "SELECT kind, failed_step FROM sequences WHERE outcome = 'failed' ORDER BY number", CONNECT)
    assert failed[0] == {"kind": "connect", "failed_step": "session"}
    first = "SELECT f.severity, c.name FROM findings f JOIN calls c ON f.call = c.seq WHERE severity = 'error' ORDER BY f.call"
    assert objects(capsys, first + " LIMIT 1", CONNECT) == [{"severity": "error", "name": "RMI_PDEV_COMMUNICATE"}]


def test_every_column_can_be_asked(capsys):
    for table in ("calls", "messages", "sequences", "states", "findings"):
        assert query(capsys, f"SELECT * FROM {table} LIMIT 2", of=CONNECT).count("\n") == 4


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "an empty query"),
        ("SELECT nam FROM calls", 'unable to find column "nam"'),
        ("SELEC 1", "sql parser error"),
        ("SELECT a FROM nowhere", "relation 'nowhere' was not found"),
        ("SELECT 0xzz", "not a number: 0xzz"),
        ("SELECT 1; SELECT 2", "one (and only one) statement"),
        ("SELECT name + x1 FROM calls", "rmitrace: query: "),
    ],
)
def test_what_cannot_be_asked_is_one_line(capsys, sql, said):
    assert main(["query", sql, str(CONNECT)]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert said in err
    assert err.count("\n") == 1


def test_nothing_read_reaches_the_terminal_raw(tmp_path, capsys):
    line = "  \x1b[31mevil\u202e-91  [001] d..1.  12.345678: smc_enter: (__arm_smccc_smc+0x0/0x30) x0=0xc4000150 x1=0x20000\n"
    path = tmp_path / "trace.txt"
    path.write_text("# tracer: nop\n" + line)
    for form in ("text", "csv", "json"):
        out = query(capsys, 'SELECT task, task AS "a\x1bb" FROM calls', "-f", form, of=path)
        assert "evil" in out
        assert not set(out) & {"\x1b", "\u202e"}
