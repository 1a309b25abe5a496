#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hosts that join with a token: once, in time, and nobody else."""
import pathlib
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402

REFUSED_WITHIN_S = 20  # TOKEN_ANSWER_S is 10


class Machine(pvmtest.Machine):
    """A master whose hostfile knows one host for each story."""

    def begin(self):
        hostfile = self.tmp / "hosts"
        hostfile.write_text("".join("& %s so=tk%s\n" % (name, life) for name, life in (
            ("good", ""), ("late", ":2"), ("bad", ":20"), ("race", ":40"), ("stdin", ""),
            ("cancelled", ""))))
        self.start(str(hostfile))

    def files(self):
        return sorted(self.tmp.glob("pvm-*/t/h0/join-*"))

    def ask(self, name):
        """Adds it in a console that waits; the console and the token."""
        console = self.popen([self.build.pvm], stdin=subprocess.PIPE)
        console.stdin.write(b"add %s\n" % name.encode())
        console.stdin.close()
        console.stdin = None
        path = pvmtest.wait_until(lambda: [p for p in self.files() if p.name.endswith(name)],
                                  "a token for %s" % name)[0]
        pvmtest.wait_until(path.read_bytes, "it is written")
        return console, path

    def answer(self, console, limit_s=60):
        out, err = console.communicate(timeout=limit_s)
        return (out + err).decode()

    def join(self, token, limit_s=REFUSED_WITHIN_S):
        return self.run([self.build.pvmd, "-J", str(token)], limit_s)

    def copy(self, token, text=None):
        copy = self.tmp / "copy"
        copy.unlink(missing_ok=True)
        copy.touch(0o600)
        copy.write_bytes(token.read_bytes() if text is None else text)
        return copy


def expect(good, words):
    if not good:
        raise pvmtest.Failure(words)


def refused(outcome, *words):
    expect(outcome.status == 1 and all(word in outcome.err for word in words),
           "wanted %s: %s" % (words, outcome))


def joins_once(machine):
    console, token = machine.ask("good")
    expect(stat.S_IMODE(token.lstat().st_mode) == 0o600, "others may read it")
    secret = [line for line in token.read_text().splitlines() if line.startswith("key ")][0][4:]
    copy = machine.copy(token)
    outcome = machine.join(token)
    expect(outcome.status == 0, "refused: %s" % outcome)
    words = machine.answer(console)
    expect("1 successful" in words, words)
    expect(machine.host_names() == ["h0", "good"], "hosts: %s" % machine.host_names())
    expect(not machine.files(), "the token is still there")
    expect(all(secret not in " ".join(pvmtest.words_of(p)) for p in machine.processes()),
           "the key is on a command line")
    refused(machine.join(copy), "already runs")
    text = copy.read_bytes().replace(b"-ngood\n", b"-nother\n")
    refused(machine.join(machine.copy(token, text)), "did not answer", "used")
    expect(machine.host_names() == ["h0", "good"], "hosts: %s" % machine.host_names())


def by_stdin(machine):
    console, token = machine.ask("stdin")
    text = token.read_text()
    outcome = machine.run([machine.build.pvmd, "-J", "-"], 20, text=text)
    expect(outcome.status == 0, "refused: %s" % outcome)
    words = machine.answer(console)
    expect("1 successful" in words, words)


def expires(machine):
    console, token = machine.ask("late")
    copy = machine.copy(token)
    words = machine.answer(console)
    expect("Can't start" in words or "0 successful" in words, words)
    expect(not machine.files(), "the token is still there")
    time.sleep(max(0, 3.1 - (time.time() - copy.stat().st_mtime)))
    refused(machine.join(copy), "expired", "ago")


def damaged(machine):
    """A changed byte anywhere: words, and the true token is good all the same."""
    console, token = machine.ask("bad")
    text = token.read_bytes()
    lines = text.splitlines(keepends=True)
    changed = {
        "key": [line[:10] + (b"0" if line[10:11] != b"0" else b"1") + line[11:]
                if line.startswith(b"key ") else line for line in lines],
        "id": [b"id 1234\n" if line.startswith(b"id ") else line for line in lines],
    }
    joiners = [machine.popen([machine.build.pvmd, "-J", "-"], stdin=subprocess.PIPE)
               for _ in changed]
    # One name, so only one gets past the directory; both are refused.
    for joiner, wrong in zip(joiners, changed.values()):
        joiner.stdin.write(b"".join(wrong).replace(b"-nbad\n", b"-nbad%d\n" % joiner.pid))
        joiner.stdin.close()
        joiner.stdin = None
    for part in (b"", text[:-20], text[:60], b"x" + text, text.replace(b"-j", b"-q"),
                 text + b"key 12\n", text.replace(b"key ", b"key zz")):
        refused(machine.join(machine.copy(token, part)), "join token:")
    copy = machine.copy(token)
    copy.chmod(0o644)
    refused(machine.join(copy), "others may read")
    refused(machine.run([machine.build.pvmd, "-J", str(token), "-nx"]), "-J")
    for what, joiner in zip(changed, joiners):
        err = joiner.communicate(timeout=REFUSED_WITHIN_S)[1].decode()
        if what == "key":
            expect(joiner.returncode == 1 and "did not answer" in err, "%s: %s" % (what, err))
    expect(machine.host_names().count("bad") == 0, "it came")
    outcome = machine.join(token)
    words = machine.answer(console)
    expect(outcome.status == 0 and "1 successful" in words, "%s %s" % (outcome, words))


def race(machine):
    """Two with one token: at most one comes, the other hears why."""
    before = len(machine.host_names())
    console, token = machine.ask("race")
    joiners = []
    for i in range(2):
        joiner = machine.popen([machine.build.pvmd, "-J", "-"], stdin=subprocess.PIPE)
        joiner.stdin.write(token.read_bytes().replace(b"-nrace\n", b"-nrace%d\n" % i))
        joiners.append(joiner)
    for joiner in joiners:
        joiner.stdin.close()
        joiner.stdin = None
    errors = [joiner.communicate(timeout=REFUSED_WITHIN_S)[1].decode() for joiner in joiners]
    print("# the race: %s %s" % ([j.returncode for j in joiners], errors))
    expect(sum(j.returncode == 0 for j in joiners) <= 1, "both were told that they are in")
    for joiner, words in zip(joiners, errors):
        expect(joiner.returncode == 0 or "token" in words or "master" in words, words)
    machine.answer(console, 120)
    expect(len(machine.host_names()) <= before + 1, "hosts: %s" % machine.host_names())
    expect(not machine.files(), "the token is still there")


def cancelled(machine):
    """A master that ends takes its tokens along, however it ends."""
    _, token = machine.ask("cancelled")
    text = token.read_bytes()
    pvmtest.end_pid(machine.master.pid)
    pvmtest.wait_until(lambda: not machine.files(), "the token goes with its master")
    refused(machine.join(machine.copy(token, text)), "did not answer")


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    with Machine(build) as machine:
        machine.begin()
        for name, story in (
                ("a token makes one host, once, and is in nobody's arguments", joins_once),
                ("it may come by standard input", by_stdin),
                ("after its time it opens nothing", expires),
                ("a damaged one is refused in words, and costs the true one nothing", damaged),
                ("two daemons with one token are never both in", race),
                ("it goes with its master", cancelled)):
            with tap.story(name):
                story(machine)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
