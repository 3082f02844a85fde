"""How the calls of a capture are laid out to be looked at: the order of the list with its headings, the lanes of the timeline.

Nothing is drawn in here, and nothing of it depends on a screen: it is kept in the index beside the sequences that it is made of.
"""

from __future__ import annotations

from .arrangement import Arrangement, arrange

__all__ = ["Arrangement", "arrange"]
