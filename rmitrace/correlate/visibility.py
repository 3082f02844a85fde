"""Which calls an RMM console prints no row for, by design.

A Release build prints none at all. A Debug build of TF-RMM prints a row when a call returns: for most commands always,
for others only where the result is not RMI_SUCCESS, for a few never (TF-RMM ``runtime/core/handler.c``, v0.2.0 of 2022 to
v0.9.0 of 2026; which of the three a command is has changed). A call that is refused before its handler (function id
unknown, RMM not active) prints a line that names no command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .keys import Rows

_NEVER = """
DATA_CREATE DATA_CREATE_UNKNOWN RTT_DATA_MAP_INIT RTT_FOLD RTT_MAP_UNPROTECTED RTT_UNMAP_UNPROTECTED
"""
_ON_ERROR = """
DATA_DESTROY FEATURES GPT_L1_CREATE GPT_L1_DESTROY GRANULE_DELEGATE GRANULE_UNDELEGATE GRANULE_RANGE_DELEGATE
GRANULE_RANGE_UNDELEGATE REC_ENTER RTT_ARCH_DEV_MAP RTT_ARCH_DEV_UNMAP RTT_AUX_CREATE RTT_AUX_DESTROY RTT_AUX_FOLD
RTT_AUX_MAP_PROTECTED RTT_AUX_MAP_UNPROTECTED RTT_AUX_PROT_MAP RTT_AUX_PROT_UNMAP RTT_AUX_UNMAP_PROTECTED
RTT_AUX_UNMAP_UNPROTECTED RTT_AUX_UNPROT_MAP RTT_AUX_UNPROT_UNMAP RTT_CREATE RTT_DATA_MAP RTT_DATA_UNMAP RTT_DESTROY
RTT_DEV_MAP RTT_DEV_UNMAP RTT_DEV_VALIDATE RTT_INIT_RIPAS RTT_READ_ENTRY RTT_SET_RIPAS RTT_SET_S2AP RTT_UNPROT_MAP
RTT_UNPROT_UNMAP VDEV_MAP VDEV_UNMAP VDEV_VALIDATE_MAPPING
"""
NEVER = frozenset("RMI_" + n for n in _NEVER.split())
"""Commands without a row in some version, whatever they return."""
ON_ERROR = frozenset("RMI_" + n for n in _ON_ERROR.split())
"""Commands without a row on success in some version."""
REFUSED = (0xFFFFFFFFFFFFFFFF, 11)
"""x0 of a call that may have been refused before its handler: not supported, RMI_ERROR_GLOBAL."""


def shown(rows: Rows, names: dict[int, str], log: Rows) -> npt.NDArray[np.bool_]:
    """Which of a host's calls an RMM console prints a row for. ``names``: of the function ids; ``log``: the console's rows.

    A command that may be printed on errors only, or never, is taken to be printed where the log has such a row.
    """
    visible = np.ones(len(rows), dtype=bool)
    for fid in np.unique(rows.fid).tolist():
        name = names[fid]
        here = rows.fid == np.uint64(fid)
        printed = log.status[log.fid == np.uint64(fid)]
        for x0 in REFUSED:
            if not bool((printed == np.uint64(x0)).any()):
                visible &= ~(here & (rows.status == np.uint64(x0)))
        if name in NEVER and not len(printed):
            visible &= ~here
        elif (name in NEVER or name in ON_ERROR) and not bool((printed == 0).any()):
            visible &= ~(here & (rows.status == 0))
    return visible
