#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Threads in one task: threads.c tells each story; here it is run under a daemon and a time limit.
A story that hangs is a failure like any other."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402

STORIES = (
    ("first", "many first calls at once enrol one task"),
    ("own", "contexts, active buffers and errors belong to a thread"),
    ("tags", "each thread gets what is for it, while another looks without waiting"),
    ("share", "of what is for all, nothing is taken twice or lost"),
    ("handover", "when the thread that polls leaves, another polls"),
    ("times", "time-outs hold beside threads that wait for ever"),
    ("storm", "eight threads of each of two tasks send to all: once, in order"),
    ("large", "eight threads send more than the link takes at once"),
    ("handlers", "message handlers send, whichever thread takes the message in"),
    ("matcher", "a matcher is asked in all threads"),
    ("beginning", "a thread begins while the only other one is inside"),
    ("leaving", "pvm_exit ends the waiting of all"),
    ("signals", "a signal handler leaves, whatever its thread was doing"),
    ("forks", "children of a threaded task are tasks of their own"),
    ("cancel", "a cancelled thread takes nothing with it"),
    ("ends", "what a thread leaves active is freed at its end"),
)
STORY_LIMIT_S = 60
# For a build with the thread sanitizer: pvm_exit() in a handler allocates, and may where it
# interrupted nothing but a wait.
ENVIRONMENT = {"TSAN_OPTIONS": "report_signal_unsafe=0"}


def static_tls(library):
    """Whether |library| can only be loaded where its thread-local memory fits by chance."""
    shown = subprocess.run(["readelf", "-d", str(library)], stdout=subprocess.PIPE, text=True,
                           check=True).stdout
    return "STATIC_TLS" in shown


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    only = sys.argv[1:]
    try:
        tap.ok(not static_tls(build.lib / "libpvm3.so.3"), "the library may be loaded late")
    except OSError:
        tap.skip("the library may be loaded late", "no readelf")
    for name, words in STORIES:
        if only and name not in only:
            continue
        with pvmtest.Machine(build, ENVIRONMENT) as machine:
            with tap.story("%s: %s" % (name, words)):
                machine.start()
                outcome = machine.run([build.helpers / "threads", name], STORY_LIMIT_S)
                if outcome.out.startswith("skip "):
                    print("# skipped: " + outcome.out[5:].strip())
                    continue
                assert outcome.status == 0 and outcome.out.strip().endswith("ok"), outcome
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
