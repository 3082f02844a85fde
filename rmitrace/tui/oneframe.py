"""Screens that answer a key with one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.events import Idle
from textual.screen import Screen

from .inorder import InOrder

if TYPE_CHECKING:
    _Base = Screen[Any]
else:
    _Base = object  # Textual takes the styles of the first base that is a widget, and of no other


class OneFrame(_Base):
    """Draws nothing while a key is on its way, then all that came of it.

    Textual draws what there is as soon as it is told of it: the message of the last key being taken away,
    the new layout, what the panes make of their new sizes.
    """

    @property
    def _waits(self) -> bool:
        return isinstance(self.app, InOrder) and self.app.holds

    async def _on_idle(self, event: Idle) -> None:
        if self._waits:
            event.prevent_default()  # asked again when the key is done

    def _on_timer_update(self) -> None:
        if self._waits:
            self._update_timer.pause()
        else:
            super()._on_timer_update()

    def _compositor_refresh(self) -> None:
        """Draw also what panes have not told of yet: it would be another frame."""
        if self._waits:
            self._dirty_widgets.add(self)
            return
        self._compositor.update_widgets(set(self._compositor.visible_widgets))
        super()._compositor_refresh()
