"""The lines of the tree: what is open, how long texts run, and what each line stands for."""

from __future__ import annotations

from decoders.tree import Node
from rmitrace.tui.details import Branch, Details, Place
from rmitrace.tui.treelines import TreeLine, TreeLines

ARGS = Node("args", children=(Node("pdev_ptr", 1, "0x1"), Node("flags", 2, "spdm", children=(Node("spdm", 1, "1"),))))


def lines(
    *branches: Branch, folds: dict[tuple[str, ...], bool] | None = None, width: int = 60, **kw: list[int]
) -> list[TreeLine]:
    return TreeLines(Details("t", list(branches), registers=dict(kw)), folds or {}, width).lines


def shown(made: list[TreeLine]) -> list[tuple[int, str, str]]:
    return [(t.depth, t.kind, t.node.name if t.kind == "node" else t.text) for t in made]


def test_first_level_is_open() -> None:
    made = lines(Branch(ARGS, "args"))
    assert shown(made) == [(0, "node", "args"), (1, "node", "pdev_ptr"), (1, "node", "flags")]
    assert [t.parent for t in made] == [-1, 0, 0]


def test_folds_of_the_user_win() -> None:
    made = lines(Branch(ARGS, "args"))
    assert len(lines(Branch(ARGS, "args"), folds={made[0].path: False})) == 1
    assert len(lines(Branch(ARGS, "args"), folds={made[2].path: True})) == 4


def test_the_way_to_a_warning_is_open_and_told_above() -> None:
    deep = Node(
        "page",
        children=(
            Node("a", children=(Node("b", 1, "1", note="reserved", severity="warning"),)),
            Node("c", children=(Node("d"),)),
        ),
    )
    made = lines(Branch(deep, "buffer", 0))
    assert [t.node.name for t in made if t.kind == "node"] == ["page", "a", "b", "c"]
    assert (2 + 1, "note", "! reserved") in shown(made)
    assert [t.worst for t in made if t.kind == "node"] == ["warning", "warning", "warning", None]


def test_registers_and_bytes_are_told() -> None:
    made = lines(Branch(ARGS, "args"), args=[1, 4])
    assert [t.place for t in made] == [None, Place(register=1), Place(register=4)]
    out = lines(Branch(Node("results", children=(Node("state"),)), "results"), results=[1])
    assert out[1].place == Place(register=1, out=True)
    assert lines(Branch(Node("result"), "result"))[0].place == Place(register=0, out=True)
    page = Node("page", None, "", 0, 16, (Node("f", 1, "1", 8, 4), Node("bit", 1, "1", None, 0)))
    made = lines(Branch(page, "buffer", 3))
    assert [t.place for t in made] == [Place(3, 0, 16), Place(3, 8, 4), Place(3, 0, 16)]


def test_long_texts_and_notes_run_over_lines_and_are_all_there() -> None:
    words = " ".join(f"word{i}" for i in range(20))
    made = lines(Branch(Node("x", children=(Node("field", None, words, note=words, severity="error"),))), width=60)
    text = " ".join(t.text for t in made if t.kind in ("node", "more")).split()
    assert text == words.split()
    note = " ".join(t.text for t in made if t.kind == "note").split()
    assert note == ["✗", *words.split()]
    assert all(len(t.text) + 2 * t.depth + 3 <= 60 for t in made)


def test_a_text_without_end_is_cut() -> None:
    made = lines(Branch(Node("x", text="ab " * 5000)), width=40)
    assert len(made) == 6
    assert made[-1].text.endswith("…")


def test_control_characters_are_pictures() -> None:
    made = lines(Branch(Node("x", text="\x1b[2J\u202e" * 30, note="\x9b")), width=40)
    assert not any(c in t.text for t in made for c in "\x1b\u202e\x9b")
