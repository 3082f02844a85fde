"""DOE objects out of QEMU's configuration space traces, against what the guest's own probes saw of the same mailbox."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from rmitrace.capture.messages import Message
from rmitrace.capture.messages.mailbox import accesses
from tests.rmitrace.capture.messages.runs import CAPTURES, opened, write

LOG = CAPTURES / "qemu" / "trace-log.txt"
GO, ABORT = 0x80000000, 1
DEVICE = "nvme 00:03.0"


def guest() -> list[bytes]:
    """The requests and responses that the guest's probes of pci_doe recorded (x8 arrays, exactly len bytes)."""
    out = []
    for line in (CAPTURES / "ftrace" / "doe.trace.txt").read_text().splitlines():
        m = re.search(r" (?:req|rsp): .*? (?:len|ret)=(\d+) .*?(?:req|rsp)=\{([^}]*)\}", line)
        if m:
            out.append(bytes(int(v, 16) for v in m[2].split(","))[: int(m[1])])
    return out


def messages(path: Path) -> list[Message]:
    return opened(path).conversations.all


def lines(*steps: tuple[str, int, int], device: str = DEVICE) -> str:
    """Accesses as the log backend prints them: ('w' or 'r', register, value)."""
    form = {"w": "pci_cfg_write {} @0x{:x} <- 0x{:x}\n", "r": "pci_cfg_read {} @0x{:x} -> 0x{:x}\n"}
    return "".join(form[k].format(device, register, value) for k, register, value in steps)


def sent(base: int, *dwords: int) -> list[tuple[str, int, int]]:
    return [*(("w", base + 0x10, d) for d in dwords), ("w", base + 8, GO)]


def taken(base: int, *dwords: int) -> list[tuple[str, int, int]]:
    out = [("r", base + 0xC, GO)]
    for d in dwords:
        out += [("r", base + 0x14, d), ("w", base + 0x14, 0)]
    return out


REQUEST = (0x10001, 3, 0x8410)  # traces of a GET_VERSION: vendor 1 type 1, three dwords, 10 84 00 00
RESPONSE = (0x10001, 4, 0x0410, 0x12000100)


def test_objects_are_what_the_guest_sent_and_got() -> None:
    found = [m for m in messages(LOG) if "SPDM" in m.layers]
    assert len(guest()) == 10
    assert [m.payload[: len(g)] for m, g in zip(found, guest(), strict=True)] == guest()
    assert [m.direction for m in found] == ["request", "response"] * 5
    assert {m.function for m in found} == {"00:03.0"}


def test_discovery() -> None:
    found = [m for m in messages(LOG) if "DISCOVERY" in m.layers]
    assert [m.payload.hex() for m in found] == ["00000000", "01000001", "01000000", "01000102", "02000000", "01000200"]


@pytest.mark.parametrize("name", ["trace-log-timestamp.txt", "simpletrace.txt", "simple.trace"])
def test_other_forms_of_the_trace(name: str) -> None:
    """QEMU 10 with time stamps, and its simple backend as text and as file: the discovery of the same boot."""
    found = messages(CAPTURES / "qemu" / name)
    discovery = [m.payload.hex() for m in found if "DISCOVERY" in m.layers]
    if name != "simple.trace":
        assert discovery == ["00000000", "01000001", "01000000", "01000102", "02000000", "01000200"]
        times = [m.place.ts_ns for m in found]
        assert times == sorted(times)
        assert times[-1] - times[0] < 10**9


def test_capability_is_found_from_its_header_and_from_the_traffic(tmp_path: Path) -> None:
    header = [("r", 0x140, 0x1002E)]
    for prefix in (header, []):
        path = write(tmp_path, "q.log", lines(*prefix, *sent(0x140, *REQUEST), *taken(0x140, *RESPONSE)))
        found = opened(path, source_format="qemu-log").conversations.all
        assert [m.name for m in found] == ["GET_VERSION", "VERSION"]
        assert found[1].payload.hex() == "1004000000010012"


def test_a_write_of_go_elsewhere_is_none(tmp_path: Path) -> None:
    path = write(tmp_path, "q.log", lines(("w", 0x150, 7), ("w", 0x150, 9), ("w", 0x148, GO), *sent(0x100, *REQUEST)))
    assert [m.name for m in opened(path, source_format="qemu-log").conversations.all] == ["GET_VERSION"]


