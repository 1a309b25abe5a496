#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A daemon at the end of what it has: descriptors, and that one with nothing to do does nothing."""
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import Failure, Machine, Tap, end_on_signals, read_proc, require_build, wait_until

IDLE_WATCH_S, WAKEUPS_PER_S_MAX = 3, 5


def expect(condition, words):
    if not condition:
        raise Failure(words)


def script(machine, name, text):
    path = machine.tmp / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    machine.env["PVM_PATH"] = str(path.parent)


def few_descriptors(build):
    """Tasks beyond what the daemon can watch are refused with an error; the others and it go on."""
    with Machine(build) as machine:
        script(machine, "sleeper", "#!/bin/sh\nexec sleep 600\n")
        machine.wrap = ["sh", "-c", "ulimit -n 60; exec \"$@\"", "sh"]
        machine.start()
        machine.wrap = []
        outcome = machine.console("spawn -60 sleeper", 60)
        found = re.search(r"(\d+) successful", outcome.out)
        expect(found and 0 < int(found.group(1)) < 60, "some start, some do not: %s" % outcome)
        expect("resources" in outcome.out.lower(), "they are out of resources: %s" % outcome)
        started = int(found.group(1))
        wait_until(lambda: len(machine.tasks("sleep")) == started, "those that started run")
        machine.halt()
        machine.expect_nothing_left()


def soft_limit(build):
    """The daemon takes what it may have; its tasks get what it was given."""
    with Machine(build) as machine:
        script(machine, "sleeper", "#!/bin/sh\nulimit -S -n\nexec sleep 600\n")
        machine.wrap = ["sh", "-c", "ulimit -S -n 100; exec \"$@\"", "sh"]
        machine.start()
        machine.wrap = []
        outcome = machine.console("spawn -150 sleeper", 60)
        expect("150 successful" in outcome.out, "more than the soft limit start: %s" % outcome)
        wait_until(lambda: machine.log().count("] 100\n") == 150, "all have the limit of the user")
        machine.halt()
        machine.expect_nothing_left()


def few_tasks(build):
    with Machine(build) as machine:
        script(machine, "sleeper", "#!/bin/sh\nexec sleep 600\n")
        machine.env["PVM_MAX_TASKS"] = "5"
        machine.start()
        outcome = machine.console("spawn -9 sleeper", 60)
        found = re.search(r"(\d+) successful", outcome.out)
        expect(found and int(found.group(1)) <= 5, "PVM_MAX_TASKS holds: %s" % outcome)
        machine.halt()
        machine.expect_nothing_left()


def switches(pid):
    found = re.search(rb"\nvoluntary_ctxt_switches:\s*(\d+)", read_proc(pid, "status"))
    return int(found.group(1)) if found else 0


def idle(build):
    with Machine(build) as machine:
        machine.start()
        expect("1 successful" in machine.add("local").out, "a second host")
        daemons = machine.daemons()
        expect(len(daemons) == 2, "two daemons: %s" % daemons)
        wait_until(lambda: not machine.tasks("pvm"), "the console is gone")
        # Two counts with nothing but time between; the first second is what just ended.
        time.sleep(1)
        before = {pid: switches(pid) for pid in daemons.values()}
        time.sleep(IDLE_WATCH_S)
        for name, pid in daemons.items():
            rate = (switches(pid) - before[pid]) / IDLE_WATCH_S
            expect(rate <= WAKEUPS_PER_S_MAX, "%s wakes up %.1f times a s" % (name, rate))
        machine.halt()
        machine.expect_nothing_left()


def by_hand(build):
    """so=ms: the command that is asked for, typed by this test, joins the host."""
    with Machine(build) as machine:
        hostfile = machine.tmp / "hosts"
        hostfile.write_text("$byhand ip=127.0.0.1 so=ms\n")
        machine.master = machine.popen([build.pvmd, "-nh0", hostfile], stdin=-1)
        os.set_blocking(machine.master.stderr.fileno(), False)
        said = []

        def question():
            said.append((machine.master.stderr.read() or b"").decode())
            return "Type response" in "".join(said)
        wait_until(question, "the question")
        text = "".join(said)
        expect("*** Manual startup ***" in text and "127.0.0.1" in text, "what to do: " + text)
        command = [line for line in text.splitlines() if " -S " in line][0]
        outcome = machine.run(["sh", "-c", command])
        expect("ddpro<" in outcome.out, "the new daemon answers: %s" % outcome)
        machine.master.stdin.write(outcome.out.encode())
        machine.master.stdin.flush()
        wait_until(lambda: "byhand" in machine.host_names(), "the host joins", 20, 0.3)
        machine.halt()
        machine.expect_nothing_left()


def main():
    build = require_build()
    end_on_signals()
    tap = Tap()
    for name, story in (("without descriptors a spawn is refused", few_descriptors),
                        ("the soft limit of descriptors is the tasks'", soft_limit),
                        ("PVM_MAX_TASKS is a limit", few_tasks),
                        ("an idle daemon sleeps", idle),
                        ("a host is started by hand", by_hand)):
        with tap.story(name):
            story(build)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
