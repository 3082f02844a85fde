"""Texts of some calls one behind the other, as an index keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
import numpy.typing as npt


class Texts:
    """``seq``: the calls, ascending; ``end``: where the text of each ends in ``text``."""

    def __init__(self, seq: npt.NDArray[np.int64], end: npt.NDArray[np.int64], text: npt.NDArray[np.uint8]) -> None:
        """Raises ValueError where the columns do not fit each other."""
        if len(seq) != len(end) or bool((np.diff(seq) <= 0).any()) or bool((np.diff(end, prepend=0) < 0).any()):
            raise ValueError("texts in another order")
        if len(end) and int(end[-1]) > len(text):
            raise ValueError("texts that are cut")
        self.seq, self.end, self.text = seq, end, text

    @classmethod
    def given(cls, texts: Mapping[int, bytes]) -> Self:
        """Those of some calls."""
        seqs = sorted(texts)
        end = np.cumsum([len(texts[seq]) for seq in seqs], dtype=np.int64)
        data = np.frombuffer(b"".join(texts[seq] for seq in seqs), dtype=np.uint8)
        return cls(np.array(seqs, dtype=np.int64), end, data)

    def bytes_of(self, seq: int) -> bytes | None:
        """The text of a call, None where there is none."""
        i = int(self.seq.searchsorted(seq))
        if i == len(self.seq) or self.seq[i] != seq:
            return None
        return self.bytes_at(i)

    def bytes_at(self, place: int) -> bytes:
        """The text of the call that has this place in ``seq``."""
        return self.text[int(self.end[place - 1]) if place else 0 : int(self.end[place])].tobytes()

    def lines_of(self, seq: int) -> list[str] | None:
        """The lines of the text of a call; None where there is no text, or one that must not be shown."""
        found = self.bytes_of(seq)
        if found is None:
            return None
        try:
            lines = found.decode().split("\n") if found else []
        except UnicodeDecodeError:
            return None
        return lines if all(map(str.isprintable, lines)) else None
