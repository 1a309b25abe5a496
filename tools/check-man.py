#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks the manual pages and prints TAP: mandoc finds no fault, every function that a page names
is declared in include/pvm3.h, every declared function that the library has is in exactly one page,
and references between our pages lead somewhere.

What the library has it learns from the built libpvm3.so.3, so a call without a page is found when
the call is written.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = sorted(p for p in (ROOT / "docs" / "man").glob("*.[13578]"))
OTHERS = {"abort", "editline", "fork", "pthreads", "ssh"}


class Points:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, problems, name):
        self.count += 1
        self.failed += bool(problems)
        print("%s %d - %s" % ("not ok" if problems else "ok", self.count, name))
        for words in problems:
            print("# " + words)

    def skip(self, name, reason):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, reason))


def names_of(text):
    """Names in the NAME section."""
    section = text.split(".Sh NAME", 1)[1].split(".Sh ", 1)[0]
    return [line.split()[1] for line in section.splitlines() if line.startswith(".Nm ")]


def declared():
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "include" / "pvm3.h").read_text(), flags=re.S)
    return set(re.findall(r"\b(pvm_\w+)\s*\(", text))


def exported():
    """pvm_ functions of the built library, or None when it is not built."""
    library = pathlib.Path(os.environ.get("PVM_TEST_BUILD", "build"), "src/libpvm/libpvm3.so.3")
    if not library.exists() or not shutil.which("nm"):
        return None
    table = subprocess.run(["nm", "-D", "--defined-only", str(library)], stdout=subprocess.PIPE,
                           text=True).stdout
    return set(re.findall(r" T (pvm_\w+)", table))


def main():
    points = Points()
    texts = {page.name: page.read_text() for page in PAGES}
    for page in PAGES:
        if not shutil.which("mandoc"):
            points.skip(page.name + " is in order", "mandoc is not installed")
            continue
        run = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(page)],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        points.ok(run.stdout.splitlines(), page.name + " is in order")
    pages = {}
    for name, text in texts.items():
        for function in names_of(text):
            pages.setdefault(function, []).append(name)
    functions = declared()
    groups = {name.rsplit(".", 1)[0] for name in texts} | {"pvm_unpack", "pvm", "pvmd"}
    points.ok(["%s is in %s but not in pvm3.h" % (f, p) for f, p in sorted(pages.items())
               if f not in functions and f not in groups], "every function named exists")
    points.ok(["%s is in %s" % (f, p) for f, p in sorted(pages.items()) if len(p) > 1],
              "every function is in one page")
    built = exported()
    if built is None:
        points.skip("every function has a page", "the library is not built")
    else:
        points.ok(["%s has none" % f for f in sorted(functions & built) if f not in pages],
                  "every function has a page")
    known = set(pages) | groups | OTHERS
    points.ok(["%s refers to %s" % (name, word) for name, text in texts.items()
               for word in re.findall(r"\bXr (\w+) \d", text) if word not in known],
              "every reference leads somewhere")
    print("1..%d" % points.count)
    return 1 if points.failed else 0


if __name__ == "__main__":
    sys.exit(main())
