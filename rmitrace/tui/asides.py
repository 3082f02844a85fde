"""What stands between the calls: lines that are no calls, and messages that belong to none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import overload

import numpy as np

from ..capture.listed import Listed
from ..capture.marks import Marks
from ..capture.messages import Message
from ..capture.messages.facts import name_and_facts


@dataclass(frozen=True, slots=True)
class Aside:
    """What stands between the calls: a line that is no call (``text`` as found), or a message that belongs to no call."""

    before_call: int
    source: int
    offset: int
    ts: int | None
    kind: str
    text: str
    message: Message | None = None


class Asides(Listed[Aside]):
    """All of them, in the order of the calls before which they stand; messages at the end (``calls``)."""

    def __init__(self, marks: Marks, messages: Iterable[Message], calls: int) -> None:
        self._marks = marks.in_order()
        self._messages = [m for m in messages if m.place.call is None]
        self._calls = calls
        self.places = np.concatenate([self._marks.before_call, np.full(len(self._messages), calls, dtype=np.int64)])
        """The call before which each stands."""

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, number: int) -> Aside: ...
    @overload
    def __getitem__(self, number: slice) -> list[Aside]: ...
    def __getitem__(self, number: int | slice) -> Aside | list[Aside]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        number %= len(self)
        if number >= len(self._marks):
            m = self._messages[number - len(self._marks)]
            return Aside(self._calls, m.place.source, m.place.offset, m.place.ts_ns, "message", name_and_facts(m), m)
        mark = self._marks[number]
        return Aside(mark.before_call, mark.source, mark.offset, mark.ts, mark.kind, mark.text)

    @property
    def messages(self) -> list[Message]:
        """The messages among them."""
        return self._messages

    @property
    def lines(self) -> int:
        """How many of them are lines; these stand first."""
        return len(self._marks)

    def first_ns(self) -> int | None:
        """The earliest time, None where there is none."""
        times = [m.place.ts_ns for m in self._messages if m.place.ts_ns is not None]
        first = self._marks.first_ns()
        return min([*times, *([first] if first is not None else [])], default=None)
