#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A virtual machine over hosts that are joined by real sshd: add them by name, work, lose one,
halt. Needs root, for the hosts; the daemons know nothing of that."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402
import sshbed  # noqa: E402

HOSTS = ["north", "south", "east"]


def expect_hosts(machine, hosts, limit_s=20):
    pvmtest.wait_until(lambda: sorted(machine.host_names()) == sorted(hosts),
                       "the hosts are %s" % hosts, limit_s, 0.2)


def stories(tap, machine, bed):
    with tap.story("hosts are added by name over ssh"):
        outcome = machine.console("add south east", 90)
        assert "2 successful" in outcome.out, "%s\n%s" % (outcome, machine.log())
        expect_hosts(machine, HOSTS)
    if tap.failed:
        return
    with tap.story("ssh is gone once the daemon runs"):
        pvmtest.wait_until(lambda: not machine.tasks("ssh"), "no ssh is left", 10)
    with tap.story("a program finds all of them"):
        outcome = machine.run([machine.build.examples / "hosts"], 30)
        assert outcome.status == 0 and "3 hosts" in outcome.out, outcome
    with tap.story("messages go to a task there"):
        outcome = machine.run([machine.build.helpers / "across", "east", 16, 1 << 20, 1000], 60)
        assert outcome.out.startswith("ok"), outcome
    with tap.story("a host that is deleted leaves nothing"):
        outcome = machine.console("delete east", 30)
        assert "1 successful" in outcome.out, outcome
        pvmtest.wait_until(lambda: not bed.processes("east"), "east is empty", 10)
        expect_hosts(machine, HOSTS[:2])
    with tap.story("a host without an sshd is said to be so, with ssh's last words"):
        bed.stop_server("east")
        outcome = machine.console("add east", 60)
        assert "0 successful" in outcome.out and "refused" in outcome.out, outcome
    with tap.story("after halt nothing is left anywhere"):
        machine.halt()
        pvmtest.wait_until(lambda: not bed.processes("south"), "south is empty", 10)
        machine.expect_nothing_left()


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    reason = sshbed.reason_not()
    if reason:
        pvmtest.skip_all(reason)
    tap = pvmtest.Tap()
    with pvmtest.Machine(build, name="north") as machine:
        path = machine.env["PVM_PATH"]
        visible = [build.source, build.folder, machine.tmp]
        with sshbed.Bed(HOSTS, visible, path) as bed:
            machine.wrap = bed.enter("north")
            with tap.story("three hosts with sshd are up"):
                for host in HOSTS[1:]:
                    pvmtest.wait_until(lambda host=host: bed.answers(host),
                                       "sshd on %s answers" % host, 20, 0.2)
                machine.start()
            if not tap.failed:
                stories(tap, machine, bed)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
