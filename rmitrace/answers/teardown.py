"""What was taken down of an assigned device, step by step: which of them succeeded, at which line."""

from __future__ import annotations

from collections.abc import Iterator

from .model import ANSWER, Answer, Report

_STEPS = (
    ("DMA on in the Realm", ("RSI_VDEV_DMA_ENABLE",)),
    ("DMA off in the Realm", ("RSI_VDEV_DMA_DISABLE",)),
    ("device memory unmapped", ("RMI_RTT_DEV_UNMAP", "RMI_VDEV_UNMAP")),
    ("VDEV unlocked", ("RMI_VDEV_UNLOCK",)),
    ("VDEV destroyed", ("RMI_VDEV_DESTROY",)),
    ("stream disconnected", ("RMI_PDEV_STREAM_DISCONNECT",)),
    ("PDEV stopped", ("RMI_PDEV_STOP",)),
    ("PDEV destroyed", ("RMI_PDEV_DESTROY",)),
    ("stream table destroyed", ("RMI_PSMMU_ST_L2_DESTROY",)),
    ("PSMMU deactivated", ("RMI_PSMMU_DEACTIVATE",)),
)
_ENDS = ("RMI_VDEV_UNLOCK", "RMI_VDEV_DESTROY", "RMI_PSMMU_DEACTIVATE", "RMI_PSMMU_ST_L2_DESTROY")


def teardown(report: Report) -> Iterator[Answer]:
    """Where a VDEV or an SMMU was taken down: each step with its last result."""
    capture = report.capture
    if capture is None or not report.names & set(_ENDS):
        return
    last: dict[str, tuple[int, int]] = {}
    for row, line, name in zip(*report.calls, report.texts[0], strict=True):
        last[name] = row, line
    said, absent = [], []
    for what, names in _STEPS:
        found = max((last[n] for n in names if n in last), default=None)
        if found is None:
            absent.append(what)
            continue
        status = capture.status_text(found[0]) or "no status in its row"
        said.append(f"{what}: {capture.name_text(found[0])} {status}, line {found[1] + 1}")
    if absent:
        said.append(
            f"no row: {', '.join(absent)}. Successes of some commands are not logged; a row that is missing proves nothing"
        )
    if "RSI_VDEV_DMA_ENABLE" not in last:
        said.append(
            "that a write to tsm/accept succeeded does not prove that DMA was enabled: RSI_VDEV_DMA_ENABLE > RSI_SUCCESS does"
        )
    lines = [last[n][1] for n in _ENDS if n in last]
    yield Answer("teardown", "what was taken down of the device", tuple(said), (), min(lines) + 1, ANSWER)
