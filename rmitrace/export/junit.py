"""JUnit XML for CI viewers: a test case for each rule that found nothing, and one for each finding."""

from __future__ import annotations

import re
from collections import Counter
from typing import IO
from xml.etree import ElementTree as ET

from .. import checks
from ..capture.model import Capture
from ..capture.records import Finding
from ..checks.suppress import Sifted
from ..display import safe

_RANK = {"note": 1, "warning": 2, "error": 3}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(capture: Capture, found: Sifted, out: IO[str], fail_on: str | None, rules: set[str]) -> None:
    """One suite. Findings at or above ``fail_on`` (default: errors) are failures, suppressed ones are skipped, the others
    pass and say what they are. ``rules``: those that were run."""
    least = _RANK[fail_on or "error"]
    suites = ET.Element("testsuites", name="rmitrace check")
    name = ", ".join(s.path for s in capture.sources)
    suite = ET.SubElement(suites, "testsuite", name=_text(name))
    seen = Counter(f.rule for f in found.shown) + Counter(f.rule for f, _ in found.suppressed)
    for rule in sorted(rules - seen.keys()):
        _case(suite, rule, checks.RULES[rule].title)
    failures = skipped = 0
    for f in found.shown:
        case = _case(suite, f.rule, f.message)
        if _RANK.get(f.severity, 0) >= least:
            failures += 1
            said = ET.SubElement(case, "failure", type=f.severity, message=_text(f.message))
            said.text = _text(details(capture, f))
        else:
            ET.SubElement(case, "system-out").text = _text(f"{f.severity}: {details(capture, f)}")
    for f, entry in found.suppressed:
        skipped += 1
        ET.SubElement(_case(suite, f.rule, f.message), "skipped", message=_text(entry.reason))
    if found.unused:
        text = "\n".join(f"unused suppression of {e.rule}: {e.where}" for e in found.unused)
        ET.SubElement(suite, "system-err").text = _text(text)
    counts = {"tests": len(suite.findall("testcase")), "failures": failures, "errors": 0, "skipped": skipped}
    for element in (suites, suite):
        element.attrib.update({k: str(v) for k, v in counts.items()})
    ET.indent(suites)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(ET.tostring(suites, encoding="unicode"))
    out.write("\n")


def details(capture: Capture, f: Finding) -> str:
    """The finding with its place and its rule's reasons, a line each."""
    rule = checks.RULES.get(f.rule)
    said = [f.message]
    if f.source >= 0 and f.offset >= 0:
        said.append(f"at: {capture.sources[f.source].name}, byte {f.offset}")
    if f.calls:
        said.append("calls: " + ", ".join(map(str, f.calls[:20])) + (" ..." if len(f.calls) > 20 else ""))
    if rule is not None:
        said += [f"why: {rule.why}", f"next: {rule.next}", f"source: {f.spec or rule.spec}"]
    return "\n".join(said)


def _case(suite: ET.Element, rule: str, text: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_text(f"rmitrace.{rule}"), name=_text(text[:200]))


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", "\n".join(safe(line) for line in text.split("\n")))
