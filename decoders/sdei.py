"""Software Delegated Exception Interface: DEN0054 SDEI 1.1."""

from __future__ import annotations

from .service import Service, ServiceCommand, arg

CODES = {
    0: "SDEI_SUCCESS",
    -1: "SDEI_NOT_SUPPORTED",
    -2: "SDEI_INVALID_PARAMETERS",
    -3: "SDEI_DENIED",
    -5: "SDEI_PENDING",
    -10: "SDEI_OUT_OF_RESOURCE",
}
SDEI = Service("SDEI", "Software Delegated Exception Interface (DEN0054)", CODES)

_EVENT = arg(1, "event", "UInt64", "number")

COMMANDS: tuple[ServiceCommand, ...] = (
    *SDEI.value("SDEI_VERSION", 0xC4000020, "version of SDEI", x0="SdeiVersion"),
    *SDEI.call(
        "SDEI_EVENT_REGISTER",
        0xC4000021,
        "register a handler",
        [
            _EVENT,
            arg(2, "ep_address", "Address", "handler"),
            arg(3, "ep_argument", "Bits64", "argument"),
            arg(4, "flags", "Bits64", "routing"),
            arg(5, "affinity", "Mpidr", "MPIDR"),
        ],
    ),
    *SDEI.call("SDEI_EVENT_ENABLE", 0xC4000022, "enable an event", [_EVENT]),
    *SDEI.call("SDEI_EVENT_DISABLE", 0xC4000023, "disable an event", [_EVENT]),
    *SDEI.value(
        "SDEI_EVENT_CONTEXT",
        0xC4000024,
        "a register of the interrupted context",
        [arg(1, "param_id", "UInt64", "register")],
        x0="Bits64",
    ),
    *SDEI.leave(
        "SDEI_EVENT_COMPLETE", 0xC4000025, "the handler is done", [arg(1, "status_code", "UInt64", "0 handled, 1 failed")]
    ),
    *SDEI.leave(
        "SDEI_EVENT_COMPLETE_AND_RESUME",
        0xC4000026,
        "the handler is done; go on elsewhere",
        [arg(1, "resume_addr", "Address", "address")],
    ),
    *SDEI.call("SDEI_EVENT_UNREGISTER", 0xC4000027, "unregister a handler", [_EVENT]),
    *SDEI.value("SDEI_EVENT_STATUS", 0xC4000028, "state of an event", [_EVENT], x0="SdeiEventStatus"),
    *SDEI.value("SDEI_EVENT_GET_INFO", 0xC4000029, "property of an event", [_EVENT, arg(2, "info", "UInt64", "what")]),
    *SDEI.call(
        "SDEI_EVENT_ROUTING_SET",
        0xC400002A,
        "route a shared event",
        [_EVENT, arg(2, "routing_mode", "UInt64", "mode"), arg(3, "affinity", "Mpidr", "MPIDR")],
    ),
    *SDEI.value("SDEI_PE_MASK", 0xC400002B, "mask events on this core; x0 is 1 where they were not masked"),
    *SDEI.call("SDEI_PE_UNMASK", 0xC400002C, "unmask events on this core"),
    *SDEI.value("SDEI_INTERRUPT_BIND", 0xC400002D, "make an interrupt an event", [arg(1, "interrupt", "UInt64", "number")]),
    *SDEI.call("SDEI_INTERRUPT_RELEASE", 0xC400002E, "undo SDEI_INTERRUPT_BIND", [_EVENT]),
    *SDEI.call("SDEI_EVENT_SIGNAL", 0xC400002F, "raise an event on a core", [_EVENT, arg(2, "target_pe", "Mpidr", "MPIDR")]),
    *SDEI.value(
        "SDEI_FEATURES", 0xC4000030, "feature of the implementation", [arg(1, "feature", "UInt64", "index")], x0="Bits64"
    ),
    *SDEI.call("SDEI_PRIVATE_RESET", 0xC4000031, "unregister the private events of this core"),
    *SDEI.call("SDEI_SHARED_RESET", 0xC4000032, "unregister the shared events"),
)
