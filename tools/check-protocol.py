#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds docs/protocol.md to src/wire/msgs.def: every record, message and command has its row there,
with its number and its fields in order, and no row describes what does not exist. Prints TAP.

A row is `| number | NAME | field kind, field kind | meaning |`. `--rows` prints the first three
columns of all that is missing or stale, to be pasted and given a meaning.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CODE = ROOT / "src" / "wire" / "msgs.def"
FRAMES = ROOT / "src" / "wire" / "frame.h"
TEXT = ROOT / "docs" / "protocol.md"


def code_of(path):
    """The file without comments, continuation lines joined."""
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
    return re.sub(r"\\\n", " ", text)


def fields_of(body):
    return ", ".join("%s %s" % (name, kind.lower())
                     for kind, name in re.findall(r"F\((\w+), (\w+)\)", body))


def described_by_code():
    """{name: (number or '', fields)} of all that msgs.def defines."""
    code = code_of(CODE)
    bodies = dict(re.findall(r"#define MSG_(\w+)\(F\)([^\n]*)", code))
    found = {}
    for name, body in re.findall(r"#define RECORD_([a-z]\w*)\(F\)([^\n]*)", code):
        found[name] = ("", fields_of(body))
    for name, small, number in re.findall(r"\bM\((\w+), (\w+), (\d+)\)", code):
        found[name] = (number, fields_of(bodies[small]))
    for name, number in re.findall(r"\b(FRAME_[A-Z]+) = (\d+),?", code_of(FRAMES)):
        if name not in ("FRAME_FIRST", "FRAME_LAST"):
            found[name] = (number, None)
    return found


def described_by_text():
    """{name: (number, fields, meaning)} of the rows of the document."""
    rows = {}
    for line in TEXT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and re.fullmatch(r"`\w+`", cells[1]):
            rows[cells[1].strip("`")] = (cells[0], cells[2], cells[3])
    return rows


def problem_of(name, code, text):
    if name not in code:
        return "no such message in the code"
    if name not in text:
        return "has no row"
    number, fields = code[name]
    row_number, row_fields, meaning = text[name]
    if row_number != number:
        return "has number %s in the code" % (number or "(none)")
    if fields is not None and row_fields != (fields or "none"):
        return "has other fields in the code: %s" % (fields or "none")
    return None if meaning else "says nothing"


def main():
    code, text = described_by_code(), described_by_text()
    names = list(code) + [name for name in text if name not in code]
    problems = {name: problem_of(name, code, text) for name in names}
    if "--rows" in sys.argv:
        for name in code:
            if problems[name]:
                meaning = text.get(name, ("", "", ""))[2]
                print("| %s | `%s` | %s | %s |" % (code[name][0], name, code[name][1] or "none",
                                                   meaning))
        return 0
    print("1..%d" % len(names))
    for number, name in enumerate(names, 1):
        words = problems[name]
        print("%s %d - docs/protocol.md describes %s" % ("not ok" if words else "ok", number, name))
        if words:
            print("# %s %s" % (name, words))
    return 1 if any(problems.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
