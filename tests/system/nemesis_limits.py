#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Daemons at the end of what they have while a job runs (nemesis.c looks from inside): a full disk,
no descriptors, little memory. What cannot be done is refused in words; nothing is lost, nobody
crashes, and when there is room again everything works."""
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import nemesis  # noqa: E402
import pvmtest  # noqa: E402

INSIDE = "PVM_TEST_FULL_DISK"
HOSTS = 3
STEADY_LIMIT_S = 30


class Work:
    """A machine at work; |prepare| is called with it before the first daemon."""

    def __init__(self, build, prepare=None, home=None):
        self.machine = pvmtest.Machine(build)
        self.prepare = prepare
        self.home = home  # the job and the consoles are there, not at the master
        self.ended = 0  # tasks that ended because they were to

    def __enter__(self):
        machine = self.machine
        try:
            if self.prepare:
                self.prepare(machine)
            machine.start()
            machine.wrap = []
            machine.add("local:%d" % (HOSTS - 1))
            if self.home:
                machine.env["PVMSOCK"] = str(machine.host_folder(self.home) / "sock")
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pvmt-job-"))
            self.job = nemesis.Job(machine, 2, self.folder)
            self.job.wait_until_steady(HOSTS, 0, STEADY_LIMIT_S)
            self.daemons = machine.daemons()
        except Exception:
            machine.__exit__()
            raise
        return self

    def __exit__(self, kind, *unused):
        if kind:
            nemesis.print_logs(self.machine, 8)
        self.machine.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def expect_unharmed(self):
        self.job.wait_until_steady(HOSTS, self.job.status()[0], STEADY_LIMIT_S)
        if self.machine.daemons() != self.daemons:
            raise pvmtest.Failure("daemons %s, then %s" % (self.daemons, self.machine.daemons()))
        if self.job.status()[4] > self.ended:
            raise pvmtest.Failure("%d tasks ended" % self.job.status()[4])

    def end(self):
        self.job.stop()
        self.machine.console("halt")
        self.machine.expect_nothing_left(15)


def expect(condition, words):
    if not condition:
        raise pvmtest.Failure(str(words))


# ---- a full disk ----

def small_disk(machine):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,nr_inodes=200,mode=700", "tmpfs",
                    str(machine.tmp)], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 4096):
                pass
        except OSError:
            pass


def inside_full_disk():
    build = pvmtest.require_build()
    with Work(build, small_disk) as work:
        machine = work.machine
        fill(machine.tmp / "filler")
        for _ in range(10):
            machine.console("conf\nspawn no-such-program\nversion")
        work.expect_unharmed()
        outcome = machine.run([build.helpers / "across", "h0-1", 4, 1 << 20, 500], 60)
        expect(outcome.out.startswith("ok"), outcome)
        outcome = machine.add("local")
        words = outcome.out + machine.log()
        if "1 successful" in outcome.out:
            print("# a host still fitted")
            work.ended = 2
            machine.console("delete " + next(n for n in machine.host_names()
                                             if n not in work.daemons))
        else:
            expect(re.search(r"space|disk|ENOSPC|[Cc]an't start", words), words)
        work.expect_unharmed()
        (machine.tmp / "filler").unlink()
        outcome = machine.add("local")
        expect("1 successful" in outcome.out, "with room again: %s" % outcome)
        work.job.wait_until_steady(HOSTS + 1, work.job.status()[0], STEADY_LIMIT_S)
        work.end()
    return 0


def full_disk(tap):
    name = "a full disk under work: refused in words, nothing lost, and well again"
    for words in (["unshare", "--mount"], ["unshare", "-Ur", "--mount"]):
        if not shutil.which("unshare") or subprocess.run(
                words + ["sh", "-c", "mount -t tmpfs tmpfs /mnt"],
                stderr=subprocess.DEVNULL, check=False).returncode != 0:
            continue
        run = subprocess.run(words + [sys.executable, str(pathlib.Path(__file__).resolve())],
                             env=dict(os.environ, **{INSIDE: "1"}), stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=140, check=False)
        tap.ok(run.returncode == 0, name, run.stdout[-3000:])
        return
    tap.skip(name, "the kernel allows no mounts of our own here")


# ---- no descriptors ----

def few_descriptors(build):
    """Every daemon may have 80. What wants more is refused; who is in stays in."""
    def limit(machine):
        machine.wrap = ["sh", "-c", "ulimit -n 80; exec \"$@\"", "sh"]
    with Work(build, limit) as work:
        machine, held = work.machine, []
        try:
            for _ in range(150):
                one = socket.socket(socket.AF_UNIX)
                one.settimeout(0.5)
                try:
                    one.connect(machine.socket)
                except OSError:
                    one.close()
                    break
                held.append(one)
            # A console may come in or not: the job must go on.
            machine.popen([build.pvm])
            work.expect_unharmed()
        finally:
            for one in held:
                one.close()
        pvmtest.wait_until(lambda: len(machine.host_names()) == HOSTS, "consoles come in again", 20,
                           0.3)
        outcome = machine.run([build.helpers / "across", "h0-1", 4, 1 << 20, 500], 60)
        expect(outcome.out.startswith("ok"), outcome)
        work.expect_unharmed()
        work.end()


# ---- little memory ----

def address_space(pid):
    found = re.search(rb"VmSize:\s*(\d+) kB", pvmtest.read_proc(pid, "status"))
    return int(found.group(1)) * 1024 if found else 0


def limit_memory(pid, extra):
    most = address_space(pid) + extra if extra else resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def expect_words_of_the_end(work):
    """A daemon that has no memory for what it must not lose ends, says so, and is a host that went:
    the others go on. Returns whether one did."""
    machine = work.machine
    gone = set(work.daemons) - set(machine.daemons())
    for name in gone:
        expect("cannot go on: no memory" in machine.log(name), machine.log(name)[-500:])
        print("# %s ended: no memory" % name)
    if gone:
        pvmtest.wait_until(lambda: len(machine.host_names()) == HOSTS - len(gone), "it is out", 20,
                           0.2)
        work.job.wait_until_steady(HOSTS - len(gone), work.job.status()[0], STEADY_LIMIT_S)
    return bool(gone)


def little_memory(build):
    """The daemons of two hosts may not grow by more than some MB: messages that need more are
    refused or wait, and everything else goes on."""
    with Work(build, home="h0-2") as work:
        machine = work.machine
        far = dict(machine.env, PVMSOCK=machine.socket)
        limited = [pid for name, pid in work.daemons.items() if name != work.home]
        for pid in limited:
            limit_memory(pid, 24 << 20)
        for count, size in ((4, 32 << 20), (2000, 60000), (1, 100 << 20)):
            outcome = machine.run([build.helpers / "across", "h0-1", count, size, 100], 100,
                                  env=far)
            print("# %d messages of %d KiB: %s" % (count, size >> 10,
                                                   outcome.out.strip() or outcome.err.strip()))
            if expect_words_of_the_end(work):
                break
            work.expect_unharmed()
        else:
            machine.console("spawn -300 hello", 60)
            work.expect_unharmed()
            for pid in limited:
                limit_memory(pid, 0)
            outcome = machine.run([build.helpers / "across", "h0-1", 4, 8 << 20, 500], 60, env=far)
            expect(outcome.out.startswith("ok"), outcome)
        work.end()


def main():
    pvmtest.end_on_signals()
    if os.environ.get(INSIDE):
        return inside_full_disk()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    full_disk(tap)
    with tap.story("without descriptors new ones wait or are refused, and the work goes on"):
        few_descriptors(build)
    name = "without memory what needs it is refused, and the work goes on"
    if build.is_sanitized() or not hasattr(resource, "prlimit"):
        tap.skip(name, "a sanitizer needs more address space than there would be")
    else:
        with tap.story(name):
            little_memory(build)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
