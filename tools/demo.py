#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`make demo`: a virtual machine of four hosts draws a picture, and one host is killed on the way.

All of it is private (own PVM_TMP and PVM_VMID) and local: four daemons on this machine, no ssh, no
root. When it ends, on its own or by an interrupt, nothing is left but the picture; it looks and
says.
"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "lib"))
import pvmtest  # noqa: E402

HOSTS = 4
JOB_LIMIT_S = 300


def say(words):
    print("\n\033[1m%s\033[0m" % words if sys.stdout.isatty() else "\n" + words, flush=True)


def show_console(machine, commands):
    outcome = machine.console(commands, 60)
    print("\n".join(line for line in outcome.out.splitlines()
                    if line.strip() and line != "pvmd already running."), flush=True)
    if outcome.err.strip():
        print(outcome.err.strip(), file=sys.stderr)


def progress_of(path):
    """Share of the tiles that are done, 0.0 before the first."""
    try:
        done, tiles = path.read_text().split()
        return int(done) / int(tiles)
    except (OSError, ValueError):
        return 0.0


def victim_of(machine):
    """(name, pid) of the daemon to kill: any host but the master."""
    others = {name: pid for name, pid in machine.daemons().items() if name != machine.name}
    name = sorted(others)[-1]
    return name, others[name]


def draw(machine, picture):
    """Runs the job, kills one daemon at 40 %; the exit code of the job."""
    status = machine.tmp / "status"
    job = machine.popen([machine.build.examples / "picture", "-o", picture, "-s", status],
                        stdout=None, stderr=None, start_new_session=False)
    pvmtest.wait_until(lambda: progress_of(status) > 0.4 or job.poll() is not None,
                       "the picture is half done", JOB_LIMIT_S)
    if job.poll() is None:
        pvmtest.end_pid(victim_of(machine)[1])
    try:
        return job.wait(JOB_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise pvmtest.Failure("the job is not done after %d s" % JOB_LIMIT_S) from None


def demo(build, picture):
    with pvmtest.Machine(build, name="host1", prefix="pvm-demo-") as machine:
        say("A virtual machine: one daemon, and three more hosts on this computer")
        machine.start()
        show_console(machine, "add local:%d\nconf\nquit" % (HOSTS - 1))
        if len(machine.daemons()) != HOSTS:
            raise pvmtest.Failure("%d of %d hosts started; the log says:\n%s" %
                                  (len(machine.daemons()), HOSTS, machine.log()))
        say("They draw a picture. On the way kill -9 ends the daemon of %s" % victim_of(machine)[0])
        if draw(machine, picture) != 0:
            raise pvmtest.Failure("the job failed")
        say("The machine without the lost host, then its end")
        show_console(machine, "conf\nquit")
        machine.halt()
        machine.expect_nothing_left()
    say("Nothing is left of it: no process, no socket, no file but %s" % picture)


def main():
    pvmtest.end_on_signals()
    build = pvmtest.Build(sys.argv[1] if len(sys.argv) > 1 else "build")
    if build.missing():
        print("demo: %s; run `make build`" % build.missing(), file=sys.stderr)
        return 1
    picture = pathlib.Path(os.environ.get("PICTURE", "picture.png")).absolute()
    try:
        demo(build, picture)
    except pvmtest.Failure as problem:
        print("demo: %s" % problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
