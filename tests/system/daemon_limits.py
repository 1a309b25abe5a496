#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A daemon at the end of what it has: descriptors, memory, room for names; it starts, or says why
not, and nothing of it stays. And that one with nothing to do does nothing."""
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import Failure, Machine, Tap, end_on_signals, read_proc, require_build, wait_until

LITTLE_MEMORY_KIB = 120 * 1024
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


def start_or_words(machine, what):
    """Starts a daemon that may fail, but in order; ends it with kill -9. True = it started."""
    with open(machine.tmp / "tight.err", "wb") as errors:
        daemon = machine.popen([machine.build.pvmd, "-nh0"], stderr=errors)
    ready, _, _ = select.select([daemon.stdout], [], [], 20)
    expect(ready, "%s: it starts or ends" % what)
    line = os.read(daemon.stdout.fileno(), 4096).decode().strip()
    words = (machine.tmp / "tight.err").read_text(errors="replace").strip()
    if line:
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.wait(5)
    else:
        expect(daemon.wait(10) > 0,
               "%s: no crash: status %d, %s" % (what, daemon.returncode, words))
        expect(words, "%s: it says why" % what)
    wait_until(lambda: not machine.leftovers() and not list(machine.tmp.glob("**/pvm-*")),
               "%s: nothing is left (%s)" % (what, words), 10)
    daemon.stdout.close()
    machine.children.remove(daemon)
    return bool(line)


def tight(build, option, values):
    """From far too little to enough: at first it does not start, at last it does."""
    started = []
    with Machine(build) as machine:
        for value in values:
            machine.wrap = ["sh", "-c", "ulimit -%s %d; exec \"$@\"" % (option, value), "sh"]
            started.append(start_or_words(machine, "ulimit -%s %d" % (option, value)))
    expect(started[-1], "with %d it starts" % values[-1])
    print("# ulimit -%s: starts from %d on" % (option, values[started.index(True)]))


def few_names(build):
    """A file system with room for so many names: directories, lock, log, socket, `here`."""
    started = []
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    with Machine(build) as machine:
        small = machine.tmp / "small"
        small.mkdir()
        machine.env["PVM_TMP"] = str(small)
        for count in range(1, 12):
            script = ("mount -t tmpfs -o nr_inodes=%d,mode=700 small \"$PVM_TMP\" || exit 77; "
                      "exec \"$@\"" % count)
            machine.wrap = ["unshare"] + root + ["--mount", "sh", "-c", script, "sh"]
            started.append(start_or_words(machine, "room for %d names" % count))
    expect(not started[0] and started[-1], "it needs some and not many: %s" % started)


def busy_in_little_memory(build):
    """Tasks until no memory is left to the daemon: an error for who asks, and it serves on."""
    with Machine(build) as machine:
        script(machine, "sleeper", "#!/bin/sh\nulimit -v unlimited\nexec sleep 600\n")
        machine.wrap = ["sh", "-c", "ulimit -v %d; exec \"$@\"" % LITTLE_MEMORY_KIB, "sh"]
        machine.start()
        machine.wrap = []
        for _ in range(8):
            outcome = machine.console("spawn -500 sleeper", 60)
            found = re.search(r"(\d+) successful", outcome.out)
            if not found or int(found.group(1)) < 500:
                break
        expect(machine.master.poll() is None, "the daemon lives: %s" % machine.master_end())
        expect("h0" in machine.host_names(), "it answers")
        machine.halt()
        machine.expect_nothing_left(20)


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
                        ("few descriptors: it starts or says why not",
                         lambda build: tight(build, "n", list(range(3, 40)) + [64])),
                        ("an idle daemon sleeps", idle),
                        ("a host is started by hand", by_hand)):
        with tap.story(name):
            story(build)
    if build.is_sanitized():
        tap.skip("little memory: it starts or says why not", "a sanitizer takes terabytes")
    else:
        with tap.story("little memory: it starts or says why not"):
            tight(build, "v", list(range(2048, 40000, 1024)) + [100000, 200000])
        with tap.story("a daemon that can have no more memory serves on"):
            busy_in_little_memory(build)
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    if shutil.which("unshare") and subprocess.run(["unshare"] + root + ["--mount", "true"],
                                                  stderr=subprocess.DEVNULL).returncode == 0:
        with tap.story("no room for names: it starts or says why not"):
            few_names(build)
    else:
        tap.skip("no room for names: it starts or says why not", "no mounts of our own here")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
