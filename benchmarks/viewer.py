"""The viewer over a long capture: time to the first screen, key to frame, filter, search, memory.

    python benchmarks/viewer.py [--calls N] [--capture FILE] [--keys N] [--json]

The first screen is timed in a pseudo terminal, from the start of the process; keys are pressed through Textual's Pilot in a
process of its own. A key's frame is the last one that Textual draws because of it. ``cpu`` is what the process (of a key: the
thread that draws) needed of the processor until then: other work on the machine does not count. Memory is what is of no file
(RssAnon); the mapped capture and its index are beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
LINES, COLUMNS = 50, 200
_TICKS = os.sysconf("SC_CLK_TCK")
MOVES = {
    "line down, up": ["down", "down", "up", "j", "k"],
    "page down, up": ["pagedown", "pagedown", "pageup"],
    "last, first line": ["end", "home"],
    "next sequence": ["}", "}", "{"],
    "fold, unfold": ["space", "space"],
    "next finding": ["]", "]", "["],
    "zoom": ["+", "+", "+", "-"],
    "pan": [">", ">", "<"],
    "whole timeline": ["+", "0"],
    "next pane": ["tab", "tab", "tab", "tab"],
    "maximise": ["z", "z"],
    "form of times": ["T", "T", "T"],
    "help": ["?", "escape"],
    "typing in a prompt": ["/", "s", "m", "c", "escape"],
}
"""Keys that are pressed again and again; what they do ends with the frame."""
CONDITIONS = (
    "failed",
    "name LIKE '%PDEV%'",
    "dur_us > 100",
    "x1 = 0x7fc5fc75e000",
    "object LIKE 'pdev:%'",
    "sequence = 'connect'",
)
TEXTS = ("PDEV_ABORT", "nothing of this kind")


def memory(pid: int | str = "self") -> tuple[float, float]:
    """MB of a process that are of no file, and that are of files."""
    said = Path(f"/proc/{pid}/status").read_text()
    return tuple(int(said.split(f"{k}:")[1].split()[0]) / 1024 for k in ("RssAnon", "RssFile"))  # type: ignore[return-value]


# -- in a terminal


def in_terminal(path: Path, *options: str, key: bytes = b"q", after: float = 0.0) -> dict[str, float]:
    """Start the viewer in a pseudo terminal, press a key some seconds after the first screen.

    first, first_cpu   seconds from the start of the process until the first screen was written
    end                seconds from the key until the process ended
    """
    command = [sys.executable, "-m", "rmitrace", "view", *options, str(path)]
    began = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPATH=str(ROOT))
        os.execv(sys.executable, command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    out: dict[str, float] = {}
    try:
        for seen in _output(fd, began + 600):
            if "first" not in out and b"Timeline" in seen and b"Calls" in seen:
                out["first"] = time.perf_counter() - began
                used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                out["first_cpu"] = (int(used[11]) + int(used[12])) / _TICKS
            if "first" in out and "pressed" not in out and time.perf_counter() - began > out["first"] + after:
                os.write(fd, key)
                out["pressed"] = time.perf_counter()
        if "pressed" in out:
            out["end"] = time.perf_counter() - out.pop("pressed")
    finally:
        os.close(fd)
        _, status = os.waitpid(pid, 0)
    if status or "end" not in out:
        raise SystemExit(f"the viewer ended with {status}")
    return out


def _output(fd: int, limit: float) -> Iterator[bytes]:
    """All that came by now, at least every 20 ms, until the other end is closed."""
    seen = b""
    while time.perf_counter() < limit:
        if select.select([fd], [], [], 0.02)[0]:
            try:
                more = os.read(fd, 1 << 16)
            except OSError:
                return
            if not more:
                return
            seen += more
        yield seen


# -- through the Pilot


class Frames:
    """Presses keys and waits for what is drawn because of them."""

    def __init__(self, app: Any, pilot: Any) -> None:
        self._app, self._pilot = app, pilot
        self.drawn = 0.0
        """When the last frame was drawn, and how much processor time this thread had used."""
        self.used = 0.0
        display = app._display

        def shown(screen: Any, renderable: Any) -> None:
            if renderable is not None:
                render = getattr(renderable, "render_segments", None)
                if render is not None:
                    render(app.console)  # without a terminal Textual leaves this out
            display(screen, renderable)
            self.drawn, self.used = time.perf_counter(), time.thread_time()

        app._display = shown

    async def press(self, key: str) -> tuple[float, float]:
        """ms from the key to the last frame that it made, and of the processor."""
        from textual import events
        from textual.keys import _character_to_key

        char = key if len(key) == 1 else None
        name = _character_to_key(key) if char and not key.isalnum() else key
        began, used = time.perf_counter(), time.thread_time()
        self.drawn, self.used = began, used
        self._app.post_message(events.Key(name, char))
        for _ in range(4):
            await self._pilot.pause(0)
        last = -1.0
        while self.drawn != last:  # a frame is drawn up to 1/60 s after what it is drawn for
            last = self.drawn
            await asyncio.sleep(0.04)
        return (self.drawn - began) * 1000, (self.used - used) * 1000

    async def until(self, holds: Any, limit: float = 3600) -> float:
        """Seconds until something holds."""
        began = time.perf_counter()
        while not holds():
            if time.perf_counter() - began > limit:
                raise SystemExit("this takes too long")
            await asyncio.sleep(0.005)
        return time.perf_counter() - began


async def drive(path: str, keys: int, checked: bool) -> dict[str, Any]:
    """What a session shows: see the names in the result."""
    from textual.widgets import Input

    from rmitrace.capture import OpenOptions
    from rmitrace.tui.app import TimelineApp
    from rmitrace.tui.bars import StatusBar
    from rmitrace.tui.reading import first_part

    options = OpenOptions(cache=True)
    out: dict[str, Any] = {}
    peak = [0.0]

    async def watch() -> None:
        while True:
            peak[0] = max(peak[0], memory()[0])
            await asyncio.sleep(0.05)

    began = time.perf_counter()
    app = TimelineApp(first_part([path], options), [path], options)
    async with app.run_test(size=(COLUMNS, LINES)) as pilot:
        watching = asyncio.create_task(watch())
        frames = Frames(app, pilot)
        out["first part shown"] = time.perf_counter() - began
        await frames.until(lambda: app.capture.complete)
        out["all calls shown"] = time.perf_counter() - began
        busy = [await frames.press(k) for _ in range(max(keys // 20, 1)) for k in ("pagedown", "j", "end", "home", "+", "0")]
        out["keys while objects are followed"] = busy
        await frames.until(lambda: app.main.model.followed)
        out["objects followed"] = time.perf_counter() - began
        out["memory then"], out["files then"] = memory()
        if checked:
            await frames.until(lambda: app.main.model.learned)
            out["checked"] = time.perf_counter() - began
        out["calls"] = app.main.model.calls
        out["keys"] = {}
        for what, pressed in MOVES.items():
            rounds = max(keys // len(pressed), 1)
            out["keys"][what] = [await frames.press(k) for _ in range(rounds) for k in pressed]

        bar = app.main.query_one(StatusBar)

        async def answer(key: str, text: str) -> None:
            await frames.press(key)
            app.screen.query_one(Input).value = text
            await pilot.pause(0)

        out["filter"] = {}
        for where in CONDITIONS:
            times = []
            for _ in range(2):
                await answer("f", where)
                before = app.main.model.filtered
                app.post_message(_enter())
                times.append(await frames.until(lambda b=before: app.main.model.filtered is not b))
                passed = app.main.model.filtered.count
                await frames.press("escape")
                await frames.until(lambda: not app.main.model.filter_text)
            out["filter"][where] = (*times, passed)
        await frames.press("home")
        out["search"] = {}
        for text in TEXTS:
            await answer("/", text)
            app.post_message(_enter())
            took = await frames.until(lambda t=text: bar.message in (f"/{t}", f"not found: {t}"))
            out["search"][text] = (took, bar.message)
        out["memory"], out["files"] = memory()
        out["memory at most"] = peak[0]
        watching.cancel()
        app._ending = True
    return out


def _enter() -> Any:
    from textual import events

    return events.Key("enter", "\r")


# -- what is said


def quantiles(times: list[list[float]]) -> dict[str, float]:
    """p50, p95 and the most of the times to the frame, and p95 of the processor's, in ms."""
    wall, used = sorted(t[0] for t in times), sorted(t[1] for t in times)
    at = min(int(len(wall) * 0.95), len(wall) - 1)
    return {"p50": statistics.median(wall), "p95": wall[at], "most": wall[-1], "cpu p95": used[at], "keys": len(wall)}


