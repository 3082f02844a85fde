"""The front: what it takes, what it returns, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys

import decoders
from decoders.spdm import Session, decode_spdm, name_of, read_message
from decoders.spdm._message import HANDLERS
from decoders.spdm.codes import NAMES


def test_every_code_has_a_handler() -> None:
    decode_spdm(b"")
    assert set(HANDLERS) == set(NAMES)


def test_the_front_of_the_package_is_the_same() -> None:
    data = bytes.fromhex("10840000")
    assert decoders.decode_spdm(data) == decode_spdm(data)
    session = Session()
    decoders.decode_spdm(data, session=session)
    assert session.channel.request == data


def test_a_message_inside_other_bytes() -> None:
    data = b"..." + bytes.fromhex("10840000") + b"..."
    tree, end = read_message(data, 3, len(data), Session(), base=100)
    assert (tree.name, tree.offset, end) == ("GET_VERSION", 103, 7)


def test_names_do_not_cost_the_layouts() -> None:
    code = "import sys; from decoders.spdm import name_of; print(name_of(b'..'), 'construct' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [name_of(b".."), "False"]
