"""Keys one after another: what is typed ahead, pasted, or sent in one piece goes where the focus is when its turn comes."""

from __future__ import annotations

import time
from collections import deque

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message import Message

_LAPS = 2
"""Ways from the pane with the focus up to the application that are waited for: behind the key, and behind what it made the pane
say (that a line of input was entered)."""
_PATIENCE_S = 0.5
"""Time after which a key is not waited for any more: what carried it is gone."""


class InOrder(App[None]):
    """An application that hands on a key when what the one before it does is done.

    Textual hands a key to the pane that has the focus when the key is read, and looks for what it does when the key has come up
    from there: by then the next keys are on their way to the same pane, although a line of input is open for them.
    """

    class Followed(Message):
        """Goes the way of a key, behind it. Told of the key, and how often the way is still to be gone."""

        def __init__(self, key: Event, laps: int) -> None:
            super().__init__()
            self.key, self.laps = key, laps

    def __init__(self) -> None:
        super().__init__()
        self._coming: deque[Event] = deque()
        self._under_way: Event | None = None
        self._handed_on = 0.0

    async def on_event(self, event: Event) -> None:
        """Put a key that is new behind those that wait."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._coming.append(event)
        if self._under_way is None or time.monotonic() - self._handed_on > _PATIENCE_S:
            await self._hand_on()

    async def _hand_on(self) -> None:
        self._under_way = key = self._coming.popleft()
        self._handed_on = time.monotonic()
        carrier = self.focused or self.screen
        await super().on_event(key)
        carrier.post_message(self.Followed(key, _LAPS))

    async def on_in_order_followed(self, message: Followed) -> None:
        """A key has come up, or was taken on the way."""
        if message.key is not self._under_way:
            return
        if message.laps > 1:
            (self.focused or self.screen).post_message(self.Followed(message.key, message.laps - 1))
            return
        self._under_way = None
        if self._coming:
            await self._hand_on()
