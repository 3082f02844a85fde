"""SPDM messages a second: names, trees of all fields, decryption, and the command line, against spdm_dump and pyshark.

    python benchmarks/spdm_messages.py [--messages N] [--spdm-dump FILE] [--pyshark-packets N]

Two captures are made from shipped runs of DMTF's emulators. "plain": the connection phase of SPDM 1.2 (discovery to
endpoint authentication, certificates included) again and again. "secured": one AES-256-GCM session of 1.2, of which the
application messages (MEASUREMENTS, certificates, IDE_KM, TDISP) are sealed again and again with its own keys and the
numbers that follow. One run; seconds are those of the processor, with the start of a process where there is one, so that
other work on the machine does not count. What is not installed is left out: spdm_dump is looked for in the path, pyshark
with tshark.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decoders.spdm import Session

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
RUN = "doe_v12_measall"
SECURED = b"\1\0\2"
DOE = 292
PYSHARK = """
import sys, pyshark
n = 0
capture = pyshark.FileCapture(sys.argv[1], keep_packets=False)
for packet in capture:
    str(packet); n += 1
capture.close()
"""


def write(path: Path, packets: Iterable[bytes]) -> None:
    """A classic pcap of DOE objects, 1000 a second."""
    with path.open("wb") as f:
        f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65536, DOE))
        for i, p in enumerate(packets):
            f.write(struct.pack("<IIII", 1_800_000_000 + i // 1000, i % 1000 * 1000, len(p), len(p)) + p)


def plain(messages: int) -> list[bytes]:
    """DOE objects in the clear, up to the first session."""
    from tests.decoders.spdm.corpus import records

    first: list[bytes] = []
    for packet in records(RUN):
        if packet[:3] == SECURED:
            break
        first.append(packet)
    return [first[i % len(first)] for i in range(messages)]


def secured(messages: int) -> tuple[list[bytes], dict[str, list[str]]]:
    """DOE objects of a connection with one long session, and its secrets."""
    from decoders.doe import open_doe
    from decoders.secured import use_secrets
    from decoders.spdm import Session
    from tests.decoders.spdm.corpus import records
    from tests.decoders.spdm_runs import given

    session, keys = Session(), given(RUN)
    use_secrets(session, keys)
    packets: list[bytes] = []
    plains: list[tuple[str, bytes]] = []
    for packet in records(RUN):
        _, opened = open_doe(packet, session=session)
        if opened is not None and opened.phase == "data" and packet[8:12] == first(session):
            if opened.generation or opened.plain[3] in (0xE9, 0x69, 0xEC, 0x6C):  # KEY_UPDATE, END_SESSION
                break
            plains.append((opened.direction, opened.plain))
        elif not plains:
            packets.append(packet)
    secure = session.history[0]
    lines = secure.keys.lines
    numbers = dict.fromkeys(("request", "response"), 0)
    for i in range(messages - len(packets)):
        way, text = plains[i % len(plains)]
        packets.append(seal(secure.session_id, lines["data", way], numbers[way], text))
        numbers[way] += 1
    return packets, keys


def first(session: Session) -> bytes:
    """The id of the first secure session, as it is sent."""
    return session.history[0].session_id.to_bytes(4, "little") if session.history else b""


def seal(session_id: int, line: object, number: int, text: bytes) -> bytes:
    """A secured message as a DOE object."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = struct.pack("<IH", session_id, len(text) + 16)
    body = head + AESGCM(line.key).encrypt(line.nonce(number), text, head)  # type: ignore[attr-defined]
    body += bytes(-len(body) % 4)
    return SECURED + b"\0" + struct.pack("<I", 2 + len(body) // 4) + body


def timed(work: Callable[[], object]) -> float:
    """Processor seconds."""
    before = time.process_time()
    work()
    return time.process_time() - before


def run(*command: str) -> float:
    """Processor seconds of a process and what it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(title: str, path: Path, packets: list[bytes], keys: dict[str, list[str]] | None, args: argparse.Namespace) -> None:
    """Print the rates of one capture, each as a ratio to ``spdm_dump -a -d``."""
    from decoders.doe import decode_doe
    from decoders.secured import use_secrets
    from decoders.spdm import Session, name_of

    count = len(packets)
    print(f"{title}: {count} DOE objects, {sum(map(len, packets)) / count:.0f} bytes on average")
    secrets = [w for k, v in (keys or {}).items() for s in v for w in (f"--{k}", s)]
    rows: list[tuple[str, int, float]] = []
    base = None
    if args.spdm_dump:
        base = run(args.spdm_dump, "-r", str(path), "-a", "-d", *secrets) / count
        rows.append(("spdm_dump -a -d", count, base * count))
        rows.append(("spdm_dump, one line each", count, run(args.spdm_dump, "-r", str(path), *secrets)))
    if importlib.util.find_spec("pyshark") and shutil.which("tshark") and not keys:
        few = path.with_name("few.pcap")
        write(few, packets[: args.pyshark_packets])
        rows.append(("pyshark (decodes none)", args.pyshark_packets, run(sys.executable, "-c", PYSHARK, str(few))))

    def names() -> None:
        for p in packets:
            name_of(p[8:])

    def names_of_file() -> None:
        from rmitrace.formats.pcap import messages
        from rmitrace.formats.pcap import packets as packets_of

        data = path.read_bytes()
        for p in packets_of(data):
            octets = data[p.data_offset : p.data_offset + p.captured]
            for m in messages(octets, p.linktype):
                name_of(octets[m.offset :])

    def trees() -> None:
        session = Session()
        if keys:
            use_secrets(session, keys)
        for p in packets:
            decode_doe(p, session=session)

    if not keys:
        rows.append(("names", count, timed(names)))
        rows.append(("names, with reading the file", count, timed(names_of_file)))
    rows.append(("trees of all fields", count, timed(trees)))
    tool = [sys.executable, "-m", "rmitrace"]
    if keys:
        key_file = path.with_suffix(".json")
        key_file.write_text(json.dumps(keys))
        tool_keys = ["--keys", str(key_file)]
    else:
        tool_keys = []
    rows.append(("rmitrace messages", count, run(*tool, "messages", *tool_keys, str(path))))
    rows.append(("rmitrace decode -f json", count, run(*tool, "decode", "-f", "json", *tool_keys, str(path))))
    for name, n, seconds in rows:
        ratio = f"{base / (seconds / n):6.2f} x" if base else ""
        print(f"  {name:<28} {seconds:7.2f} s {n / seconds:>12,.0f} messages/s  {ratio}")


def main() -> None:
    """Make the captures and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--spdm-dump", default=shutil.which("spdm_dump"), help="the program to compare with")
    parser.add_argument("--pyshark-packets", type=int, default=5_000, help="pyshark is slow: so many packets are enough")
    args = parser.parse_args()
    if not args.spdm_dump:
        print("spdm_dump is not in the path: no ratios")
    with tempfile.TemporaryDirectory() as folder:
        packets = plain(args.messages)
        write(path := Path(folder, "plain.pcap"), packets)
        measure("plain", path, packets, None, args)
        packets, keys = secured(args.messages)
        write(path := Path(folder, "secured.pcap"), packets)
        measure("secured", path, packets, keys, args)


if __name__ == "__main__":
    main()
