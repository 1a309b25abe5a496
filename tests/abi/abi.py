#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks what programs compiled elsewhere rely on: names, sizes, layouts, constants, functions.

Ours against the lists in this folder always; against the original's header too where it is
installed (pvm-dev). Also that the archive hides everything but the interface: a program with
functions of our internal names links with it. Output is TAP.

  abi.py --cc CC --nm NM --readelf READELF --shared LIB --archive LIB --include DIR
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ORIGINAL = pathlib.Path("/usr/include/pvm3.h")
HEADERS = ["pvm3.h", "pvmproto.h", "pvmtev.h"]
# Surface ABI-10: name and size.
DATA_SIZES = {
    "pvm_errno": 4, "pvm_errlist": 296, "pvm_nerr": 4, "pvmtevinfo": 6104, "pvmtevdidlist": 1968,
    "pvmctrc": 68, "pvmtrc": 68, "pvmmytid": 4, "pvmmyptid": 4, "pvmmyupid": 4, "pvmmyctx": 4,
    "pvmmydsig": 4, "pvmschedtid": 4, "pvmautoerr": 4, "pvmdebmask": 4, "pvmrouteopt": 4,
    "pvmfrgsiz": 4, "pvmudpmtu": 4, "pvmrescode": 4, "pvmshowtaskid": 4, "pvmnoreset": 4,
    "pvmnoresetindex": 4, "pvmnsibs": 4, "pvmtoplvl": 4, "pvm_useruid": 4, "pvmsibtids": 8,
    "pvmmytaskname": 8, "pvmrbuf": 8, "pvmsbuf": 8, "pvmrxlist": 8, "pvmmboxclasses": 8,
    "waitlist": 8,
}
# Constants that the original derives from sizes of its own packets.
NOT_COMPARED = {"MAXHDR", "PVMTMPNAMLEN"}

count = 0
failed = 0


def check(passed, what, *details):
    global count, failed
    count += 1
    failed += not passed
    print("%sok %d - %s" % ("" if passed else "not ", count, what))
    for detail in [] if passed else details:
        for line in str(detail).splitlines()[:40]:
            print("#   " + line)
    return passed


def skip(what, why):
    global count
    count += 1
    print("ok %d - %s # SKIP %s" % (count, what, why))


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def names_of(path):
    return sorted(line.split()[0] for line in path.read_text().splitlines() if line[:1].isalpha())


def defined(arguments, library, *options):
    """Names and sizes of global definitions."""
    found = {}
    listing = run(arguments.nm, "-S", "-g", "--defined-only", *options, library).stdout
    for line in listing.splitlines():
        words = line.split()
        if len(words) >= 3:
            found[words[-1]] = int(words[1], 16) if len(words) == 4 else 0
    return found


def check_shared(arguments):
    exported = defined(arguments, arguments.shared, "-D")
    listed = names_of(HERE / "libpvm3.symbols")
    check(sorted(exported) == listed, "libpvm3.so exports the listed names",
          "more: %s" % sorted(set(exported) - set(listed)),
          "less: %s" % sorted(set(listed) - set(exported)))
    # Only a 64-bit machine has these sizes.
    if sys.maxsize > 2**32:
        wrong = {name: exported.get(name) for name, size in DATA_SIZES.items()
                 if exported.get(name) != size}
        check(not wrong, "data symbols have the original's sizes", wrong)
    dynamic = run(arguments.readelf, "-d", "-V", arguments.shared).stdout
    check("Library soname: [libpvm3.so.3]" in dynamic,
          "the name programs ask for is libpvm3.so.3", dynamic)
    check("Version definition section" not in dynamic, "no symbol has a version of ours", dynamic)
    needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
    known = r"(libc|ld-|libpthread|libdl|libasan|libubsan|libtsan)"
    check(all(re.match(known, name) for name in needed),
          "it needs the C library only", needed)
    # Every task loads it: a choice by the loader asks the processor, which takes long under a
    # hypervisor, also of tasks that never make use of it.
    relocations = run(arguments.readelf, "-r", "-W", arguments.shared).stdout
    chosen = re.findall(r".*_IRELATIV.*", relocations)
    check("Relocation section" in relocations and not chosen, "the loader chooses nothing in it",
          chosen)