def test_two_devices_at_once(tmp_path: Path) -> None:
    a = lines(*sent(0x100, *REQUEST), *taken(0x100, *RESPONSE)).splitlines(keepends=True)
    b = lines(*sent(0x180, *REQUEST), *taken(0x180, *RESPONSE), device="pcie-root-port 00:04.1").splitlines(keepends=True)
    path = write(tmp_path, "q.log", "".join(x + y for x, y in zip(a, b, strict=True)))
    conversations = opened(path, source_format="qemu-log").conversations
    assert {c.device: [m.name for m in c.messages] for c in conversations.list} == {
        "pci:00:03.0": ["GET_VERSION", "VERSION"],
        "pci:00:04.1": ["GET_VERSION", "VERSION"],
    }


def test_abort_cuts_a_response(tmp_path: Path) -> None:
    steps = [*sent(0x100, *REQUEST), *taken(0x100, *RESPONSE[:3]), ("w", 0x108, ABORT), *sent(0x100, *REQUEST)]
    found = opened(write(tmp_path, "q.log", lines(*steps)), source_format="qemu-log").conversations.all
    assert [(m.direction, m.size) for m in found] == [("request", 4), ("response", 8), ("request", 4)]
    assert found[1].declared == 8
    assert len(found[1].payload) == 4


def test_emptying_the_mailbox_is_no_object(tmp_path: Path) -> None:
    steps = [*sent(0x100, *REQUEST), *taken(0x100, *RESPONSE), *taken(0x100, 0, 0), *sent(0x100, *REQUEST)]
    found = opened(write(tmp_path, "q.log", lines(*steps)), source_format="qemu-log").conversations.all
    assert [m.direction for m in found] == ["request", "response", "request"]


def test_a_dword_that_is_only_looked_at_counts_once(tmp_path: Path) -> None:
    """A driver that reads the mailbox twice before it takes the dword off."""
    steps = [*sent(0x100, *REQUEST)]
    for d in RESPONSE:
        steps += [("r", 0x114, d), ("r", 0x114, d), ("w", 0x114, 0)]
    found = opened(write(tmp_path, "q.log", lines(*steps)), source_format="qemu-log").conversations.all
    assert found[1].payload.hex() == "1004000000010012"


def test_under_its_call(tmp_path: Path) -> None:
    """With the built-in PSCI, RMI calls are in the same log; what goes through the mailbox belongs to the one before it."""
    psci = "arm_psci_call PSCI Call x0=0x{:016x} x1=0x{:016x} x2=0x{:016x} x3=0x0000000000000000 cpuid=0x0\n"
    call = psci.format(0xC4000175, 0x49500000, 0x49402000)
    state = psci.format(0xC4000178, 0x49500000, 0)
    exchange = lines(*sent(0x100, *REQUEST), *taken(0x100, *RESPONSE))
    capture = opened(write(tmp_path, "q.log", call + exchange + call + state + exchange))
    assert [(m.place.call, m.place.device) for m in capture.conversations.all] == [
        (0, "pdev:0x49500000"),
        (0, "pdev:0x49500000"),
        (None, "pdev:0x49500000"),  # behind RMI_PDEV_GET_STATE: the call that asked for it is not there
        (None, "pdev:0x49500000"),
    ]


def test_inside_another_trace() -> None:
    text = b"  <...>-16594   [001] ...1.  4033.176018: tracing_mark_write: pci_cfg_read nvme 00:03.0 @0x42 -> 0x8040\n"
    (found,) = accesses(text)
    assert (found.ts, found.function, found.write, found.register, found.value) == (4033176018000, "00:03.0", False, 0x42, 0x8040)


def test_between_the_calls_of_a_trace(tmp_path: Path) -> None:
    at = "   qemu-16594   [001] ...1.  4033.{:06d}: "
    call = at + "smc_enter: (f+0x0/0x8) a0=0xc4000150 a1=0x0\n"
    marks = lines(*sent(0x100, *REQUEST)).splitlines()
    text = "".join(call.format(i) for i in range(3)) + "".join(f"{at.format(9)}tracing_mark_write: {m}\n" for m in marks)
    (found,) = messages(write(tmp_path, "trace.txt", text))
    assert (found.direction, found.payload.hex()) == ("request", "10840000")


def test_hostile_logs(tmp_path: Path) -> None:
    rng = random.Random(3)
    began = time.process_time()
    for i in range(20):
        steps = []
        for _ in range(2000):
            register = rng.choice([0x100, 0x108, 0x10C, 0x110, 0x114, 0x118, rng.randrange(0x1000)])
            steps.append((rng.choice("rw"), register, rng.choice([0, 1, 2, GO, 0x1002E, 0x3FFFF, rng.randrange(1 << 32)])))
        path = write(tmp_path, f"{i}.log", lines(*steps))
        conversations = opened(path, source_format="qemu-log").conversations
        conversations.decode()
        size = path.stat().st_size
        assert all(0 <= m.place.offset <= m.place.offset + m.place.length <= size for m in conversations.all)
    assert time.process_time() - began < 20
