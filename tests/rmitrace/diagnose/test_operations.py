"""Open operations: what is looked up by spans is what each handle says by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rmitrace import diagnose
from rmitrace.capture import open_capture

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["rmm/tf-rmm-head-errors.calls.jsonl.xz", "rmm/tf-rmm-head-nominal.calls.jsonl.xz"])
def test_spans_leave_out_no_open_operation(name):
    capture = open_capture([str(ROOT / "captures" / name)])
    operations = diagnose.world(capture, 0).operations
    handles = np.unique(operations.handles).tolist()
    assert handles
    seen = 0
    for seq in range(len(capture.calls) + 1):
        each = [o for h in handles if (o := operations.at(h, seq)) is not None]
        assert sorted(operations.open_at(seq)) == sorted(each)
        seen += bool(each)
    assert seen