PROGRAM = """
#include <stdio.h>
#include <pvm3.h>
int list_add(void), log_info(void), buf_new(void), heap_set(void), map_get(void), note(void);
int result(void), task_enrol(void), client_create(void);
int list_add(void) { return 1; }
int log_info(void) { return 1; }
int buf_new(void) { return 1; }
int heap_set(void) { return 1; }
int map_get(void) { return 1; }
int note(void) { return 1; }
int result(void) { return 1; }
int task_enrol(void) { return 1; }
int client_create(void) { return 1; }
int main(void)
{
    int value = 7, back = 0;
    const int own = list_add() + log_info() + buf_new() + heap_set() + map_get() + note() +
                    result() + task_enrol() + client_create();
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    pvm_setrbuf(pvm_getsbuf());
    pvm_upkint(&back, 1, 1);
    printf("%d %d\\n", own, back);
    return 0;
}
"""


def check_archive(arguments, directory):
    listed = names_of(HERE / "libpvm3.symbols")
    exported = sorted(defined(arguments, arguments.archive))
    check(exported == listed, "libpvm3.a shows the same names",
          "more: %s" % sorted(set(exported) - set(listed)),
          "less: %s" % sorted(set(listed) - set(exported)))
    source, program = directory / "own.c", directory / "own"
    source.write_text(PROGRAM)
    built = run(*arguments.cc, "-I" + arguments.include, "-o", program, source, arguments.archive)
    linked = "a program with functions of our names links with it"
    if check(built.returncode == 0, linked, built.stderr):
        ran = run(program)
        check(ran.stdout == "9 7\n", "and both are called", ran.stdout, ran.stderr)


def macros(arguments, include, directory):
    """Macros without parameters that the headers define, in the order of their names."""
    source = directory / "macros.c"
    source.write_text("#include <stdio.h>\n#include <sys/time.h>\n" +
                      "".join('#include "%s/%s"\n' % (include, header) for header in HEADERS))
    base = directory / "base.c"
    base.write_text("#include <stdio.h>\n#include <sys/time.h>\n")
    found = []
    for text in (source, base):
        out = run(*arguments.cc, "-E", "-dM", text).stdout
        found.append(dict(re.findall(r"^#define (\w+) (.+)$", out, re.M)))
    return {name: value for name, value in found[0].items() if name not in found[1]}


def values(arguments, include, names, directory):
    """What each macro is worth, as a program sees it."""
    source, program = directory / "values.c", directory / "values"
    lines = ['#include <stdio.h>', '#include <sys/time.h>']
    lines += ['#include "%s/%s"' % (include, header) for header in HEADERS]
    lines += ['#define SHOW(x) _Generic((x), char *: show_text, default: show_number)(#x, (x))',
              'static void show_text(const char *n, ...);',
              'static void show_number(const char *n, ...);',
              '#include <stdarg.h>',
              'static void show_text(const char *n, ...) { va_list a; va_start(a, n);'
              ' printf("%s %s\\n", n, va_arg(a, char *)); va_end(a); }',
              'static void show_number(const char *n, ...) { va_list a; va_start(a, n);'
              ' printf("%s %d\\n", n, va_arg(a, int)); va_end(a); }']
    lines += ['static void each_%d(void) { printf("%s="); SHOW(%s); }' % (i, name, name)
              for i, name in enumerate(names)]
    lines += ["int main(void) {"] + ["each_%d();" % i for i in range(len(names))] + ["return 0; }"]
    source.write_text("\n".join(lines))
    built = run(*arguments.cc, "-w", "-o", program, source)
    if built.returncode != 0:
        return {"error": built.stderr}
    found = {}
    for line in run(program).stdout.splitlines():
        name, value = line.split("=", 1)
        found[name] = value.split(" ", 1)[-1]
    return found


def prototypes(arguments, include, directory):
    """Our declarations of functions, one text each."""
    source = directory / "prototypes.c"
    source.write_text("#include <stdio.h>\n" + "".join('#include "%s/%s"\n' % (include, header)
                                                      for header in HEADERS))
    lines = run(*arguments.cc, "-E", source).stdout.splitlines()
    ours, keep = [], False
    for line in lines:
        marker = re.match(r'# \d+ "(.*?)"', line)
        if marker:
            keep = marker.group(1).startswith(str(include))
        elif keep:
            ours.append(line)
    text = re.sub(r"\s+", " ", " ".join(ours))
    return re.findall(r"((?:int|void|char \*|int \(\*)\s?\w+\([^;{}]*\)[^;{}]*;)", text)


