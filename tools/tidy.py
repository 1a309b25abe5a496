#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Taste that a machine can check, so that nobody has to argue about it: TAP, one point a rule.

Looks at every file of the tree that is code or a script. A rule is a function that takes a file and
yields (line number, words). What a rule bans, it names the replacement of.
"""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 800
SKIPPED_FOLDERS = {".git", "expected", "corpus", "__pycache__", "golden"}
PURE = ("src/base", "src/wire", "src/link", "src/log", "src/core", "src/client")
LICENCE = "SPDX-License-Identifier: BSD-3-Clause"

BANNED = {
    "strcpy": "str_copy", "strcat": "strbuf_add or str_format", "strncpy": "str_copy",
    "strncat": "str_format", "sprintf": "str_format or snprintf", "vsprintf": "str_format_args",
    "gets": "fgets", "strtok": "strcspn and strspn", "atoi": "str_to_i64", "atol": "str_to_i64",
    "rand": "base/rng.h", "srand": "base/rng.h", "random": "base/rng.h",
    "drand48": "base/rng.h", "lrand48": "base/rng.h",
    "system": "posix_spawn with arguments", "popen": "posix_spawn with a pipe",
    "alloca": "an array or mem_alloc", "tmpnam": "mkstemp", "tempnam": "mkstemp",
    "mktemp": "mkstemp", "ctime": "strftime", "asctime": "strftime", "gmtime": "gmtime_r",
    "localtime": "localtime_r", "signal": "sigaction", "select": "poll",
    "gethostbyname": "getaddrinfo", "inet_ntoa": "inet_ntop", "inet_addr": "inet_pton",
    "setjmp": "a return value", "longjmp": "a return value", "assert": "CHECK",
}
BANNED_PURE = {
    "malloc": "mem_alloc", "calloc": "mem_calloc", "realloc": "mem_realloc", "free": "mem_free",
    "strdup": "mem_strdup", "printf": "log_line", "fprintf": "log_line", "getenv": "an argument",
    "time": "now_ns as an argument", "clock_gettime": "now_ns as an argument",
}
# Programs for users: they have nothing but the public API and the C library, so no base/str.h.
PLAIN_C_FOLDERS = ("examples/", "tests/", "bench/")
ALLOWED_THERE = {"atoi", "atol", "strcpy", "strncat", "assert", "system", "signal", "select",
                 "rand", "srand"}


class File:
    def __init__(self, path):
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.text = path.read_text(errors="replace")
        self.lines = self.text.splitlines()
        self.is_c = path.suffix in (".c", ".h", ".def")
        self.bare = without_comments(self.text).splitlines() if self.is_c else self.lines


def without_comments(text):
    """The C text with comments and string contents blanked, line numbers kept."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found.group(0))
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def files():
    for folder, names, entries in os.walk(ROOT):
        names[:] = [n for n in sorted(names)
                    if n not in SKIPPED_FOLDERS and not n.startswith("build")]
        for entry in sorted(entries):
            path = pathlib.Path(folder) / entry
            if path.suffix in (".c", ".h", ".def", ".py", ".sh", ".build") or is_script(path):
                yield File(path)


def is_script(path):
    if path.suffix or path.name in ("Makefile", "LICENSE") or path.name.startswith("."):
        return path.name == "run"
    try:
        with path.open("rb") as stream:
            return stream.read(2) == b"#!"
    except OSError:
        return False


def rule_line_length(file):
    for number, line in enumerate(file.lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            yield number, "%d columns" % len(line)


def rule_file_length(file):
    if len(file.lines) > FILE_LINES_MAX:
        yield len(file.lines), "%d lines: two ideas, two files" % len(file.lines)


def rule_white_space(file):
    for number, line in enumerate(file.lines, 1):
        if line != line.rstrip():
            yield number, "blanks at the end"
        if "\t" in line:
            yield number, "a tab: write 4 spaces, or \\t"
    if file.text and not file.text.endswith("\n"):
        yield len(file.lines), "no newline at the end"


def rule_licence(file):
    if file.path.suffix == ".build" or not file.lines:
        return
    if LICENCE not in "\n".join(file.lines[:2]):
        yield 1, "starts without " + LICENCE


def rule_head(file):
    """After the licence one paragraph: what the file is, what it is not, where to read next."""
    if file.name == "include/fpvm3.h":
        return  # Fortran
    if file.path.suffix in (".c", ".h", ".def"):
        head = re.match(r"/\* %s( \*/\n/\*|\n \*)" % re.escape(LICENCE), file.text)
        if not head:
            yield 2, "no comment that says what this file is"
    elif file.path.suffix == ".py" and file.lines:
        if not re.match(r'(#[^\n]*\n)*\s*r?"""', file.text):
            yield 2, "no docstring that says what this file is"


def rule_banned(file):
    if not file.is_c or file.name.startswith("include/"):
        return
    pure = file.name.startswith(PURE) and file.name != "src/base/mem.c"
    plain = file.name.startswith(PLAIN_C_FOLDERS)
    for number, line in enumerate(file.bare, 1):
        for word in re.findall(r"(?<![\w.>])(\w+)\s*\(", line):
            if word in BANNED and not (plain and word in ALLOWED_THERE):
                yield number, "%s(): use %s" % (word, BANNED[word])
            elif pure and word in BANNED_PURE:
                yield number, "%s(): use %s" % (word, BANNED_PURE[word])


def rule_unfinished(file):
    for number, line in enumerate(file.lines, 1):
        if re.search(r"\b(TODO|FIXME|XXX)(:|\s+\w|$)", line):
            yield number, "unfinished: finish it, or write an issue"


def rule_include_order(file):
    """Own header, then the project's, then the system's, each group apart by an empty line."""
    if not file.is_c:
        return
    seen_system = 0
    for number, line in enumerate(file.lines, 1):
        found = re.match(r'#include ([<"])', line)
        if not found:
            continue
        if found.group(1) == "<":
            seen_system = number
        elif seen_system and file.name.startswith(("src/", "sim/")) and ".def" not in line:
            yield number, "project headers come before those of the system"


RULES = [
    ("lines have at most %d columns" % LINE_COLUMNS_MAX, rule_line_length),
    ("files have at most %d lines" % FILE_LINES_MAX, rule_file_length),
    ("no tabs, no blanks at line ends", rule_white_space),
    ("every file names its licence first", rule_licence),
    ("every file says what it is", rule_head),
    ("no banned function", rule_banned),
    ("nothing is marked unfinished", rule_unfinished),
    ("headers are included in order", rule_include_order),
]


def main():
    tree = list(files())
    failed = 0
    print("1..%d" % len(RULES))
    for number, (name, rule) in enumerate(RULES, 1):
        found = ["%s:%d: %s" % (f.name, line, words) for f in tree for line, words in rule(f)]
        failed += bool(found)
        print("%s %d - %s" % ("not ok" if found else "ok", number, name))
        for line in found:
            print("# " + line)
    print("# %d files looked at" % len(tree))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
