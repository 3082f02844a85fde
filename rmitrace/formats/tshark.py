"""Packets that need a dissector, through tshark: SPDM over TCP, MCTP over USB or UDP.

tshark takes the packets apart (link layer, IP fragments, TCP) and gives payloads; what they carry is found in
rmitrace.formats.streams. It is driven by pyshark where that works and the file is small, else directly: pyshark 0.6
takes milliseconds a packet, needs an event loop of its own, and does not run on Python 3.14. Files that rmitrace.formats.pcap
can read alone never come here.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, NamedTuple

from .base import Data, Unreadable
from .carriers import NATIVE
from .pcap import packets
from .streams import Frame, StreamMessage, Streams

MAX_FILE = 256 << 20
"""Bytes of a file that is handed to tshark: it takes about as much memory as the file, and more for each stream."""
SMALL = 128 << 10
"""Bytes of a file up to which pyshark drives tshark: some seconds at its speed."""
TIMEOUT = 600
"""Seconds that tshark may take."""
HOW = "install it with 'apt-get install tshark'"

FIELDS = (
    "frame.number",
    "frame.time_epoch",
    "tcp.stream",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "ip.dst",
    "ipv6.dst",
    "tcp.dstport",
    "tcp.seq",
    "tcp.flags",
    "tcp.payload",
    "udp.payload",
    "usb.capdata",
)
_FILTER = "tcp.flags.syn == 1 || tcp.payload || udp.payload || usb.capdata"
_PREFERENCES = {"tcp.relative_sequence_numbers": "FALSE", "tcp.desegment_tcp_streams": "FALSE"}


@dataclass(slots=True)
class Reading:
    """What was found: messages in the order in which they were complete, problems as sentences, and which driver read
    the file ('pyshark' or 'tshark')."""

    messages: list[StreamMessage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    driver: str = ""


class Foreign(NamedTuple):
    """A link type that is for tshark, and how many packets have it."""

    linktype: int
    packets: int


def foreign(data: Data, limit: int = 100_000) -> list[Foreign]:
    """The link types of a file that the native reader does not take apart, with their counts among the first packets."""
    counts: dict[int, int] = {}
    for i, p in enumerate(packets(data)):
        if i >= limit:
            break
        if p.linktype not in NATIVE:
            counts[p.linktype] = counts.get(p.linktype, 0) + 1
    return [Foreign(k, n) for k, n in sorted(counts.items())]


def missing_tool() -> str | None:
    """One sentence on what keeps tshark from being used, and what to do; None where it can be."""
    if shutil.which("tshark") is None:
        return f"SPDM over TCP, USB or UDP in a packet capture is read through tshark, which is not installed: {HOW}"
    return None


def pyshark_usable() -> bool:
    """Whether pyshark can be used here and now: installed, a Python that it runs on, the main thread, and no event loop
    running in it."""
    if sys.version_info >= (3, 14) or threading.current_thread() is not threading.main_thread():
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return find_spec("pyshark") is not None
    return False


def read_packets(data: Data, path: str | None = None, driver: str | None = None) -> Reading:
    """The SPDM messages of a capture that needs tshark.

    path    where the bytes are as a file; without it they are written to a temporary one
    driver  'pyshark' or 'tshark' instead of the choice by size

    Raises Unreadable, with one sentence, where tshark is missing, the file is too big, or tshark cannot read it.
    """
    why = missing_tool()
    if why:
        raise Unreadable(why)
    if len(data) > MAX_FILE:
        raise Unreadable(
            f"{len(data) >> 20} MiB of packets are too many for tshark: cut the file with 'editcap -c' or filter it with "
            "'tshark -Y \"tcp.port == 4194\" -w'"
        )
    if driver is None:
        driver = "pyshark" if len(data) <= SMALL and pyshark_usable() else "tshark"
    with _as_file(data, path) as name:
        frames = _from_pyshark(name) if driver == "pyshark" else _from_tshark(name)
        streams = Streams()
        reading = Reading(driver=driver)
        for frame in frames:
            reading.messages += streams.add(frame)
        streams.finish()
    reading.problems += streams.problems
    return reading


@contextmanager
def _as_file(data: Data, path: str | None) -> Iterator[str]:
    if path is not None:
        yield path
        return
    handle, name = tempfile.mkstemp(suffix=".pcap", prefix="rmitrace-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        yield name
    finally:
        os.unlink(name)


def _from_tshark(path: str) -> Iterator[Frame]:
    """Frames of ``tshark -T fields``, one line each, as they come."""
    command = ["tshark", "-n", "-r", path, "-Y", _FILTER, "-T", "fields", "-E", "occurrence=f", "-E", "separator=/t"]
    for name, value in _PREFERENCES.items():
        command += ["-o", f"{name}:{value}"]
    for name in FIELDS:
        command += ["-e", name]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as run,
    ):
        timer = threading.Timer(TIMEOUT, run.kill)
        timer.start()
        try:
            assert run.stdout is not None
            for line in run.stdout:
                frame = _frame(line.rstrip(b"\n").decode("ascii", "replace").split("\t"))
                if frame is not None:
                    yield frame
        finally:
            timer.cancel()
            run.kill()
        code = run.wait()
        errors.seek(0)
        said = [s for s in errors.read(4096).decode("utf-8", "replace").splitlines() if s and "Running as user" not in s]
        # a file that is cut short is read as far as it goes, and its end is a problem of the reader's, not ours
        if code not in (0, -9) and not any("cut short" in s for s in said):
            raise Unreadable(f"tshark cannot read this file: {said[-1] if said else f'exit status {code}'}")
        if code == -9 and not said:
            raise Unreadable(f"tshark took longer than {TIMEOUT} s")


def _frame(values: list[str]) -> Frame | None:
    if len(values) != len(FIELDS):
        return None
    v = dict(zip(FIELDS, values, strict=True))
    return _made(v.get)


def _from_pyshark(path: str) -> Iterator[Frame]:
    """The same frames through pyshark, with an event loop of its own that is closed behind it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what it uses of asyncio goes away with Python 3.14
        import pyshark

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        capture = pyshark.FileCapture(
            path,
            display_filter=_FILTER,
            keep_packets=False,
            use_json=True,  # three times as fast as XML
            override_prefs=_PREFERENCES,
            custom_parameters=["-n"],
        )
    crash = pyshark.capture.capture.TSharkCrashException
    try:
        for packet in capture:
            frame = _made(_PysharkFields(packet).get)
            if frame is not None:
                yield frame
        capture.close()
    except crash as error:
        _check_crash(str(error))
    finally:
        try:
            capture.close()
        except crash:
            capture._running_processes.clear()  # or its destructor tries again, on a closed loop
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            asyncio.set_child_watcher(None)  # type: ignore[arg-type]  # None is allowed: back to the usual one
        asyncio.set_event_loop(None)
        loop.close()


