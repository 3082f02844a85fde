"""What a report says, before it is a page: every text in it has gone through Redactor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

Shown = NewType("Shown", str)
"""Text that may be shown: what is private replaced by a name, characters that act made pictures. It is still no HTML or
Markdown: those are escaped where it is put in."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a decoded tree. offset: bytes in its buffer, None for registers; bad: the note is a warning or an error."""

    name: Shown
    text: Shown
    note: Shown
    bad: bool
    offset: int | None
    children: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A title with lines of monospaced text: a raw record, bytes in hexadecimal; left: what of it is not shown."""

    title: Shown
    lines: tuple[Shown, ...]
    left: Shown = Shown("")


@dataclass(frozen=True, slots=True)
class Talk:
    """A protocol message of a call."""

    request: bool
    name: Shown
    title: Shown
    notes: Shown
    tree: tuple[Branch, ...]
    block: Block | None


@dataclass(frozen=True, slots=True)
class Memory:
    """A parameter page or shared buffer of a call."""

    title: Shown
    tree: tuple[Branch, ...]
    block: Block


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a failed call. mark: '+' holds, '-' struck, '?' possible, '!' holds but has another status."""

    mark: str
    id: Shown
    when: Shown
    text: Shown

    @property
    def word(self) -> str:
        """The mark in a word."""
        return {"+": "holds", "-": "struck", "?": "possible", "!": "holds, other status"}[self.mark]


@dataclass(frozen=True, slots=True)
class Why:
    """The conditions of a failed call, those that hold first; remarks on firmware that deviates from the text."""

    title: Shown
    conditions: tuple[Condition, ...]
    remarks: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class CallItem:
    """A call of the report, and the lines of logs in front of it. unseen: memory that may hold secrets, and is left out."""

    seq: int
    name: Shown
    head: Shown
    line: Shown
    tail: Shown
    failed: bool
    main: bool
    logs: tuple[Shown, ...]
    tree: tuple[Branch, ...]
    why: Why | None
    memory: tuple[Memory, ...]
    unseen: tuple[Shown, ...]
    talks: tuple[Talk, ...]
    raw: tuple[Block, ...]
    skipped: int = 0
    """Calls between the one before it in the report and this one."""


@dataclass(frozen=True, slots=True)
class CallRef:
    """A call that a finding names. there: the report has it in full."""

    seq: int
    line: Shown
    there: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A finding with what its rule says of all of them."""

    rule: Shown
    severity: str
    message: Shown
    object: Shown
    where: Shown
    calls: tuple[CallRef, ...]
    more_calls: int
    why: Why | None
    title: Shown
    reason: Shown
    next: Shown
    spec: Shown


@dataclass(frozen=True, slots=True)
class Event:
    """A column of the picture: a call, or several alike behind each other.

    seqs      first and last call
    name      the command without its prefix
    status    what came back, empty for RMI_SUCCESS
    state     the state of the object after it, empty where that did not change
    talks     (is a request, name) of its messages
    logs      lines of logs in front of it
    main      the call that the report is about
    gap       calls that were left out here; then there is nothing else in it
    """

    seqs: tuple[int, int]
    count: int
    name: Shown = Shown("")
    status: Shown = Shown("")
    failed: bool = False
    state: Shown = Shown("")
    talks: tuple[tuple[bool, Shown], ...] = ()
    bad_talk: bool = False
    logs: tuple[Shown, ...] = ()
    main: bool = False
    gap: int = 0
    step: int = 0
    when: Shown = Shown("")


@dataclass(frozen=True, slots=True)
class Span:
    """A step of the sequence, or a state of the object, over columns ``first`` to ``last`` of the picture."""

    name: Shown
    first: int
    last: int
    outcome: str = ""
    took: Shown = Shown("")
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A sequence as lanes: what the host called, what the RMM answered, the state of the object, messages of the device."""

    title: Shown
    object: Shown
    outcome: str
    why: Shown
    events: tuple[Event, ...]
    steps: tuple[Span, ...]
    states: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence of the capture."""

    outcome: str
    title: Shown
    start: Shown
    took: Shown
    calls: int
    first: int
    last: int
    why: Shown


@dataclass(frozen=True, slots=True)
class Speaker:
    """What one side speaks, in a group of commands, and from what that is told."""

    side: Shown
    group: Shown
    revision: Shown
    evidence: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file of the capture. size: bytes as it lies there; unpacked: bytes read, where that is another number."""

    name: Shown
    format: Shown
    records: int
    size: int
    unpacked: int | None
    sha256: str
    span: Shown


@dataclass(frozen=True, slots=True)
class Hidden:
    """A kind of thing that was redacted: how many different ones, how often, and the names that stand for them."""

    kind: str
    title: str
    values: int
    places: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a line of a pasted text means, a line each, and what to look at or to capture next."""

    about: Shown
    where: Shown
    said: tuple[Shown, ...]
    next: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first thing to read: what failed, in which call, why, what logs say of it, and what to look at
    next."""

    good: bool
    title: Shown
    call: CallRef | None
    message: Shown
    cause: Shown
    said: tuple[Shown, ...]
    next: Shown
    within: Shown
    across: bool = False
    """It is about the whole capture; the call is one that shows it."""

    @property
    def call_word(self) -> str:
        """What the call is to it."""
        return "Seen in" if self.across else "Call"


@dataclass(slots=True)
class Report:
    """All of a report, in the order in which it is shown. left: what is not in it, a sentence each."""

    version: str
    verdict: Verdict
    counts: dict[str, int]
    numbers: list[tuple[str, str]]
    abi: Shown
    abi_how: Shown
    picture: Picture | None = None
    answers: list[Told] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    notes: list[Item] = field(default_factory=list)
    speakers: list[Speaker] = field(default_factory=list)
    skews: list[tuple[Shown, tuple[Shown, ...]]] = field(default_factory=list)
    sequences: list[Row] = field(default_factory=list)
    calls: list[CallItem] = field(default_factory=list)
    messages: list[Shown] = field(default_factory=list)
    files: list[FileItem] = field(default_factory=list)
    clocks: list[Shown] = field(default_factory=list)
    environment: list[tuple[str, Shown]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    hidden: list[Hidden] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Kinds that could be redacted and were not."""
