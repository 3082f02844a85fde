"""The two steps of kernels that compiled code does without Python's checks. Imported only where Numba is."""

from __future__ import annotations

from typing import Any

import numba
from numba.extending import intrinsic, overload

from . import kernel_steps


@intrinsic  # type: ignore[untyped-decorator]
def _data(context: Any, array: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_array(array)(context, builder, args[0]).data

    return numba.types.CPointer(array.dtype)(array), build


@intrinsic  # type: ignore[untyped-decorator]
def _load(context: Any, buf: Any, at: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.gep(args[0], [args[1]])
        kind = context.get_value_type(numba.types.uint64)
        return builder.load(builder.bitcast(place, kind.as_pointer()), align=1)

    return numba.types.uint64(buf, numba.types.int64), build


@overload(kernel_steps.pointer, strict=False)  # type: ignore[untyped-decorator]
def _pointer(array: Any) -> Any:
    return lambda array: _data(array)


@overload(kernel_steps.word, strict=False)  # type: ignore[untyped-decorator]
def _word(buf: Any, at: Any) -> Any:
    return lambda buf, at: _load(buf, at)
