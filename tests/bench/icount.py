#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hot calls need no more instructions than the baseline of their compiler says: TAP.

    icount.py                   compares the build in PVM_TEST_BUILD (or build) with icount.json
    icount.py --renew BUILD     writes what BUILD needs now as the baseline of its compiler

Growth by more than GROWTH_PERCENT fails: either it is not wanted, or the baseline is renewed in the
commit that explains it. How it is counted, and that it is exact: icount.c. Builds of other
compilers, architectures or options have no baseline and are skipped.
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import pvmtest  # noqa: E402

BASELINE = HERE / "icount.json"
GROWTH_PERCENT = 10
SKIPPED = 77
LIMIT_S = 100


def key_of(build):
    """What decides how many instructions there are, as one word for the baseline."""
    path = build.folder / "tests" / "bench" / "icount.key"
    if not path.exists():
        pvmtest.skip_all("this platform has no stepping by instructions")
    return path.read_text().strip()


def count(build):
    """{call: [instructions, departures]} as measured in a machine of its own."""
    with pvmtest.Machine(build) as machine:
        machine.start()
        outcome = machine.run([build.folder / "tests" / "bench" / "icount"], LIMIT_S)
        machine.halt()
    if outcome.status == SKIPPED:
        pvmtest.skip_all("processes may not be traced here")
    if outcome.status != 0:
        raise pvmtest.Failure("icount %s" % outcome)
    rows = [line.split(" ", 2) for line in outcome.out.splitlines()]
    return {name: [float(instructions), float(departures)]
            for instructions, departures, name in rows}


def renew(build):
    stored = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    stored[key_of(build)] = count(build)
    lines = []
    for key, calls in sorted(stored.items()):
        rows = ",\n".join("  %s: %s" % (json.dumps(name), json.dumps(both))
                          for name, both in calls.items())
        lines.append("%s: {\n%s\n }" % (json.dumps(key), rows))
    BASELINE.write_text("{\n " + ",\n ".join(lines) + "\n}\n")
    print("renewed: %s" % key_of(build))


def compare(build):
    key = key_of(build)
    baseline = json.loads(BASELINE.read_text()).get(key)
    if not baseline:
        pvmtest.skip_all("no baseline for " + key)
    tap = pvmtest.Tap()
    found = {}
    with tap.story("the calls are counted"):
        found = count(build)
    for name, was in baseline.items():
        now = found.get(name, [float("inf")] * 2)
        grown = any(a > b * (1 + GROWTH_PERCENT / 100) for a, b in zip(now, was))
        tap.ok(not grown, "%s: %g instructions, %g departures" % (name, *now),
               "the baseline says %g and %g (%s)" % (*was, key),
               "if that is meant, in the same commit: tests/bench/icount.py --renew BUILD")
    return tap.done()


def main():
    pvmtest.end_on_signals()
    if sys.argv[1:2] == ["--renew"] and len(sys.argv) == 3:
        renew(pvmtest.Build(sys.argv[2]))
        return 0
    return compare(pvmtest.require_build())


if __name__ == "__main__":
    sys.exit(main())