LAYOUTS = {
    "pvmhostinfo": ["hi_tid", "hi_name", "hi_arch", "hi_speed", "hi_dsig"],
    "pvmtaskinfo": ["ti_tid", "ti_ptid", "ti_host", "ti_flag", "ti_a_out", "ti_pid"],
    "pvmminfo": ["len", "ctx", "tag", "wid", "enc", "crc", "src", "dst"],
    "pvmmboxinfo": ["mi_name", "mi_nentries", "mi_indices", "mi_owners", "mi_flags"],
    "Pvmtracer": ["trctid", "trcctx", "trctag", "outtid", "outctx", "outtag", "trcbuf", "trcopt",
                  "tmask"],
    "Pvmtevinfo": ["name", "desc_status", "mark", "total", "count"],
    "Pvmtevdid": ["did", "desc"],
}
# Surface ABI-11 to ABI-15, in the order above: size, then each offset.
LAYOUTS_64 = """32 0 8 16 24 28
32 0 4 8 12 16 24
32 0 4 8 12 16 20 24 28
40 0 8 16 24 32
68 0 4 8 12 16 20 24 28 32
56 0 8 16 32 48
16 0 8
"""


def layouts(arguments, include, directory):
    source, program = directory / "layouts.c", directory / "layouts"
    lines = ["#include <stdio.h>", "#include <stddef.h>", "#include <sys/time.h>"]
    lines += ['#include "%s/%s"' % (include, header) for header in HEADERS] + ["int main(void) {"]
    for name, fields in LAYOUTS.items():
        lines.append('printf("%%zu", sizeof(struct %s));' % name)
        lines += ['printf(" %%zu", offsetof(struct %s, %s));' % (name, field) for field in fields]
        lines.append('puts("");')
    source.write_text("\n".join(lines + ["return 0; }"]))
    built = run(*arguments.cc, "-w", "-o", program, source)
    return run(program).stdout if built.returncode == 0 else built.stderr


def check_headers(arguments, directory):
    if sys.maxsize > 2**32:
        ours = layouts(arguments, arguments.include, directory)
        check(ours == LAYOUTS_64, "structures have the known layouts", ours)
    for language, flags in (("c", ["-std=c99", "-pedantic"]), ("c++", [])):
        source = directory / ("each." + language.replace("+", "p"))
        source.write_text("".join('#include "%s"\n' % header for header in HEADERS) +
                          "#include <stdio.h>\nint main(void) { return 0; }\n")
        compiler = arguments.cxx if language == "c++" else arguments.cc
        if not compiler:
            skip("the headers are good " + language, "no compiler")
            continue
        built = run(*compiler, *flags, "-Wall", "-Wextra", "-Werror", "-I" + arguments.include,
                    "-fsyntax-only", source)
        check(built.returncode == 0, "the headers are good %s, without stdio before" % language,
              built.stderr)


def check_original(arguments, directory):
    what = ["every constant is worth what it is in the original",
            "structures are laid out as there", "functions are declared as there"]
    if not ORIGINAL.exists() or "3.4.6" not in ORIGINAL.read_text(errors="replace"):
        for text in what:
            skip(text, "the original's headers are not installed")
        return
    theirs = ORIGINAL.parent
    names = sorted(name for name in macros(arguments, theirs, directory)
                   if not name.startswith("_") and name not in NOT_COMPARED)
    known = macros(arguments, arguments.include, directory)
    names = [name for name in names if name in known or name.startswith(("Pvm", "PVM_", "TEV_"))]
    original = values(arguments, theirs, names, directory)
    ours = values(arguments, arguments.include, names, directory)
    differ = {name: (original.get(name), ours.get(name)) for name in set(original) | set(ours)
              if original.get(name) != ours.get(name)}
    check(len(original) > 200 and not differ, "%s (%d)" % (what[0], len(original)), differ,
          original.get("error", ""))
    check(layouts(arguments, theirs, directory) ==
          layouts(arguments, arguments.include, directory), what[1])
    # The original declares what pvm_recvf() returns as a function of a function: a slip there.
    declared = [text for text in prototypes(arguments, arguments.include, directory)
                if "pvm_recvf" not in text]
    source = directory / "both.c"
    source.write_text("#include <stdio.h>\n" + "".join('#include "%s/%s"\n' % (theirs, header)
                                                      for header in HEADERS) + "\n".join(declared))
    built = run(*arguments.cc, "-fsyntax-only", source)
    check(len(declared) > 100 and built.returncode == 0, "%s (%d)" % (what[2], len(declared)),
          built.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("nm", "readelf", "shared", "archive", "include"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--cc", required=True, type=str.split)
    parser.add_argument("--cxx", default=[], type=str.split)
    arguments = parser.parse_args()
    arguments.include = os.path.realpath(arguments.include)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        check_shared(arguments)
        check_archive(arguments, directory)
        check_headers(arguments, directory)
        check_original(arguments, directory)
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
