"""True random number generator firmware interface: DEN0098 TRNG 1.0."""

from __future__ import annotations

from .service import Service, ServiceCommand, arg

CODES = {
    0: "TRNG_SUCCESS",
    -1: "TRNG_NOT_SUPPORTED",
    -2: "TRNG_INVALID_PARAMETERS",
    -3: "TRNG_NO_ENTROPY",
    -4: "TRNG_NOT_IMPLEMENTED",  # TF-A only
}
TRNG = Service("TRNG", "True Random Number Generator firmware interface (DEN0098)", CODES)

COMMANDS: tuple[ServiceCommand, ...] = (
    *TRNG.value("TRNG_VERSION", 0x84000050, "version of the interface", x0="Version16"),
    *TRNG.value(
        "TRNG_FEATURES",
        0x84000051,
        "is a function implemented",
        [arg(1, "trng_func_id", "FunctionId", "function id")],
        x0="Bits64",
    ),
    *TRNG.value(
        "TRNG_GET_UUID",
        0x84000052,
        "UUID of the back end, in w0..w3",
        outputs=[arg(n, f"uuid_w{n}", "Bits32") for n in (1, 2, 3)],
        x0="Bits32",
    ),
    *TRNG.call(
        "TRNG_RND32",
        0x84000053,
        "entropy, lowest bits in w3",
        [arg(1, "n_bits", "UInt64", "1 to 96")],
        [arg(n, f"entropy_w{n}", "Bits32") for n in (1, 2, 3)],
    ),
    *TRNG.call(
        "TRNG_RND64",
        0xC4000053,
        "entropy, lowest bits in x3",
        [arg(1, "n_bits", "UInt64", "1 to 192")],
        [arg(n, f"entropy_x{n}") for n in (1, 2, 3)],
    ),
)
