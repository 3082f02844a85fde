"""From the files of a capture to records, calls and what they mean."""

from .errors import CaptureError
from .model import Call, Calls, Capture, Mark
from .opening import OpenOptions, open_capture
from .revision import Revision

__all__ = ["Call", "Calls", "Capture", "CaptureError", "Mark", "OpenOptions", "Revision", "open_capture"]
