"""Numbers that are left open while something is written with them, so that it is written once for many calls.

A decoder that is given an ``Open`` in the place of a register writes a mark where the number, or some of its bits, would stand.
What else it did with the number (compared it, looked it up, asked whether bits of it are set) is noted in ``Looked``: a call
in which all that comes out the same differs from this one in the marks alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

_ALL = 0xFFFFFFFFFFFFFFFF
TEXT, JSON = "s", "n"
"""Forms of a mark beside those of numbers: a text as it is, a number as a value in JSON."""
_FORMS = {"": "%d", "d": "%d", "x": "%x", "#x": "%#x", TEXT: "%s", JSON: "%d"}
"""Form of a mark -> how it is filled in."""
_FORM = tuple(_FORMS)
_FIRST, _LAST = 0xE000, 0xF8FF
"""Codes of marks: the private use area, of which the names in the tables have nothing."""
_MARK = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_IN_JSON = re.compile(r'"\\u(e[0-9a-f]{3}|f[0-8][0-9a-f]{2})"|\\u(e[0-9a-f]{3}|f[0-8][0-9a-f]{2})')

Values = Sequence[Any]
"""The numbers of a call, by their places."""


class Bits(NamedTuple):
    """(number at a place & mask) >> shift."""

    place: int
    mask: int = _ALL
    shift: int = 0


class Looked:
    """What was looked at while something was written: whole numbers or bits of them, and which bits had to be set at all."""

    def __init__(self, places: Iterable[int] = ()) -> None:
        self.at = dict.fromkeys(places, _ALL)
        """Place -> bits whose value mattered; of ``places`` all do."""
        self.zero: set[Bits] = set()
        """Of which it mattered that they are zero, or not."""
        self.marks: dict[Bits, int] = {}

    def key(self) -> tuple[Any, ...]:
        """The same for what looks at the same."""
        return tuple(sorted(self.at.items())), tuple(sorted(self._zero()))

    def _zero(self) -> Iterator[tuple[int, int]]:
        return ((b.place, b.mask) for b in self.zero if b.mask & ~self.at.get(b.place, 0))

    def pick(self) -> Callable[[Values], Any]:
        """What takes these out of the numbers of a call."""
        whole = [place for place, mask in self.at.items() if mask == _ALL]
        first = itemgetter(*whole) if whole else lambda _: None
        some = [(place, mask) for place, mask in self.at.items() if mask != _ALL]
        zero = list(self._zero())
        if not some and not zero:
            return first
        return lambda v: (first(v), tuple([v[p] & m for p, m in some]), tuple([v[p] & m == 0 for p, m in zero]))

    def highest(self) -> int:
        """The last place that was looked at or written."""
        return max((*self.at, *(b.place for b in self.zero), *(b.place for b in self.marks)), default=-1)

    def mark(self, bits: Bits, form: str) -> str:
        """What stands for a number, to be written in a form: that of a format specification, or TEXT or JSON."""
        number = self.marks.setdefault(bits, len(self.marks))
        return chr(_FIRST + number * len(_FORM) + _FORM.index(form))


class Open(int):
    """A number that is left open, or bits of it. Its value is that of the call at hand."""

    bits: Bits
    looked: Looked

    def __new__(cls, value: int, bits: Bits, looked: Looked) -> Open:
        """The number of which ``bits`` says where it comes from."""
        new = super().__new__(cls, value)
        new.bits, new.looked = bits, looked
        return new

    def look(self) -> None:
        """Note that the value mattered."""
        at = self.looked.at
        at[self.bits.place] = at.get(self.bits.place, 0) | self.bits.mask

    def __format__(self, form: str) -> str:
        if form in _FORMS and form not in (TEXT, JSON):
            return self.looked.mark(self.bits, form)
        self.look()
        return int.__format__(self, form)

    def __str__(self) -> str:
        return self.looked.mark(self.bits, "")

    def __bool__(self) -> bool:
        self.looked.zero.add(self.bits._replace(shift=0))
        return int.__bool__(self)

    def _some(self, mask: int, shift: int) -> Open:
        return Open(int.__rshift__(int.__and__(self, mask), shift), self._bits(mask, shift), self.looked)

    def _bits(self, mask: int, shift: int) -> Bits:
        place, old, before = self.bits
        return Bits(place, old & mask << before & ~0 << before + shift, before + shift)

    def __and__(self, other: int) -> int:
        return self._some(other, 0)

    __rand__ = __and__

    def __rshift__(self, other: int) -> int:
        return self._some(-1, other)


def _looking(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def method(self: Open, *others: Any) -> Any:
        self.look()
        return plain(self, *others)

    return method


_OPERATORS = (
    "abs add ceil divmod eq float floor floordiv ge gt hash index int invert le lshift lt mod mul ne neg or pos pow radd "
    "rdivmod repr rfloordiv rlshift rmod rmul ror round rpow rrshift rsub rtruediv rxor sub truediv trunc xor"
)
for _name in _OPERATORS.split():
    setattr(Open, f"__{_name}__", _looking(f"__{_name}__"))
for _name in ("bit_count", "bit_length", "to_bytes", "conjugate", "as_integer_ratio"):
    setattr(Open, _name, _looking(_name))


class Template(NamedTuple):
    """A text with marks, ready to be filled in."""

    text: str
    pick: Callable[[Values], Any] | None

    @classmethod
    def of(cls, text: str, looked: Looked) -> Template:
        """Of a text that was written with open numbers."""
        if not _MARK.search(text):
            return cls(text, None)
        every = list(looked.marks)
        used: list[Bits] = []

        def written(match: re.Match[str]) -> str:
            number, form = divmod(ord(match[0]) - _FIRST, len(_FORM))
            used.append(every[number])
            return _FORMS[_FORM[form]]

        text = _MARK.sub(written, text.replace("%", "%%"))
        if all(b.mask == _ALL and not b.shift for b in used):
            return cls(text, itemgetter(*(b.place for b in used)))
        return cls(text, lambda v: tuple([(v[p] & mask) >> shift if mask != _ALL else v[p] for p, mask, shift in used]))

    @classmethod
    def of_json(cls, value: Any, looked: Looked) -> Template:
        """Of an object, as JSON in one line, ASCII only."""
        return cls.of(_IN_JSON.sub(_unescaped, json.dumps(_marked(value), separators=(",", ":"))), looked)

    def fill(self, values: Values) -> str:
        """The text with the numbers of a call."""
        return self.text if self.pick is None else self.text % self.pick(values)


def _unescaped(match: re.Match[str]) -> str:
    """A mark out of its escape sequence, a number out of its quotes."""
    code = int(match[1] or match[2], 16)
    alone = match[1] is not None
    return f'"{chr(code)}"' if alone and _FORM[(code - _FIRST) % len(_FORM)] != JSON else chr(code)


def _marked(value: Any) -> Any:
    """Open numbers as their marks."""
    if isinstance(value, Open):
        return value.looked.mark(value.bits, JSON)
    if isinstance(value, dict):
        return {k: _marked(v) for k, v in value.items()}
    return [_marked(v) for v in value] if isinstance(value, list | tuple) else value
