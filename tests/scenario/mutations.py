#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Breaks the program on purpose, one place at a time, and demands that the simulator finds it: TAP.

Each mutation changes one piece of one file; that file is compiled anew and linked before the
archives of the build, so that it takes the place of the sound one. A mutation that no longer fits
its file is a failure here: write it anew, for what it mutates still needs a checker that bites.

    mutations.py SOURCE BUILD
"""
import pathlib
import subprocess
import sys
import tempfile

SEEDS = "400"
UNSAFE, STUCK = 3, 4

MUTATIONS = [
    ("a notice overtakes messages", "src/core/notify.c",
     ".after = count_of(node, subject, watcher)", ".after = 0", "calm", {UNSAFE}),
    ("requests to a lost host are forgotten", "src/core/wait.c",
     "        lose_parts(node, LIST_ENTRY(pos, struct wait, link), host);", "        (void)host;",
     "crashes", {UNSAFE, STUCK}),
    ("tids are given again", "src/core/task.c",
     "    uint32_t local = table->last_local;",
     "    uint32_t local = 0;\n    is_taken = is_never;", "calm", {UNSAFE},
     "static bool is_never(void *context, uint32_t tid)\n{\n    return !context && !tid;\n}\n"),
    ("messages are delivered as they come", "src/client/seq.c",
     "!msg->is_complete || msg->sequence > peer->next", "!msg->is_complete", "wire", {UNSAFE}),
    ("credit is not given back", "src/core/conn.c",
     "    credit_drop(node, frame->credit);\n", "", "calm",
     {UNSAFE, STUCK}),
    ("an end is told while memory is shared", "src/core/conn.c",
     "    share_end(node, conn);\n", "", "calm", {UNSAFE}),
    ("nothing that was lost is sent again", "src/link/loss.c",
     "            loss_left_flight(loss, packet);\n"
     "            list_push_back(lost, &packet->node);",
     "            loss_left_flight(loss, packet);", "wire", {UNSAFE, STUCK}),
]


def archives(build):
    names = ["sim/libsimulator.a", "src/core/libcore.a", "src/log/liblog.a", "src/link/liblink.a",
             "src/client/libclient.a", "src/wire/libwire.a", "src/base/libbase.a"]
    found = [build / name for name in names]
    return [str(path) for path in found if path.exists()]


def run(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=170)


def mutant(source, build, work, path, old, new, before_function):
    """The path of the program, or words that say why there is none."""
    text = (source / path).read_text()
    if text.count(old) != 1:
        return None, f"{path} has {text.count(old)} places of: {old.strip()}"
    changed = work / pathlib.Path(path).name
    if before_function:
        start = text.rindex("\n\n", 0, text.index(old))
        text = text[:start] + "\n\n" + before_function + text[start:]
    changed.write_text(text.replace(old, new))
    program = work / "mutant"
    done = run(["cc", "-std=c11", "-O1", "-w", f"-I{source / 'src'}", f"-I{source}", "-o",
                str(program), str(source / "sim/main.c"), str(changed), "-Wl,--start-group",
                *archives(build), "-Wl,--end-group"])
    return (program, "") if done.returncode == 0 else (None, done.stderr.strip().split("\n")[0])


def main():
    source, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    failed = 0
    for number, (what, path, old, new, mix, wanted, *before) in enumerate(MUTATIONS, 1):
        with tempfile.TemporaryDirectory(prefix="pvm-mutant-") as work:
            program, why = mutant(source, build, pathlib.Path(work), path, old, new,
                                  before[0] if before else "")
            if program:
                done = run([str(program), "seeds", "1", SEEDS, "--scenario", mix, "--first"])
                # A CHECK() or a sanitizer that ends the process has found it too.
                if done.returncode not in wanted and done.returncode >= 0:
                    why = f"not found in {SEEDS} seeds of \"{mix}\": exit {done.returncode}"
        failed += bool(why)
        print(f"{'not ' if why else ''}ok {number} - found: {what}")
        if why:
            print(f"# {why}")
        sys.stdout.flush()
    print(f"1..{len(MUTATIONS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
