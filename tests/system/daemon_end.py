#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How a daemon ends, and that nothing of it stays, whichever way it went (promise 7)."""
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import Failure, Machine, Tap, end_on_signals, is_alive, require_build, wait_until


def expect(condition, words):
    if not condition:
        raise Failure(words)


def script(machine, name, text):
    """A program that the daemon finds along its path."""
    path = machine.tmp / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    machine.env["PVM_PATH"] = str(path.parent)
    return path


def spawn(machine, program, count=1):
    outcome = machine.console("spawn -%d %s" % (count, program))
    expect("%d successful" % count in outcome.out, "the tasks start: %s" % outcome)


def pids_in(path):
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def by_signal(build, number):
    with Machine(build) as machine:
        machine.start()
        os.kill(machine.master.pid, number)
        machine.wait_for_master()
        machine.expect_nothing_left(2)
        expect(not list(machine.tmp.glob("pvm-*")), "no directory is left")


def ignored_signals(build):
    with Machine(build) as machine:
        machine.start()
        os.kill(machine.master.pid, signal.SIGHUP)
        os.kill(machine.master.pid, signal.SIGPIPE)
        outcome = machine.console("conf")
        expect("h0" in outcome.out, "it serves on: %s" % outcome)
        machine.halt()
        machine.expect_nothing_left(2)
        expect(not list(machine.tmp.glob("pvm-*")), "no directory is left after halt")


TASK = """#!/bin/sh
echo $$ >> %(pids)s
%(extra)s
sleep 600 &
echo $! >> %(pids)s
(setsid sleep 601 & echo $! >> %(pids)s)
wait
while :; do sleep 1; done
"""


def killed_with_tasks(build, end, extra=""):
    """Tasks with children and grandchildren, one of them in a session of its own."""
    with Machine(build) as machine:
        pids = machine.tmp / "pids"
        script(machine, "tree", TASK % {"pids": pids, "extra": extra})
        machine.start()
        spawn(machine, "tree", 2)
        wait_until(lambda: len(pids_in(pids)) == 6, "two tasks with two processes below each")
        end(machine)
        machine.wait_for_master()
        wait_until(lambda: not any(is_alive(p) for p in pids_in(pids)), "every process ends", 6)
        machine.expect_nothing_left(4)
        expect(not list(machine.tmp.glob("pvm-*")), "no directory is left")


def kill_daemon(machine):
    os.kill(machine.master.pid, signal.SIGKILL)


def terminate_daemon(machine):
    os.kill(machine.master.pid, signal.SIGTERM)


def halt(machine):
    machine.console("halt")


def killed_new_host(build):
    """kill -9 of a local host: its own guardian cleans up, the master goes on."""
    with Machine(build) as machine:
        pids = machine.tmp / "pids"
        script(machine, "tree", TASK % {"pids": pids, "extra": ""})
        machine.start()
        outcome = machine.add("local")
        others = [n for n in machine.host_names() if n != "h0"]
        expect(len(others) == 1, "a second host: %s" % outcome)
        machine.console("spawn -%s tree" % others[0])
        wait_until(lambda: len(pids_in(pids)) == 3, "a task there")
        os.kill(machine.daemons()[others[0]], signal.SIGKILL)
        wait_until(lambda: not any(is_alive(p) for p in pids_in(pids)), "its processes end", 6)
        wait_until(lambda: not machine.host_folder(others[0]).exists(), "its directory goes", 6)
        wait_until(lambda: machine.host_names() == ["h0"], "the master drops the host", 15, 0.5)
        machine.halt()
        machine.expect_nothing_left()


def guardian_killed(build):
    with Machine(build) as machine:
        machine.start()
        for pid in machine.guardians():
            os.kill(pid, signal.SIGKILL)
        machine.halt()
        machine.expect_nothing_left(2)


def same_name_again(build):
    """Deleted and added in one breath: the newcomer waits until the old one is put away."""
    with Machine(build) as machine:
        machine.start()
        for _ in range(5):
            outcome = machine.console("add local:3\ndelete h0-1 h0-2 h0-3\nadd local:3\nconf\n"
                                      "delete h0-1 h0-2 h0-3\n")
            expect(outcome.out.count("3 successful") == 4, "all come and go: %s" % outcome)
        machine.halt()
        machine.expect_nothing_left()


def main():
    build = require_build()
    end_on_signals()
    tap = Tap()
    stubborn = "trap '' TERM"
    for name, story in (
            ("SIGTERM ends it in order", lambda: by_signal(build, signal.SIGTERM)),
            ("SIGINT ends it in order", lambda: by_signal(build, signal.SIGINT)),
            ("SIGKILL leaves nothing", lambda: by_signal(build, signal.SIGKILL)),
            ("SIGHUP and SIGPIPE are ignored; halt leaves nothing", lambda: ignored_signals(build)),
            ("kill -9 ends tasks and what they started",
             lambda: killed_with_tasks(build, kill_daemon)),
            ("also tasks that ignore SIGTERM",
             lambda: killed_with_tasks(build, kill_daemon, stubborn)),
            ("SIGTERM ends tasks and what they started",
             lambda: killed_with_tasks(build, terminate_daemon, stubborn)),
            ("so does halt", lambda: killed_with_tasks(build, halt, stubborn)),
            ("kill -9 of a new host leaves nothing there", lambda: killed_new_host(build)),
            ("a host is deleted and added under the same name at once",
             lambda: same_name_again(build)),
            ("without its guardian a daemon still ends in order", lambda: guardian_killed(build))):
        with tap.story(name):
            story()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
