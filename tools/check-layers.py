#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks every #include of the source against tools/layers.txt, and prints TAP: one point a layer.

A layer may use its own headers, those of the layers in its line, and the public ones of include/.
A pure layer may use nothing of the system but ISO C headers without I/O, clock or signal; the
simulator, which is a program, may print. Exit 1 when any arrow points the wrong way.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ISO_C_PURE = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h",
              "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
              "stdlib.h", "string.h"}
# These format with vsnprintf, which is declared in stdio.h; the symbol check holds them to that.
STDIO_ALLOWED = {"src/base/str.c", "src/base/arena.c"}
PROGRAM_HEADERS = {"stdio.h", "time.h", "signal.h", "unistd.h", "sys/resource.h",
                   "sys/types.h", "sys/wait.h"}


def read_table(path):
    allowed, pure = {}, set()
    for line in path.read_text().splitlines():
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        name, users = line.split(":", 1)
        name = name.strip()
        if name.endswith("*"):
            name = name[:-1]
            pure.add(name)
        allowed[name] = set(users.split()) | {name}
    return allowed, pure


def folder_of(layer):
    return ROOT / layer if layer == "sim" else ROOT / "src" / layer


def problem_of(layer, path, quote, target, allowed, pure, public):
    """Words about one include, or None when it is in order."""
    name = path.relative_to(ROOT).as_posix()
    if quote == "<":
        if target in public or layer not in pure or target in ISO_C_PURE or name in STDIO_ALLOWED:
            return None
        if layer == "sim" and target in PROGRAM_HEADERS:
            return None
        return "a pure layer may not use <%s>" % target
    if target in public:
        return None
    if "/" not in target:
        return 'write the folder: "%s/%s"' % (layer, target)
    other = target.split("/", 1)[0]
    if other not in allowed:
        return "unknown layer in \"%s\"" % target
    if other not in allowed[layer]:
        return "%s may not use %s" % (layer, other)
    if not (folder_of(other).parent / target).exists():
        return "no such header: %s" % target
    return None


def check_layer(layer, allowed, pure, public):
    problems = []
    for path in sorted(folder_of(layer).rglob("*")):
        if path.suffix not in (".c", ".h", ".def"):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            problem = problem_of(layer, path, found.group(1), found.group(2), allowed, pure, public)
            if problem:
                problems.append("%s:%d: %s" % (path.relative_to(ROOT), number, problem))
    return problems


def main():
    allowed, pure = read_table(ROOT / "tools" / "layers.txt")
    public = {p.name for p in (ROOT / "include").glob("*.h")}
    folders = {p.name for p in (ROOT / "src").iterdir() if p.is_dir()}
    failed = 0
    print("1..%d" % (len(allowed) + 1))
    strangers = sorted(folders - set(allowed))
    failed += bool(strangers)
    print("%s 1 - every folder of src/ is in tools/layers.txt" % ("not ok" if strangers else "ok"))
    for name in strangers:
        print("# src/%s is in no line" % name)
    for number, layer in enumerate(allowed, 2):
        problems = check_layer(layer, allowed, pure, public)
        failed += bool(problems)
        print("%s %d - %s uses only what it may" % ("not ok" if problems else "ok", number, layer))
        for problem in problems:
            print("# " + problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