def _check_crash(said: str) -> None:
    """Raise Unreadable, unless what pyshark takes for a crash is none: 255 is asyncio's word for an exit status that it
    did not get, and a file that is cut short was read as far as it goes."""
    lines = [x for x in said.splitlines() if "Running as user" not in x]
    if "retcode: 255" not in said and "cut short" not in said:
        raise Unreadable(f"tshark cannot read this file: {lines[0] if lines else 'it stopped'}")


class _PysharkFields:
    """Fields of a pyshark packet by tshark's name."""

    def __init__(self, packet: Any) -> None:
        self.packet = packet

    def get(self, name: str) -> str:
        """The first value of a field, '' where the packet has none."""
        layer, _, rest = name.partition(".")
        if layer == "frame":
            return str(self.packet.number if rest == "number" else self.packet.sniff_timestamp)
        found = next((x for x in self.packet.layers if x.layer_name == layer), None)
        try:
            value = found.get_field(rest) if found is not None else None
        except AttributeError:  # what pyshark raises for a field that is not there
            return ""
        return "" if value is None else str(value.get_default_value())


def _made(get: Any) -> Frame | None:
    """A frame from a look-up by tshark's field names; None where what is needed is not there or makes no sense."""
    payload = get("tcp.payload") or get("udp.payload") or get("usb.capdata") or ""
    try:
        seconds, _, fraction = (get("frame.time_epoch") or "0").partition(".")
        return Frame(
            number=int(get("frame.number")),
            ts_ns=int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0") or 0),
            stream=int(get("tcp.stream")) if get("tcp.stream") else None,
            source=f"{get('ip.src') or get('ipv6.src')}:{get('tcp.srcport')}",
            destination=f"{get('ip.dst') or get('ipv6.dst')}:{get('tcp.dstport')}",
            sequence=int(get("tcp.seq") or 0) & 0xFFFFFFFF,
            syn=bool(int(get("tcp.flags") or "0", 0) & 2),
            payload=bytes.fromhex(payload.replace(":", "")),
        )
    except ValueError:
        return None


def frames_of(path: str, driver: str) -> Iterable[Frame]:
    """The frames of a file with one of the two drivers: for comparing them."""
    return _from_pyshark(path) if driver == "pyshark" else _from_tshark(path)
