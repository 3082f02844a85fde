"""Containers whose size is given by the screen. Textual lays the screen out once more when what is in one has another size."""

from __future__ import annotations

from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.reactive import Reactive

from .bare import BareLines


class FixedContainer(Container):
    """A container of panes."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._styles_cache = BareLines(empty=True)

    virtual_size = Reactive(Size(0, 0), repaint=False)


class FixedVertical(Vertical):
    """Panes one below the other."""

    virtual_size = Reactive(Size(0, 0), repaint=False)
