"""IDE streams of 2.0: what one is, and the calls that connected them as columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .gathered import I64, U64, Flags


class Stream(NamedTuple):
    """An IDE stream of 2.0. ``state``: CONNECTING, CONNECTED, DISCONNECTING, KEY_REFRESHING, KEY_PURGING, DISCONNECTED."""

    state: str
    pdev_1: int
    pdev_2: int
    type: int | None
    call: int


class Connects(NamedTuple):
    """The RMI_PDEV_STREAM_CONNECT calls that succeeded, ascending: the call, whether its handle is known, its PDEVs (0 where one
    is not known), and of calls with a parameter page the type of the stream."""

    rows: I64
    gave: Flags
    pdev_1: U64
    pdev_2: U64
    types: dict[int, int | None]

    def on(self, *, gave: bool = False, named: bool = False) -> tuple[U64, I64]:
        """The PDEVs of each call, one that is named twice once, and the calls; ``gave``: of those alone that gave a handle;
        ``named``: those alone that are known."""
        mine = self.gave if gave else np.ones(len(self.rows), dtype=bool)
        one, two = mine & (self.pdev_1 != 0) if named else mine, mine & (self.pdev_2 != self.pdev_1)
        two = two & (self.pdev_2 != 0) if named else two
        return np.concatenate([self.pdev_1[one], self.pdev_2[two]]), np.concatenate([self.rows[one], self.rows[two]])

    def of(self, call: int) -> Stream:
        """The stream that one of the calls connected."""
        i = int(self.rows.searchsorted(call))
        return Stream("CONNECTING", int(self.pdev_1[i]), int(self.pdev_2[i]), self.types.get(call), call)


def stream_next(state: str, command: str) -> str:
    """The state that a command leads to."""
    if command.endswith("COMPLETE"):
        return "DISCONNECTED" if state == "DISCONNECTING" else "CONNECTED"
    return {"DISCONNECT": "DISCONNECTING", "REFRESH": "KEY_REFRESHING", "PURGE": "KEY_PURGING"}[command.rpartition("_")[2]]
