#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What waits for a task of another host waits in its sender's memory (decision 12): nobody waits
in pvm_send, the daemon stays small and serves everybody else; whoever dies, what was sent arrives
or is given back, and nothing is left."""
import pathlib
import re
import select
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import attach  # noqa: E402
import pvmtest  # noqa: E402
from pvmtest import Machine, Tap, end_pid, own_bytes, require_build, wait_until  # noqa: E402

MIB = 1024 * 1024
SENT_MIB = 300
DAEMON_GROWTH_MAX = 40 * MIB  # windows of the link at both ends, a first message, and frames
ANSWER_S_MAX = 10


def segment_bytes(pid):
    """Memory in the segments and inboxes that the process made itself or keeps for tasks, all
    together: they are files without names."""
    total = 0
    for entry in pathlib.Path("/proc/%d/fd" % pid).iterdir():
        try:
            if "memfd:pvm-segment" in str(entry.readlink()):
                total += entry.stat().st_blocks * 512
        except OSError:
            pass
    return total


def lent(machine, *words, limit_s=120, **more):
    return machine.run([machine.build.helpers / "lent"] + list(words), limit_s, **more)


def expect_ok(outcome):
    assert outcome.out.strip().endswith("ok") and outcome.status == 0, outcome


def two_hosts(machine):
    machine.start()
    outcome = machine.add("local")
    assert "1 successful" in outcome.out, outcome
    return [name for name in machine.host_names() if name != machine.name][0]


def read_line(child, limit_s=120):
    ready, _, _ = select.select([child.stdout], [], [], limit_s)
    return child.stdout.readline().decode() if ready else ""


def sleeper(tap, machine, host):
    mark, end = machine.tmp / "awake", machine.tmp / "end"
    before = {name: own_bytes(pid) for name, pid in machine.daemons().items()}
    child = machine.popen([machine.build.helpers / "lent", "sleeper", host, mark, end])
    line = read_line(child)
    print("# " + line.strip())
    found = re.match(r"sent ([\d.]+) answered ([\d.]+) asked ([\d.]+)", line)
    tap.ok(found is not None, "%d MB are sent to a task of another host that sleeps" % SENT_MIB,
           line, machine.log())
    if found:
        tap.ok(max(float(found.group(2)), float(found.group(3))) < ANSWER_S_MAX,
               "meanwhile another task there answers, and the daemon", line)
    for name, pid in sorted(machine.daemons().items()):
        grown = own_bytes(pid) - before.get(name, 0)
        print("# daemon of %s grew by %d KiB" % (name, grown // 1024))
        tap.ok(grown <= DAEMON_GROWTH_MAX, "the daemon of %s holds what its credits allow" % name,
               "%d bytes" % grown)
    master = machine.daemons()[machine.name]
    tap.ok(segment_bytes(master) >= SENT_MIB * MIB * 0.9, "it lies with its sender",
           segment_bytes(master))
    mark.touch()
    tap.ok(read_line(child).strip() == "taken", "it wakes and takes all of it")
    with tap.story("and the memory is the system's again, though the sender sleeps now"):
        wait_until(lambda: segment_bytes(master) < 50 * MIB, "the memory is given back", 30)
    end.touch()
    out, err = child.communicate(timeout=120)
    tap.ok(child.returncode == 0 and out.decode().strip() == "ok", "until it is woken", out, err)
    with tap.story("the daemon keeps nothing of those who are gone"):
        wait_until(lambda: segment_bytes(master) < 5 * MIB, "its descriptors are closed", 20)


def deaths(tap, machine, host):
    for how in ("return", "exit", "pvm_exit", "kill"):
        for count, size in ((40, 2 * MIB), (20000, 16), (3000, 3000)):
            with tap.story("all %d messages of %d bytes come before the notice, sender ends by %s" %
                           (count, size, how)):
                expect_ok(lent(machine, "dying", how, host, str(count), str(size)))


def receivers(tap, machine, host):
    limited = dict(machine.env, PVM_SHM_LIMIT="400m")
    with tap.story("a receiver that is killed gives back 300 MB, again and again"):
        expect_ok(lent(machine, "killed", host, env=limited))
    with tap.story("a host that is lost, too"):
        child = machine.popen([machine.build.helpers / "lent", "lost", host, "."], env=limited)
        assert read_line(child).strip() == "sent", child
        end_pid(machine.daemons()[host])
        out, err = child.communicate(timeout=120)
        assert child.returncode == 0 and out.decode().strip() == "ok", (out, err, machine.log())


def main():
    pvmtest.end_on_signals()
    build = require_build()
    if not (build.helpers / "lent").exists():
        pvmtest.skip_all("the programs of the tests are not built")
    tap = Tap()
    with Machine(build) as machine:
        host = two_hosts(machine)
        if not attach.shares_memory(machine):
            pvmtest.skip_all("tasks share no memory here: senders wait for far receivers")
        sleeper(tap, machine, host)
        with tap.story("messages of all sizes go both ways, to one who listens now and then"):
            expect_ok(lent(machine, "sizes", host))
        with tap.story("and between tasks of one host"):
            expect_ok(lent(machine, "sizes", "."))
        mark = machine.tmp / "many"
        with tap.story("a message for many waits for nobody of this host"):
            child = machine.popen([build.helpers / "lent", "many", host, mark])
            line = read_line(child)
            assert line.strip() == "awake", (line, child.communicate(timeout=60))
            mark.touch()
            out, err = child.communicate(timeout=120)
            assert out.decode().strip() == "ok", (out, err)
        deaths(tap, machine, host)
        receivers(tap, machine, host)
        with tap.story("nothing is left after halt"):
            machine.halt()
            machine.expect_nothing_left()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
