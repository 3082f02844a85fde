from __future__ import annotations

from rmitrace.formats.ftrace_line import parse_body
from rmitrace.formats.ftrace_values import detail_of, first_value, inlined, is_register, registers


def body(text: bytes, event: str = "e"):
    return parse_body(event, text)


def test_registers() -> None:
    assert registers(body(b"(f+0x0/0x8) a0=0x1 a2=3"), False, ()) == ([1, None, 3], None)
    assert registers(body(b"(f+0x0/0x8) a0=0x1 a1=(fault) a2=3"), False, ()) == ([1, None, 3], None)
    assert registers(body(b"(f+0x0/0x8) a={0x1,0x2}"), False, ()) == ([1, 2], None)
    assert registers(body(b"(f+0x0/0x8) v={0x1,0x2}"), False, (("v", 3),)) == ([None, None, None, 1, 2], None)
    assert registers(body(b"(f+0x0/0x8) cpu=1"), False, ()) == ([], None)
    many = registers(body(b"(f+0x0/0x8) a={" + b",".join(b"0x%x" % i for i in range(64)) + b"}"), False, ())
    assert many == (list(range(18)), None)


def test_registers_that_cannot_be_read() -> None:
    assert registers(body(b"(f+0x0/0x8) a0=0x1 a1=zz"), False, ()) == ([], "a1 is not a number")
    assert registers(body(b"(f+0x0/0x8) a={0x1,"), False, ()) == ([], "a is not a whole array")


def test_what_may_be_a_register() -> None:
    assert is_register(body(b"(f+0x0/0x8) a0=0x1"), False)
    assert is_register(body(b"(f+0x0/0x8) a={0x1}"), False)
    assert not is_register(body(b"(f+0x0/0x8) a=0x1"), False)
    assert not is_register(body(b"(f+0x0/0x8) ret=0x1"), False)
    assert is_register(body(b"(g+0x0/0x8 <- f) ret=0x1"), True)


def test_inlined() -> None:
    assert inlined(body(b"(rmi_x+0x8/0x40) x0=0xc4000175"), False)
    assert not inlined(body(b"(rmi_x+0x8/0x40) x0=0xc4000175"), True)
    assert not inlined(body(b"(rmi_x+0x8/0x40) x0=0x84000000"), False)


def test_first_value() -> None:
    assert [first_value(v) for v in (b"0x5", b"-1", b"{7,8}", b"{", b"text")] == [5, 2**64 - 1, 7, None, None]


def test_detail() -> None:
    found = detail_of(body(b'(vfs_write+0x0/0x8) name="a b" n=3'), {}, "text", "sh")
    assert (found.text, found.task, found.event) == ("text", "sh", "e")
    assert found.fields == {"name": '"a b"', "n": "3"}
    assert found.regs == {}
    assert found.buffers == ()
