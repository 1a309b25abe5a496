#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 of tasks, daemons and consoles, 200 times at random: the others go on, and at the end
nothing is left. The seed is printed; give it as argument to repeat the order of the kills."""
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402

KILLS = 200
DAEMON_KILLS = 14
CONSOLE_KILLS = 20
HOSTS = 4
RECOVERY_LIMIT_S = 40


class Job:
    """The program chaos.c and what it says of itself."""

    def __init__(self, machine):
        self.machine = machine
        self.file = machine.tmp / "status"
        self.process = machine.popen([machine.build.helpers / "chaos", self.file])

    def status(self):
        """(rounds, hosts, workers, echoes)"""
        try:
            return tuple(int(word) for word in self.file.read_text().split())
        except (OSError, ValueError):
            return (0, 0, 0, 0)

    def expect_steady(self, hosts):
        """Waits until a whole round went with all workers of so many hosts."""
        begin = self.status()[0]

        def steady():
            if self.process.poll() is not None:
                raise pvmtest.Failure("the job ended: %s" %
                                      self.process.stdout.read().decode(errors="replace"))
            rounds, in_table, workers, _ = self.status()
            return rounds >= begin + 2 and in_table == hosts and workers == 2 * hosts
        pvmtest.wait_until(steady, "the job is whole again, it says %s" % (self.status(),),
                           RECOVERY_LIMIT_S)


def kill_task(machine, job, chance):
    victims = [pid for pid in machine.tasks("chaos") if pid != job.process.pid]
    pvmtest.end_pid(chance.choice(sorted(victims)))


def kill_daemon(machine, _job, chance):
    others = sorted(pid for name, pid in machine.daemons().items() if name != machine.name)
    pvmtest.end_pid(chance.choice(others))
    pvmtest.wait_until(lambda: len(machine.host_names()) == HOSTS - 1, "the host is out", 40, 0.2)
    outcome = machine.add("local")
    if "1 successful" not in outcome.out:
        raise pvmtest.Failure("no new host: %s" % outcome)


def kill_console(machine, _job, chance):
    console = machine.popen([machine.build.pvm], stdin=-1)
    console.stdin.write(b"conf\n")
    console.stdin.flush()
    time.sleep(chance.random() * 0.05)
    console.kill()
    console.wait()


def go_on(tap, build, seed):
    chance = random.Random(seed)
    plan = [kill_daemon] * DAEMON_KILLS + [kill_console] * CONSOLE_KILLS
    plan += [kill_task] * (KILLS - len(plan))
    chance.shuffle(plan)
    with pvmtest.Machine(build) as machine:
        machine.start()
        machine.add("local:%d" % (HOSTS - 1))
        job = Job(machine)
        job.expect_steady(HOSTS)
        done = 0
        with tap.story("%d kills, and the others go on" % KILLS):
            for step in plan:
                step(machine, job, chance)
                time.sleep(chance.random() * 0.05)
                if step is kill_daemon:
                    job.expect_steady(HOSTS)
                done += 1
            job.expect_steady(HOSTS)
        print("# %d kills, job says %s" % (done, job.status()))
        with tap.story("nothing is left after halt"):
            machine.halt()
            machine.expect_nothing_left()


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else int(time.time())
    print("# seed %d" % seed)
    with tap.story("the job started"):
        go_on(tap, build, seed)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
