#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The virtual machine is found on this machine as long as one daemon of it lives here, whoever
began it: by `here`, by a console that is started in the very moment of a death, by a second
pvmd."""
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import (Failure, Machine, Tap, end_on_signals, end_pid, is_alive, parent_of,
                     require_build, wait_until, words_of)

RACES = 12


def expect(condition, words):
    if not condition:
        raise Failure(words)


def here_of(machine):
    try:
        return os.readlink(machine.host_folder("x").parent / "here")
    except OSError:
        return ""


def machine_of(build, count):
    machine = Machine(build)
    machine.start()
    machine.add("local:%d" % (count - 1))
    wait_until(lambda: len(machine.host_names()) == count, "%d hosts" % count)
    return machine


def end(machine):
    machine.console("halt")
    machine.expect_nothing_left(10)


def survivor(build):
    """kill -9 of the master's daemon."""
    with machine_of(build, 3) as machine:
        others = {name: pid for name, pid in machine.daemons().items() if name != "h0"}
        os.kill(machine.master.pid, signal.SIGKILL)
        wait_until(lambda: here_of(machine) in others, "`here` names one that lives", 2)
        wait_until(lambda: sorted(machine.host_names()) == sorted(others),
                   "the console sees the others", 15, 0.2)
        expect(sorted(machine.daemons().values()) == sorted(others.values()),
               "and has not started another daemon: %s" % machine.daemons())
        outcome = machine.add("local")
        expect("1 successful" in outcome.out, "hosts can be added: %s" % outcome)
        end(machine)


def without_guardian(build):
    """The daemon and its guardian at once: nobody of them gives anything on."""
    with machine_of(build, 3) as machine:
        others = {name: pid for name, pid in machine.daemons().items() if name != "h0"}
        guardians = [p for p in machine.guardians() if parent_of(p) == machine.master.pid]
        for pid in guardians + [machine.master.pid]:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: sorted(machine.host_names()) == sorted(others),
                   "the console sees the others", 15, 0.2)
        wait_until(lambda: here_of(machine) in others, "`here` names one that lives", 15)
        machine.console("halt")
        wait_until(lambda: not machine.processes(), "all processes end", 10)


def at_that_moment(build):
    """Consoles that begin while the daemon that `here` names dies: none begins a machine of its
    own, all connect to one of the daemons that live."""
    with machine_of(build, RACES + 2) as machine:
        daemons = machine.daemons()
        for i in range(RACES):
            victim = here_of(machine)
            expect(victim in daemons, "`here` names a daemon: %r of %s" % (victim, daemons))
            os.kill(daemons.pop(victim), signal.SIGKILL)
            time.sleep(0.0004 * i)
            outcome = machine.console("version\nconf", 30)
            expect("DTID" in outcome.out, "a console connects: %s" % outcome)
            expect(all(name in daemons for name in machine.daemons()),
                   "no other machine was begun: %s" % machine.daemons())
            wait_until(lambda: sorted(machine.host_names()) == sorted(daemons), "the rest goes on",
                       15, 0.1)
        end(machine)


def second_master(build):
    with machine_of(build, 3) as machine:
        os.kill(machine.master.pid, signal.SIGKILL)
        outcome = machine.run([build.pvmd, "-nother"])
        expect(outcome.status == 1 and "already runs here" in outcome.err,
               "another one is refused: %s" % outcome)
        expect(outcome.out.strip() in [str(machine.host_folder(name) / "sock")
                                       for name in ("h0-1", "h0-2")],
               "and says where the living one is: %s" % outcome)
        wait_until(lambda: not machine.host_folder("other").exists(), "it leaves nothing", 5)
        wait_until(lambda: len(machine.host_names()) == 2, "two hosts stay", 15, 0.2)
        end(machine)


def leaving(build):
    """In order: deleted from another host."""
    with machine_of(build, 3) as machine:
        expect(here_of(machine) == "h0", "`here` names the first")
        machine.console("delete h0")
        wait_until(lambda: here_of(machine) in ("h0-1", "h0-2"), "`here` goes on", 10)
        wait_until(lambda: sorted(machine.host_names()) == ["h0-1", "h0-2"], "two hosts stay", 10,
                   0.2)
        end(machine)


def half_started(build, stop):
    """A new host whose master is not there: it ends with whoever started it."""
    with Machine(build) as machine:
        key = "11" * 32
        command = [build.pvmd, "-s", "-w", "-nhx", "-v", machine.vmid, "-j", "2:7",
                   "-m", "9:%s:[::ffff:127.0.0.1]:9" % key]
        front = machine.popen(command)
        line = front.stdout.readline().decode()
        expect("ddpro<" in line, "it answers: %r" % line)
        expect(machine.host_folder("hx").exists(), "it has its directory")
        time.sleep(0.1)
        expect(front.poll() is None, "what was started stays")
        expect(any(words_of(p)[1:2] == ["-s"] and is_alive(p) for p in machine.processes()),
               "the daemon waits")
        stop(front)
        machine.expect_nothing_left(2)
        expect(not list(machine.tmp.glob("pvm-*")), "its name is free")
        front.wait(5)


def close_output(front):
    front.stdout.close()
    front.stdout = None


def kill_front(front):
    end_pid(front.pid)


def main():
    build = require_build()
    end_on_signals()
    tap = Tap()
    for name, story in (
            ("after the master's death the others are found", lambda: survivor(build)),
            ("also when its guardian died with it", lambda: without_guardian(build)),
            ("consoles that begin as daemons die find the others", lambda: at_that_moment(build)),
            ("a second master is told of the first machine", lambda: second_master(build)),
            ("a master that leaves gives on its name", lambda: leaving(build)),
            ("a host that is not wanted any more ends: nobody reads its answer",
             lambda: half_started(build, close_output)),
            ("or its starter was killed", lambda: half_started(build, kill_front))):
        with tap.story(name):
            story()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
