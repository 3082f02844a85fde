"""Devices are followed the same whether the kernel is compiled or not, in parts or at once; what a few scripts make is told by
hand. What captures make of it is in test_sequences."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from .scripts import (
    ABORT,
    COMMUNICATE,
    CONTINUE,
    CREATE,
    DELEGATE,
    DESTROY,
    GET_STATE,
    PUBKEY,
    STOP,
    STREAM_COMPLETE,
    STREAM_CONNECT,
    UNDELEGATE,
    VDEV_COMMUNICATE,
    VDEV_CREATE,
    VDEV_DESTROY,
    VDEV_GET_STATE,
    A,
    B,
    capture_of,
    followed,
    made,
)

polls = st.tuples(
    st.sampled_from([COMMUNICATE, COMMUNICATE, GET_STATE, GET_STATE, GET_STATE]),
    st.sampled_from([A, B]),
    st.sampled_from([0, 0, 0, 0, 0, 9]),
    st.sampled_from([0, 1, 1, 3, 3, 5]),
)
others = st.tuples(
    st.sampled_from([CREATE, DESTROY, PUBKEY, STOP, ABORT, VDEV_CREATE, VDEV_DESTROY, STREAM_CONNECT, STREAM_COMPLETE, 0xC4000205,
                     DELEGATE, UNDELEGATE, CONTINUE, VDEV_GET_STATE, VDEV_COMMUNICATE]),
    st.sampled_from([A, B, 0, (1 << 64) - 1]),
    st.sampled_from([0, 0, 0, 9, 13]),
    st.integers(0, 5),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(polls | others, max_size=80), st.sampled_from([3, 1 << 17]), st.sampled_from([1 << 4, 1 << 11]))
def test_compiled_as_it_stands(script: list[tuple[int, int, int, int]], at_once: int, room: int) -> None:
    capture = capture_of([made(*step) for step in script])
    assert followed(capture, True, at_once, room) == followed(capture)


def test_two_devices_that_are_polled_at_once() -> None:
    script = [(CREATE, A, 0, 0), (CREATE, B, 0, 0), (GET_STATE, A, 0, 0), (GET_STATE, B, 0, 0)]
    script += [(COMMUNICATE, A, 0, 0), (COMMUNICATE, B, 0, 0), (GET_STATE, A, 0, 0), (GET_STATE, B, 0, 0)] * 20
    sequences, _ = followed(capture_of([made(*step) for step in script]))
    assert [(q[1], [(name, calls) for name, _, _, calls in q[-1]]) for q in sequences] == [
        (f"pdev:{a:#x}", [("create", [i, i + 2]), ("negotiate", list(range(i + 4, 84, 2)))]) for i, a in enumerate((A, B))
    ]


def test_a_pdev_whose_vdev_lives_is_not_stopped() -> None:
    """RMI_ERROR_DEVICE (9) from RMI_PDEV_STOP; the VDEV that is named is the first that was made on it."""
    script = [(VDEV_CREATE, 0x1000, 0, 0), (VDEV_CREATE, 0x2000, 0, 0), (STOP, B, 6, 0), (VDEV_DESTROY, 0x1000, 0, 0)]
    script += [(STOP, B, 6, 0), (VDEV_DESTROY, 0x2000, 0, 0), (STOP, B, 6, 0)]
    sequences, _ = followed(capture_of([made(*step) for step in script]))
    (why,) = [q[5] for q in sequences if q[0] == "disconnect"]
    assert why.split("; then ") == [
        "RMI_PDEV_STOP returned RMI_ERROR_DEVICE: vdev:0x1000 of it has not been destroyed; said at 2 to 2",
        "RMI_PDEV_STOP returned RMI_ERROR_DEVICE: vdev:0x2000 of it has not been destroyed; said at 4 to 4",
        "RMI_PDEV_STOP returned RMI_ERROR_DEVICE; said at 6 to 6",
    ]


def test_enough_is_said_of_a_sequence_that_goes_on_failing() -> None:
    """Each failure takes 60 characters or so: behind 600 no more are added, and a step that fails has no reason of its own."""
    script = [(DESTROY if i % 2 else STOP, A, 9, 0) for i in range(1000)]
    ((*_, why, steps),), _ = followed(capture_of([made(*step) for step in script]))
    assert why.startswith("RMI_PDEV_STOP returned RMI_ERROR_DPT; said at 0 to 0; then RMI_PDEV_DESTROY returned RMI_ERROR_DPT;")
    assert 600 < len(why) < 700
    assert [outcome for _, outcome, _, _ in steps] == ["failed"] * 1000
    said = why.split("; then ")
    assert [s for _, _, s, _ in steps] == said + [""] * (1000 - len(said))


def test_granules_belong_to_what_is_made_of_them() -> None:
    """One delegated for the PDEV itself, one for another, given back before it is used."""
    script = [(DELEGATE, A, 0, 0), (DELEGATE, B, 0, 0), (UNDELEGATE, B, 0, 0), (CREATE, B, 0, 0), (CREATE, A, 0, 0)]
    sequences, _ = followed(capture_of([made(*step) for step in script]))
    assert [(q[1], [(name, calls) for name, _, _, calls in q[-1]]) for q in sequences] == [
        (f"pdev:{A:#x}", [("delegate", [0]), ("create", [4])]),
        (f"pdev:{B:#x}", [("create", [3])]),
    ]
