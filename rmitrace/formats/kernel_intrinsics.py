"""The steps of kernels that compiled code does without Python's checks. Imported only where Numba is."""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.extending import intrinsic, overload

from . import kernel_steps


def _loader(bits: int) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def load(context: Any, buf: Any, at: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = context.get_value_type(numba.types.Integer.from_bitwidth(bits, False))
            place = builder.bitcast(builder.gep(args[0], [args[1]]), kind.as_pointer())
            return builder.zext(builder.load(place, align=1), context.get_value_type(numba.types.uint64))

        return numba.types.uint64(buf, numba.types.int64), build

    return load


def _storer(bits: int) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def store(context: Any, buf: Any, at: Any, value: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = context.get_value_type(numba.types.Integer.from_bitwidth(bits, False))
            place = builder.bitcast(builder.gep(args[0], [args[1]]), kind.as_pointer())
            builder.store(builder.trunc(args[2], kind) if bits < 64 else args[2], place, align=1)
            return context.get_dummy_value()

        return numba.types.none(buf, numba.types.int64, numba.types.uint64), build

    return store


_load2, _load4, _load8 = map(_loader, (16, 32, 64))
_store2, _store4, _store8 = map(_storer, (16, 32, 64))


@intrinsic  # type: ignore[untyped-decorator]
def _prefetch(context: Any, buf: Any, at: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        place = builder.bitcast(builder.gep(args[0], [args[1]]), byte)
        builder.call(fetch, [place, number(0), number(3), number(1)])  # to read, into every cache, data
        return context.get_dummy_value()

    return numba.types.none(buf, numba.types.int64), build


@overload(kernel_steps.ahead, strict=False)  # type: ignore[untyped-decorator]
def _ahead(buf: Any, at: Any) -> Any:
    return lambda buf, at: _prefetch(buf, at)


@overload(kernel_steps.word, strict=False)  # type: ignore[untyped-decorator]
def _word(buf: Any, at: Any) -> Any:
    return lambda buf, at: _load8(buf, at)


@overload(kernel_steps.word4, strict=False)  # type: ignore[untyped-decorator]
def _word4(buf: Any, at: Any) -> Any:
    return lambda buf, at: _load4(buf, at)


@overload(kernel_steps.word2, strict=False)  # type: ignore[untyped-decorator]
def _word2(buf: Any, at: Any) -> Any:
    return lambda buf, at: _load2(buf, at)


@overload(kernel_steps.put8, strict=False)  # type: ignore[untyped-decorator]
def _put8(buf: Any, at: Any, value: Any) -> Any:
    return lambda buf, at, value: _store8(buf, at, value)


@overload(kernel_steps.put4, strict=False)  # type: ignore[untyped-decorator]
def _put4(buf: Any, at: Any, value: Any) -> Any:
    return lambda buf, at, value: _store4(buf, at, value)


@overload(kernel_steps.put2, strict=False)  # type: ignore[untyped-decorator]
def _put2(buf: Any, at: Any, value: Any) -> Any:
    return lambda buf, at, value: _store2(buf, at, value)


@intrinsic  # type: ignore[untyped-decorator]
def _ctpop(context: Any, value: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return numba.types.int64(numba.types.uint64), build


@overload(kernel_steps.ones, strict=False)  # type: ignore[untyped-decorator]
def _ones(value: Any) -> Any:
    return lambda value: _ctpop(value)
