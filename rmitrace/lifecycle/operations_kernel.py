"""Which command each OP_* call works for, as a kernel: one pass, with a stack of commands for each handle."""

from __future__ import annotations

from typing import Any

ENDED = -2
"""What stands in ``below`` of a command whose operation ended."""


def join(
    count: Any, working: Any, over: Any, wrong: Any, wants: Any, handles: Any, unsaid: Any, top: Any, below: Any, parent: Any
) -> None:
    """Join ``count`` calls, which are either OP_* calls (``working``) or commands that began an operation.

    over, wrong  the call ends its operation; it was itself refused, which ends it only where it waits for nothing
    wants        what it says that the operation waits for, -1 nothing; of commands it is changed
    handles      the number of the handle that it gave or took; unsaid: that of commands that gave none
    top          for each handle -1; below, parent: for each call -1; they take the command before it on the stack of its handle,
                 ENDED where its operation ended, and the command that it works for
    """
    for k in range(count):
        handle = handles[k]
        if not working[k]:
            below[k], top[handle] = top[handle], k
            continue
        if top[handle] < 0:  # a row of an older log does not say which handle was given: the latest such command is meant
            handle = unsaid[k]
        command = top[handle]
        if command < 0:
            continue
        parent[k] = command
        if wants[k] >= 0:
            wants[command] = wants[k]
        if over[k] and not (wrong[k] and wants[command] > 0):
            top[handle], below[command] = below[command], ENDED


STEPS = ()
