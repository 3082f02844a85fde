"""Protocol messages seen with the calls, in packets and in logs: SPDM requests that the RMM hands out, and the device's
responses.

A message belongs to the RMI_PDEV_COMMUNICATE or RMI_VDEV_COMMUNICATE that asked the host to send it: the request leaves
with the exit of that call, the response comes back before the next one is made. Sources: DOE probes, packet captures,
shared pages recorded with the calls, QEMU's traces of configuration space, libspdm's log, hex dumps in kernel logs.
"""

from .conversations import Chain, Conversations
from .find import find_messages
from .model import (
    REQUEST,
    RESPONSE,
    SECURED,
    SPDM,
    Conversation,
    Exchange,
    Message,
    Place,
    vendor_message,
    vendor_object,
)

__all__ = [
    "REQUEST",
    "RESPONSE",
    "SECURED",
    "SPDM",
    "Chain",
    "Conversation",
    "Conversations",
    "Exchange",
    "Message",
    "Place",
    "find_messages",
    "vendor_message",
    "vendor_object",
]
