#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Three hosts with addresses of their own, on one machine and without root: each in a network
namespace, joined by a bridge. Daemons are started there through PVM_RSH; a cable is pulled and
plugged.

Called with a host name by the daemon, this file is that remote shell.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402

HOSTS = ["h%d" % i for i in range(int(os.environ.get("PVM_TEST_NAMESPACE_COUNT", 3)))]
INSIDE = "PVM_TEST_NAMESPACE"
REACH = "PVM_TEST_NAMESPACE_HOSTS"  # "h0=PID h1=PID ..."
LOSS_LIMIT_S = 15
RETURN_LIMIT_S = 30


def remote_shell():
    """HOST COMMAND...: runs the command in the network of that host, with a PVM_TMP of its own."""
    words = [w for w in sys.argv[1:] if w not in ("-n", "-x", "-T")]
    address, words = words[0], words[1:]
    if words[:1] == ["-l"]:
        words = words[2:]
    pids = dict(word.split("=") for word in os.environ[REACH].split())
    host = next((h for h in HOSTS if address in (h, address_of(h))), None)
    if host not in pids:
        print("no such host in the test: " + address, file=sys.stderr)
        return 255
    folder = pathlib.Path(os.environ["PVM_TMP"]) / host
    folder.mkdir(mode=0o700, exist_ok=True)
    os.execvp("nsenter", ["nsenter", "-t", pids[host], "-n", "--", "env", "PVM_TMP=%s" % folder,
                          "sh", "-c", " ".join(words)])


def address_of(host):
    return "10.79.0.%d" % (10 + HOSTS.index(host))


def command(*words):
    run = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode != 0:
        raise pvmtest.Failure("%s: %s" % (" ".join(words), run.stdout.strip()))


class Network:
    """A bridge here, and one namespace for each host, held by a process that ends with us."""

    def __enter__(self):
        self.holders = {}
        command("ip", "link", "set", "lo", "up")
        command("ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state",
                "0")
        command("ip", "link", "set", "br0", "up")
        for host in HOSTS:
            self.add(host)
        return self

    def add(self, host):
        holder = subprocess.Popen(["unshare", "--net", "--", "sh", "-c", "echo ready; exec cat"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holders[host] = holder
        holder.stdout.readline()
        pid = str(holder.pid)
        command("ip", "link", "add", "v-" + host, "type", "veth", "peer", "name", "eth0", "netns",
                pid)
        command("ip", "link", "set", "v-" + host, "master", "br0", "up")
        for words in (["addr", "add", address_of(host) + "/24", "dev", "eth0"],
                      ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):
            command("nsenter", "-t", pid, "-n", "--", "ip", *words)

    def __exit__(self, *unused):
        for holder in self.holders.values():
            holder.stdin.close()
            holder.wait()
            holder.stdout.close()

    def enter(self, host):
        return ["nsenter", "-t", str(self.holders[host].pid), "-n", "--"]

    def cable(self, host, state):
        command("ip", "link", "set", "v-" + host, state)


def add_line(host):
    return 'add "%s ip=%s"' % (host, address_of(host))


def expect_hosts(machine, hosts, limit_s=20):
    pvmtest.wait_until(lambda: sorted(machine.host_names()) == sorted(hosts),
                       "the hosts are %s" % hosts, limit_s, 0.2)


def stories(tap, machine, network):
    with tap.story("two hosts at other addresses join"):
        outcome = machine.console("\n".join(map(add_line, HOSTS[1:])), 60)
        assert outcome.out.count("1 successful") == 2, "%s\n%s" % (outcome, machine.log())
        expect_hosts(machine, HOSTS)
    if tap.failed:
        return
    with tap.story("tasks of the first and the second host exchange messages"):
        outcome = machine.run([machine.build.helpers / "across", "h1", 8, 1 << 20, 1000], 60)
        assert outcome.out.startswith("ok"), outcome
    with tap.story("the second and the third host talk to each other"):
        environment = dict(machine.env, PVM_TMP=str(machine.tmp / "h1"))
        words = network.enter("h1") + [str(machine.build.helpers / "across"), "h2", "8",
                                       str(1 << 20), "1000"]
        run = subprocess.run(words, env=environment, cwd=machine.tmp, stdout=subprocess.PIPE,
                             text=True, timeout=60)
        assert run.stdout.startswith("ok"), run.stdout
    with tap.story("a pulled cable removes the host"):
        network.cable("h2", "down")
        expect_hosts(machine, HOSTS[:2], LOSS_LIMIT_S)
    with tap.story("with the cable plugged it comes back by itself"):
        network.cable("h2", "up")
        expect_hosts(machine, HOSTS, RETURN_LIMIT_S)
    with tap.story("nothing is left after halt"):
        machine.halt()
        machine.expect_nothing_left()


def inside():
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    try:
        network = Network().__enter__()
    except (pvmtest.Failure, OSError) as problem:
        pvmtest.skip_all("no network of our own: %s" % problem)
    try:
        with pvmtest.Machine(build, wrap=network.enter("h0")) as machine:
            machine.env.update({
                "PVM_RSH": str(pathlib.Path(__file__).resolve()),
                REACH: " ".join("%s=%d" % (h, p.pid) for h, p in network.holders.items())})
            machine.start()
            stories(tap, machine, network)
    finally:
        network.__exit__()
    return tap.done()


def unshare_words():
    """How to get a network namespace here, or the end of the program with a reason."""
    for tool in ("unshare", "nsenter", "ip"):
        if not shutil.which(tool):
            pvmtest.skip_all("%s is not installed" % tool)
    for words in (["unshare", "--net"], ["unshare", "-Ur", "--net"]):
        if subprocess.run(words + ["true"], stderr=subprocess.DEVNULL).returncode == 0:
            return words
    pvmtest.skip_all("the kernel allows no namespaces here")
    return None


def main():
    pvmtest.end_on_signals()
    if os.environ.get(REACH) and len(sys.argv) > 1 and not re.match("--", sys.argv[1]):
        return remote_shell()
    if os.environ.get(INSIDE):
        return inside()
    pvmtest.require_build()
    os.environ[INSIDE] = "1"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    words = unshare_words()
    os.execvp(words[0], words + [sys.executable, str(pathlib.Path(__file__).resolve())])
    return 1


if __name__ == "__main__":
    sys.exit(main())
