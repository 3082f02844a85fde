"""Reasons are given only where DEN0137 or TF-RMM has that condition in that revision."""

from __future__ import annotations

import pytest

from rmitrace.lifecycle.refusals import why_refused


@pytest.mark.parametrize(
    ("command", "status", "state", "failed", "revision", "word"),
    [
        # 2.0-bet1 PDEV_STOP: comm state has to be IDLE; a failed transaction leaves it in ERROR
        ("RMI_PDEV_STOP", "RMI_ERROR_DEVICE", "ERROR", True, "2.0-bet3", "RMI_PDEV_ABORT"),
        # 1.1 PDEV_STOP: not in COMMUNICATING, STOPPING, STOPPED
        ("RMI_PDEV_STOP", "RMI_ERROR_DEVICE", "STOPPING", False, "1.1-alp17", "PDEV_STOPPING"),
        ("RMI_PDEV_DESTROY", "RMI_ERROR_DEVICE", "READY", False, "1.1-alp17", "PDEV_STOPPED"),
        ("RMI_PDEV_SET_PUBKEY", "RMI_ERROR_DEVICE", "NEW", False, "2.0-bet1", "PDEV_NEEDS_KEY"),
        ("RMI_GRANULE_UNDELEGATE", "RMI_ERROR_INPUT", "ERROR", False, "1.1-alp17", "not DELEGATED"),
        ("RMI_VDEV_DESTROY", "RMI_ERROR_DEVICE", "STARTED", False, "1.1-alp17", "RMI_VDEV_UNLOCK"),
        ("RMI_VDEV_LOCK", "RMI_ERROR_DEVICE", "NEW", False, "1.1-alp17", "VDEV_UNLOCKED"),
        ("RMI_VDEV_START", "RMI_ERROR_DEVICE", "UNLOCKED", False, "2.0-bet3", "VDEV_LOCKED"),
        ("RMI_PDEV_CREATE", "RMI_ERROR_GLOBAL", None, False, "2.0-bet3", "RMI_RMM_ACTIVATE"),
    ],
)
def test_known_conditions(command, status, state, failed, revision, word):
    assert word in why_refused(command, status, state, failed, revision)


@pytest.mark.parametrize(
    ("command", "status", "state", "failed", "revision"),
    [
        # from ERROR PDEV_STOP is allowed in 1.1: another condition, such as a VDEV, stands behind this one
        ("RMI_PDEV_STOP", "RMI_ERROR_DEVICE", "ERROR", True, "1.1-alp17"),
        ("RMI_PDEV_CREATE", "RMI_ERROR_INPUT", None, False, "2.0-bet3"),
        ("RMI_PDEV_DESTROY", "RMI_ERROR_DEVICE", None, False, "1.1-alp17"),
        ("RMI_PDEV_DESTROY", "RMI_SUCCESS", "READY", False, "1.1-alp17"),
    ],
)
def test_nothing_is_said_where_it_is_open(command, status, state, failed, revision):
    assert why_refused(command, status, state, failed, revision) == ""
