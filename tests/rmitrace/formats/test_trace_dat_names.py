"""kallsyms, printk_formats and saved_cmdlines, as kernels print them and damaged."""

from __future__ import annotations

import re

from rmitrace.formats.trace_dat_names import Symbols, comms, strings
from tests.rmitrace.formats.trace_text import CAPTURES

TEXT = (
    b"ffff800080010000 T _stext\nffff800080010000 T __pi__stext\nffff80008002bf38 T arm_smccc_1_2_smc\n"
    b"ffff80008002bfa8 T next\nffff800078ea0098 t rs_invoke12\t[rmishape]\nffff800078ea00d8 t rs_call.constprop.0\t[rmishape]\n"
)


def test_addresses_become_names() -> None:
    symbols = Symbols(TEXT)
    assert len(symbols) == 6
    # as the tracefs text of that kernel has them: ftrace/recommended.trace.txt
    assert symbols.show(0xFFFF80008002BF38) == "arm_smccc_1_2_smc+0x0/0x70"
    assert symbols.show(0xFFFF800078EA00C8) == "rs_invoke12+0x30/0x40 [rmishape]"
    assert symbols.name(0xFFFF800078EA0100) == "rs_call.constprop.0"
    assert symbols.find(0xFFFF800080010001) == ("_stext", "", 1, 0x1BF38)  # of two names the first


def test_what_is_no_symbol() -> None:
    symbols = Symbols(TEXT)
    for address in (0, 0xFFFF800078EA0097, 1 << 64, -1):
        assert symbols.find(address) is None
        assert symbols.name(address) is None
    assert symbols.show(0x1234) == "0x1234"
    assert symbols.find(0xFFFF80008002BFA8 + (1 << 24)) is None  # too far behind the last one


def test_hidden_cut_and_damaged() -> None:
    assert len(Symbols(b"")) == 0
    assert Symbols(b"").show(5) == "0x5"
    assert len(Symbols(b"0000000000000000 T _stext\n" * 9)) == 0  # kptr_restrict
    cut = Symbols(TEXT[: TEXT.index(b"next") + 2])
    assert cut.name(0xFFFF80008002BF39) == "arm_smccc_1_2_smc"
    noise = Symbols(b"\xff" * 50 + b"\n" + TEXT + b"\n\n12 T x\n" + bytes(40))
    assert noise.name(0xFFFF80008002BF39) == "arm_smccc_1_2_smc"


def test_all_of_a_file_as_a_dictionary_has_them() -> None:
    data = (CAPTURES / "trace-dat/version-6.dat").read_bytes()
    start = re.search(rb"\n?[0-9a-f]{16} \w _text\n|[0-9a-f]{16} [a-zA-Z] ", data)
    assert start is not None
    text = data[start.start() : data.index(b"0xffff", start.end())]
    first: dict[int, bytes] = {}
    for address, name in re.findall(rb"^([0-9a-f]{16}) \S (\S+)", text, re.M):
        first.setdefault(int(address, 16), name)
    first.pop(0, None)
    symbols = Symbols(text)
    assert len(first) > 100
    assert {a: symbols.name(a) for a in first} == {a: n.decode() for a, n in first.items()}


def test_printk_formats() -> None:
    text = b'0xffff9130b4d614b8 : "Rescheduling interrupts"\n0xffff9130b4d6dae8 : "fid=%lx\\n\\t\\"x\\"\\q"\n0x1 : cut'
    assert strings(text) == {0xFFFF9130B4D614B8: b"Rescheduling interrupts", 0xFFFF9130B4D6DAE8: b'fid=%lx\n\t"x"\\q'}
    assert strings(b"") == {}


def test_saved_cmdlines() -> None:
    assert comms(b"89 sh\n10 kworker/0:1\n1677 new\nline\n12 trail \n13 \n") == {
        89: "sh", 10: "kworker/0:1", 1677: "new\nline", 12: "trail ", 13: "",
    }  # fmt: skip
    assert comms(b"") == {}
    assert comms(b"\xff\xfe\n7 \xe9\n") == {7: "\udce9"}