def say(found: dict[str, Any]) -> Iterator[str]:
    """The result in lines."""
    yield f"{found['calls']:,} calls, {found['bytes'] / 1e6:,.0f} MB; screen {COLUMNS}x{LINES}"
    for name in ("without an index", "with an index"):
        t = found["open"][name]
        yield f"{'first screen, ' + name:<36} {t['first']:7.2f} s wall {t['first_cpu']:7.2f} s cpu; q to the end {t['end']:.2f} s"
    for name in ("all calls shown", "objects followed", "checked"):
        if name in found:
            yield f"{name + ', with an index':<36} {found[name]:7.2f} s wall"
    yield f"{'key to frame':<36} {'p50':>7} {'p95':>7} {'most':>7} {'cpu p95':>8}  keys   (ms)"
    rows = [("all of these", [t for times in found["keys"].values() for t in times]), *found["keys"].items()]
    for name, times in [*rows, ("while objects are followed", found["keys while objects are followed"])]:
        q = quantiles(times)
        yield f"  {name:<34} {q['p50']:7.1f} {q['p95']:7.1f} {q['most']:7.1f} {q['cpu p95']:8.1f}  {q['keys']}"
    for where, (first, again, count) in found["filter"].items():
        yield f"filter {where:<29} {first:7.2f} s first, {again:.2f} s again; {count:,} calls"
    for text, (took, how) in found["search"].items():
        yield f"search {text:<29} {took:7.2f} s  ({how})"
    yield f"memory of no file: {found['memory then']:.0f} MB with all shown, {found['memory']:.0f} MB in the end,"
    yield f"  {found['memory at most']:.0f} MB at most; of files {found['files']:,.0f} MB"


