from __future__ import annotations

import pytest

from rmitrace.formats.eventmap import (
    BadMap,
    direction,
    family,
    is_smc_event,
    is_stub,
    is_wrapper,
    may_hold_registers,
    parse_maps,
    plan,
    plausible_fid,
)


@pytest.mark.parametrize(
    ("enter", "exit_"),
    [
        ("smc_enter", "smc_exit"),
        ("smc12_enter", "smc12_exit"),
        ("smc_enter_arr", "smc_exit_arr"),
        ("inv", "invx"),
        ("enter", "exit"),
        ("pdev_comm", "pdev_comm_ret"),
        ("begin@do_smc", "done@do_smc"),
    ],
)
def test_family_is_what_a_pair_has_in_common(enter: str, exit_: str) -> None:
    assert family(enter) == family(exit_)


def test_families_differ() -> None:
    events = ["smc_enter", "smc12_enter", "smc_enter_arr", "inv", "arr", "enter", "a@do_smc", "a@other", "something"]
    assert len({family(e) for e in events}) == len(events)


def test_direction() -> None:
    assert [direction(n) for n in ("smc_enter", "x_entry", "smc_exit_arr", "invx", "foo_return", "entered", "retry")] == [
        "enter", "enter", "exit", "exit", "exit", None, None,
    ]  # fmt: skip


def test_names_that_say_smc() -> None:
    assert all(is_smc_event(n) for n in ("smc_enter", "smc12_exit", "smc_enter_arr", "smccc_entry", "inv", "invx"))
    assert not any(is_smc_event(n) for n in ("sys_enter", "kvm_exit", "smc_lat", "irq_handler_entry", "arr", "invy"))


def test_functions() -> None:
    assert is_stub("arm_smccc_1_2_smc")
    assert is_stub("__arm_smccc_smc")
    assert not is_stub("rs_invoke12")
    assert is_wrapper("rmi_pdev_communicate")
    assert is_wrapper("psci_0_2_cpu_on")
    # helpers for any command, and PSCI functions that do not call
    assert not any(is_wrapper(f) for f in ("rmi_smccc_invoke", "rmi_invoke", "psci_tos_resident_on", "vfs_write", None))


def test_plausible_fid() -> None:
    # RMI_VERSION, RMI_PDEV_CREATE, RSI_VERSION, PSCI_VERSION, TRNG_RND64, SMCCC_VERSION, with the SVE hint, sign-extended
    for fid in (0xC4000150, 0xC4000176, 0xC4000190, 0x84000000, 0xC4000053, 0x80000000, 0xC4010150, 0xFFFFFFFFC4000150):
        assert plausible_fid(fid), hex(fid)
    # a success, an address, a physical page, an error, a yielding call, reserved bits
    for value in (0, 0xFFFF800083333968, 0x84001000, 0xFFFFFFFFFFFFFFFF, 0x44000150, 0xC4020150, 0x1C4000150):
        assert not plausible_fid(value), hex(value)


def test_plan_by_field_names() -> None:
    assert plan(("a0", "a1", "a17", "a18"), False) == (0, 1, 17, -1)
    assert plan(("x0", "x7"), True) == (0, 7)
    assert plan(("fid", "a1"), False) == (0, 1)
    assert plan(("fid", "a0", "a1"), True) == (-1, 0, 1)  # the id repeated at the exit is no result
    assert plan(("fid", "ret"), True) == (-1, 0)
    assert plan(("arg1", "arg2"), False) == (0, 1)  # unnamed probe arguments count from one
    assert plan(("fid", "arg1", "arg2"), False) == (0, 1, 2)
    assert plan(("a",), False) == (0,)
    assert plan(("cpu", "x64"), False) == (-1, -1)
    assert plan(("func", "p"), False, (("func", 0), ("p", 3))) == (0, 3)


def test_may_hold_registers() -> None:
    assert may_hold_registers(["a0"])
    assert may_hold_registers(["regs"])
    assert not may_hold_registers(["x8", "x16", "dflt"])


def test_parse_maps() -> None:
    rules = parse_maps(["call:enter:func=x0,p=x1", "done:exit", "smc:noise:ignore"])
    assert rules["call"].kind == "enter"
    assert dict(rules["call"].fields) == {"func": 0, "p": 1}
    assert rules["done"].kind == "exit"
    assert not rules["done"].fields
    assert rules["noise"].kind == "ignore"
    assert dict(parse_maps(["smccc:call:enter:fid=x0"])["call"].fields) == {"fid": 0}


@pytest.mark.parametrize(
    "text", ["", "call", "call:sideways", ":enter", "call:enter:func", "call:enter:func=x18", "a:enter:b=c:d"]
)
def test_a_bad_map_is_quoted(text: str) -> None:
    with pytest.raises(BadMap) as caught:
        parse_maps([text])
    assert repr(text) in str(caught.value)
