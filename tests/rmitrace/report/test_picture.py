"""The columns of the picture against the lines of the trace that they are made of."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rmitrace.capture import open_capture
from rmitrace.report import choose
from rmitrace.report.drawing import drawing
from rmitrace.report.model import Picture
from rmitrace.report.picture import MAX_EVENTS, picture
from rmitrace.report.redact import Redactor
from rmitrace.report.words import events_in_words

CAPTURES = Path(__file__).parents[3] / "captures"
CONNECT = CAPTURES / "ftrace" / "pdev-connect.trace.txt"


def made() -> Picture:
    capture = open_capture([str(CONNECT)])
    first = choose.headline(choose.ordered(capture.findings))
    main = choose.main_call(capture, first)
    found = picture(capture, choose.sequence(capture, first, main), main, Redactor(frozenset()))
    assert found is not None
    return found


def test_columns_are_the_calls_of_the_connect() -> None:
    """The trace has 21 delegations, of which 20 stand between PDEV_CREATE and OP_MEM_DONATE."""
    p = made()
    fids = re.findall(r"smc_enter: .* a0=0x(c40001[0-9a-f]{2})", CONNECT.read_text())
    start = fids.index("c4000176")  # RMI_PDEV_CREATE
    donate = next(i for i in range(start, len(fids)) if fids[i] != "c40001f1" and i > start)
    names = [(e.name, e.count) for e in p.events]
    assert names[:4] == [
        ("GRANULE_RANGE_DELEGATE", 1),
        ("PDEV_CREATE", 1),
        ("GRANULE_RANGE_DELEGATE", donate - start - 1),
        ("OP_MEM_DONATE", 1),
    ]
    assert [e.state for e in p.events if e.state] == ["NEW", "NEEDS_KEY", "HAS_KEY", "ERROR"]  # DEN0137 PDEV states
    assert sum(e.main for e in p.events) == 1
    assert [s.name for s in p.steps] == ["delegate", "create", "negotiate", "set key", "session"]
    assert [s.outcome for s in p.steps] == ["ok"] * 4 + ["failed"]


def test_messages_stand_with_the_calls_that_sent_them() -> None:
    said = [name for e in made().events for request, name in e.talks if request]
    assert said[:4] == ["GET_VERSION", "GET_CAPABILITIES", "NEGOTIATE_ALGORITHMS", "GET_CERTIFICATE"]  # DSP0274 order


def test_places_lie_inside_and_columns_do_not_overlap() -> None:
    d = drawing(made())
    xs = [c.x for c in d.columns]
    assert all(0 < x < d.width for x in xs)
    assert np.diff(xs).min() > 20
    assert d.y_host < d.y_rmm < d.y_state < d.y_talk < d.bottom <= d.height
    assert all(b.x + b.width <= d.width for b in (*d.steps, *d.states))


def test_the_words_tell_what_the_picture_shows() -> None:
    words = events_in_words(made())
    assert len(words) == len(made().events)
    (main,) = [t for t, _ in words if "the report is about" in t]
    assert "PDEV_COMMUNICATE" in main
    assert any("the state is now ERROR" in t for t, _ in words)


def test_many_columns_become_few_around_the_call(tmp_path: Path) -> None:
    lines = ["# tracer: nop", "#"]
    for i in range(400):
        name, result = ("c4000175", 0) if i % 2 else ("c400017c", 6 if i == 300 else 0)  # PDEV_COMMUNICATE, PDEV_STOP
        lines += [
            f"  x-7  [000] d.... {100 + i}.000000: smc_enter: (f+0x0/0x8) a0=0x{name} a1=0x88001000 a2=0x88002000 a3=0x0",
            f"  x-7  [000] d.... {100 + i}.000010: smc_exit: (g+0x0/0x8 <- f) a0=0x{result:x} a1=0x0 a2=0x0 a3=0x0",
        ]
    path = tmp_path / "t.txt"
    path.write_text("\n".join(lines) + "\n")
    capture = open_capture([str(path)])
    sequence = capture.sequences[0]
    p = picture(capture, sequence, 300, Redactor(frozenset()))
    assert p is not None
    assert len(p.events) <= MAX_EVENTS
    assert sum(e.main for e in p.events) == 1
    inside = int(np.isin(np.asarray(sequence.calls), range(400)).sum())
    assert sum(e.count or e.gap for e in p.events) == inside
