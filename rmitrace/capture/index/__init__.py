"""The sidecar index: what reading and pairing found out of a big capture, kept in the user's cache folder so that it is
not read again. It is never trusted: what is damaged, foreign or out of date is as if it were not there."""

from __future__ import annotations

from .keeper import Keeper

__all__ = ["Keeper"]
