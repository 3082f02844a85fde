"""Keys one after another: what is typed ahead, pasted, or sent in one piece goes where the focus is when its turn comes."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message import Message
from textual.message_pump import MessagePump

_LAPS = 2
"""Ways from the pane with the focus up to the application that are waited for: behind the key, and behind what it made the pane
say (that a line of input was entered)."""
_PATIENCE_S = 0.5
"""Time after which a key is not waited for any more: what carried it is gone."""
_HOLD_S = 0.05
"""Time from a key after which its screen draws what there is, whether it is done or not."""


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
        self._held = 0.0
        """When the first of the keys was handed on that came one behind the other."""
        self._waiting: asyncio.TimerHandle | None = None

    @property
    def holds(self) -> bool:
        """Whether a key is on its way, so that drawing can wait."""
        return self._under_way is not None and time.monotonic() - self._held < _HOLD_S

    async def on_event(self, event: Event) -> None:
        """Put a key that is new behind those that wait."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._coming.append(event)
        if self._under_way is None:
            self._held = time.monotonic()
            await self._hand_on()

    async def _hand_on(self) -> None:
        self._under_way = key = self._coming.popleft()
        loop = asyncio.get_running_loop()
        self._waiting = loop.call_later(_HOLD_S, self._take_long, key, loop.time() + _PATIENCE_S)
        carrier = self.focused or self.screen
        await super().on_event(key)
        await self._go_after(carrier, key, _LAPS)

    async def _go_after(self, carrier: MessagePump, key: Event, laps: int) -> None:
        """Send a message the way of a key; what is closing takes none, and the key is done."""
        if not carrier.post_message(self.Followed(key, laps)):
            await self._done()

    def _take_long(self, key: Event, until: float) -> None:
        """Draw, though a key is not done; go on with the next one where it never will be."""
        if key is not self._under_way:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < until:
            self._waiting = loop.call_at(until, self._take_long, key, until)
            self.screen.check_idle()
        else:
            self.call_later(self._give_up, key)

    async def _give_up(self, key: Event) -> None:
        if key is self._under_way:
            await self._done()

    async def on_in_order_followed(self, message: Followed) -> None:
        """A key has come up, or was taken on the way."""
        if message.key is not self._under_way:
            return
        if message.laps > 1:
            await self._go_after(self.focused or self.screen, message.key, message.laps - 1)
        else:
            await self._done()

    async def _done(self) -> None:
        """Hand on the next key, or draw what came of those before."""
        self._under_way = None
        if self._waiting is not None:
            self._waiting.cancel()
        if not self._coming:
            self.screen._on_timer_update()  # not at the next 60th of a second
            return
        await self._hand_on()
        if not self.holds:
            self.screen.check_idle()
