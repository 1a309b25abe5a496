#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that the documents do not point into the void, and prints TAP: links between files lead
somewhere, and every test that docs/invariants.md and docs/compatibility.md name exists."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


def broken_links(path):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
        if not (path.parent / target).exists():
            yield "%s: no file %s" % (path.relative_to(ROOT), target)


def test_exists(name):
    """Whether a word in backticks that looks like the name of a test is one; None if it is none."""
    if name.endswith(".py") and "/" not in name:
        return (TESTS / "system" / name).exists()
    if re.fullmatch(r"\w+/\w+_test", name):
        return (TESTS / "unit" / (name + ".c")).exists()
    if name.startswith("story_"):
        return (TESTS / "scenario" / (name[len("story_"):] + ".txt")).exists()
    if name.startswith("seeds_"):
        return name.rstrip("*") in (TESTS / "scenario" / "meson.build").read_text().replace(
            "'seeds_' + mix", "seeds_calm seeds_wire seeds_crashes seeds_")
    if name.startswith("ours/"):
        return any((TESTS / "conformance").glob(name + ".c"))
    return None  # something else


def missing_tests(path):
    text = path.read_text()
    for name in re.findall(r"`([^`\s]+)`", text):
        if test_exists(name) is False:
            yield "%s: no test %s" % (path.relative_to(ROOT), name)
    for name in re.findall(r"conformance/`([^`]+)`", text):
        if not any((TESTS / "conformance").glob(name + ".c")):
            yield "%s: no conformance program %s" % (path.relative_to(ROOT), name)


def missing_answers(path):
    """Names in the last column of a table that are neither system tests nor our own programs."""
    for row in re.findall(r"^\|.*\|$", path.read_text(), re.M):
        cells = row.strip("|").split("|")
        for name in re.findall(r"`(\w+)`", cells[-1]) if len(cells) == 3 else []:
            if not (TESTS / "conformance" / "ours" / (name + ".c")).exists():
                yield "%s: no program ours/%s" % (path.relative_to(ROOT), name)


def main():
    pages = [p for p in ROOT.glob("*.md")] + sorted((ROOT / "docs").rglob("*.md"))
    promises, differences = ROOT / "docs" / "invariants.md", ROOT / "docs" / "compatibility.md"
    checks = [
        ("links lead somewhere", [w for page in pages for w in broken_links(page)]),
        ("every promise names tests that exist", list(missing_tests(promises))),
        ("every difference names tests that exist",
         list(missing_tests(differences)) + list(missing_answers(differences))),
    ]
    print("1..%d" % len(checks))
    for number, (name, problems) in enumerate(checks, 1):
        print("%s %d - %s" % ("not ok" if problems else "ok", number, name))
        for words in problems:
            print("# " + words)
    return 1 if any(problems for _, problems in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