def main() -> None:
    """Make the capture, open it in each way, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--capture", type=Path, help="open this one instead")
    parser.add_argument("--keys", type=int, default=60, help="keys of each kind")
    parser.add_argument("--checked", action="store_true", help="wait for the findings before keys are pressed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--drive", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.drive:
        from rmitrace.tui.reading import frugal

        sys.setswitchinterval(0.0005)  # as the viewer does
        frugal()
        print(json.dumps(asyncio.run(drive(args.drive, args.keys, args.checked))), flush=True)
        os._exit(0)  # what still works behind the screen is not waited for
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        path = args.capture or Path(folder) / "trace.txt"
        if args.capture is None:
            from _generate import ftrace_text

            ftrace_text(path, args.calls)
            time.sleep(1)  # a file that was just written has no index
        found: dict[str, Any] = {"bytes": path.stat().st_size, "open": {}}
        found["open"]["without an index"] = in_terminal(path, after=0.5)
        make = "import sys; from rmitrace.capture.opening import *; open_capture(sys.argv[1:], OpenOptions(cache=True))"
        subprocess.run([sys.executable, "-c", make, str(path)], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        found["open"]["with an index"] = in_terminal(path, after=3)
        command = [sys.executable, __file__, "--drive", str(path), "--keys", str(args.keys), *["--checked"] * args.checked]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found |= json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(found) if args.json else "\n".join(say(found)))


if __name__ == "__main__":
    main()
