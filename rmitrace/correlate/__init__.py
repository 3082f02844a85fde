"""Several sources of one run on one axis: which calls they share, how their clocks run, what one shows and another not.

arrange(capture)    find it out, order the calls by it and keep each call once; the result is Capture.correlation
Correlation, Link   what was found
"""

from .arrange import arrange
from .clocks import Clock
from .model import Correlation, Link, sources_of

__all__ = ["Clock", "Correlation", "Link", "arrange", "sources_of"]
