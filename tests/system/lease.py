#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Nothing of a host acts any more when the others give it up: daemons are stopped, guardians
killed, hosts cut off, by a network that the test can cut (nemesis.py)."""
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import nemesis  # noqa: E402
from pvmtest import (Failure, Machine, Tap, end_on_signals, is_alive, parent_of,  # noqa: E402
                     require_build, wait_until)

HOSTS = 4
TASK = "#!/bin/sh\nexec sleep 600\n"


def expect(condition, words):
    if not condition:
        raise Failure(words)


class Bed:
    """Hosts with one task that sleeps on each; the console speaks to h0."""

    def __init__(self, build, dead_after_s, net=None):
        environment = {"PVM_DEAD_AFTER": "%g" % dead_after_s}
        environment.update(net.environment() if net else {})
        self.machine = Machine(build, environment)
        self.dead_after_s = dead_after_s * (4 if build.is_sanitized() else 1)
        path = self.machine.tmp / "bin" / "sleeper"
        path.parent.mkdir()
        path.write_text(TASK)
        path.chmod(0o755)
        self.machine.env["PVM_PATH"] = str(path.parent)

    def __enter__(self):
        self.machine.start()
        self.machine.add("local:%d" % (HOSTS - 1))
        wait_until(lambda: len(self.table()) == HOSTS, "%d hosts" % HOSTS, 20, 0.1)
        self.first = self.table()
        for name in self.first:
            self.machine.console("spawn -%s sleeper" % name)
        wait_until(lambda: len(self.machine.tasks("sleep")) == HOSTS, "a task on each")
        return self

    def __exit__(self, *unused):
        self.machine.__exit__()

    def table(self):
        return nemesis.table(self.machine)

    def task_of(self, name):
        daemon = self.machine.daemons()[name]
        return [p for p in self.machine.tasks("sleep") if parent_of(p) == daemon][0]

    def guardian_of(self, name):
        daemon = self.machine.daemons()[name]
        return [p for p in self.machine.guardians() if parent_of(p) == daemon][0]

    def when_out(self, name, limit_s):
        """Seconds on the clock when the others have given the host up."""
        wait_until(lambda: name not in self.table(), "%s is given up" % name, limit_s, 0.05)
        return time.monotonic()

    def end(self):
        self.machine.console("halt")
        self.machine.expect_nothing_left(10)


class Watch:
    """When a process ended; looked at every millisecond."""

    def __init__(self, pid):
        self.pid, self.ended_s, self.stop = pid, None, threading.Event()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        while is_alive(self.pid) and not self.stop.wait(0.001):
            pass
        if not self.stop.is_set():
            self.ended_s = time.monotonic()

    def done(self):
        self.stop.set()
        self.thread.join()
        return self.ended_s


@contextlib.contextmanager
def network(build):
    folder = tempfile.mkdtemp(prefix="pvmt-")
    net = nemesis.Net(build, folder, 1)
    try:
        yield net
    finally:
        net.close()
        shutil.rmtree(folder, ignore_errors=True)


def frozen_daemon(build):
    """SIGSTOP for longer than the lease: the guardian ends the task before the others give up."""
    with Bed(build, 2) as bed:
        daemon, task = bed.machine.daemons()["h0-2"], bed.task_of("h0-2")
        watch = Watch(task)
        began_s = time.monotonic()
        os.kill(daemon, signal.SIGSTOP)
        out_s = bed.when_out("h0-2", 20)
        ended_s = watch.done()
        expect(ended_s is not None, "its task has ended when it is given up")
        print("# dead after %g s: task ended after %.2f s, host out after %.2f s"
              % (bed.dead_after_s, ended_s - began_s, out_s - began_s))
        expect(ended_s <= out_s, "the task ended first")
        wait_until(lambda: not is_alive(daemon), "the daemon is killed", 5)
        wait_until(lambda: not bed.machine.host_folder("h0-2").exists(), "its directory goes", 5)
        outcome = bed.machine.add("local")
        expect("1 successful" in outcome.out, "its name is free: %s" % outcome)
        bed.end()


def short_stop(build):
    """3 s of 5: nothing happens."""
    with Bed(build, 5) as bed:
        tasks = sorted(bed.machine.tasks("sleep"))
        daemon = bed.machine.daemons()["h0-2"]
        os.kill(daemon, signal.SIGSTOP)
        time.sleep(3)
        os.kill(daemon, signal.SIGCONT)
        time.sleep(1.5)
        expect(bed.table() == bed.first, "the same hosts: %s" % bed.table())
        expect(sorted(bed.machine.tasks("sleep")) == tasks, "the same tasks")
        outcome = bed.machine.console("spawn -h0-2 sleeper")
        expect("1 successful" in outcome.out, "it works on: %s" % outcome)
        bed.end()


def frozen_host(build):
    """All of a host stops, as in a machine that sleeps: what wakes up is ended."""
    with Bed(build, 1) as bed:
        daemon, task, guardian = (bed.machine.daemons()["h0-2"], bed.task_of("h0-2"),
                                  bed.guardian_of("h0-2"))
        for pid in (daemon, guardian, task):
            os.kill(pid, signal.SIGSTOP)
        bed.when_out("h0-2", 20)
        expect(is_alive(task), "the task is there, stopped")
        for pid in (daemon, guardian, task):
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: not is_alive(task), "the task ends", 3, 0.002)
        wait_until(lambda: not is_alive(daemon) or
                   bed.table().get("h0-2", bed.first["h0-2"]) != bed.first["h0-2"],
                   "the daemon is another host, or none", 20, 0.1)
        bed.end()


def guardian_killed(build):
    """There is another one at once, and it does its work."""
    with Bed(build, 2) as bed:
        task, daemon, guardian = (bed.task_of("h0-2"), bed.machine.daemons()["h0-2"],
                                  bed.guardian_of("h0-2"))
        os.kill(guardian, signal.SIGTERM)
        os.kill(guardian, signal.SIGKILL)
        wait_until(lambda: [p for p in bed.machine.guardians()
                            if parent_of(p) == daemon and p != guardian], "another guardian", 5)
        began_s = time.monotonic()
        os.kill(daemon, signal.SIGKILL)
        wait_until(lambda: not is_alive(task), "the task ends", 2, 0.002)
        out_s = bed.when_out("h0-2", 20)
        expect(out_s - began_s < bed.dead_after_s, "the others were told: after %.2f s"
               % (out_s - began_s))
        bed.end()


def cut_off(build):
    """Cut off for long: its tasks end before the others give it up; healed, it is a host again,
    under its name, as another one."""
    with network(build) as net, Bed(build, 2, net) as bed:
        daemon, task = bed.machine.daemons()["h0-2"], bed.task_of("h0-2")
        face = net.face(daemon)
        expect(face is not None, "the relay knows the daemon")
        watch = Watch(task)
        began_s = time.monotonic()
        net.cut(face)
        net.cut("*", face)
        out_s = bed.when_out("h0-2", 20)
        ended_s = watch.done()
        expect(ended_s is not None and ended_s <= out_s, "its task had ended then")
        print("# dead after %g s: task ended after %.2f s, host out after %.2f s"
              % (bed.dead_after_s, ended_s - began_s, out_s - began_s))
        time.sleep(1)
        expect(is_alive(daemon), "the daemon lives: %s" % bed.machine.log("h0-2")[-500:])
        net.heal()
        wait_until(lambda: "h0-2" in bed.table(), "it is a host again: %s"
                   % bed.machine.log("h0-2")[-500:], 20, 0.2)
        expect(bed.table()["h0-2"] != bed.first["h0-2"], "with another number: %s" % bed.table())
        expect(bed.machine.daemons()["h0-2"] == daemon, "the same daemon")
        outcome = bed.machine.console("spawn -h0-2 sleeper")
        expect("1 successful" in outcome.out, "it runs tasks: %s" % outcome)
        expect("joins again" in bed.machine.log("h0-2"), "its log says so")
        bed.end()


def main():
    build = require_build()
    end_on_signals()
    tap = Tap()
    for name, story in (
            ("a stopped daemon's tasks end before it is given up", lambda: frozen_daemon(build)),
            ("a stop of 3 s changes nothing", lambda: short_stop(build)),
            ("a host that was stopped as a whole ends its tasks when it wakes",
             lambda: frozen_host(build)),
            ("a guardian that is killed is followed by another", lambda: guardian_killed(build))):
        with tap.story(name):
            story()
    name = "a host that was cut off comes back as another one"
    if nemesis.Net.reason_not(build):
        tap.skip(name, nemesis.Net.reason_not(build))
    else:
        with tap.story(name):
            cut_off(build)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
