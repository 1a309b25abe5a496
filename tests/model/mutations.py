#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Breaks src/shm on purpose, one place at a time, and demands that orders_pair finds it: TAP.

A mutation that no longer fits its file is a failure here: write it anew, for what it mutates still
needs a test that bites. Memory orders are not among them, for no order of whole steps shows them,
nor what needs two senders: the models waiter.c and ring.c do.

    mutations.py SOURCE
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

MUTATIONS = [
    ("the stamp is stored first", "ring.c",
     "    slot->kind = SHM_MOVE;",
     "    atomic_store(&slot->stamp, shm_stamp(pair->out_next));\n    SHM_POINT(\"mutant\");\n"
     "    slot->kind = SHM_MOVE;"),
    ("the last slot is used for a message", "ring.c",
     "    const uint64_t limit = pair->out_consumed + pair->out_ring_slots - 1;",
     "    const uint64_t limit = pair->out_consumed + pair->out_ring_slots + 1;"),
    ("the old ring is freed at once", "ring.c",
     "pair->rings->end <= consumed", "consumed <= consumed"),
    ("the old ring is freed one slot early", "ring.c",
     "pair->rings->end <= consumed", "pair->rings->end <= consumed + 1"),
    ("a new ring is not cleared", "ring.c",
     "atomic_store_explicit(&first[i].stamp, 0, memory_order_relaxed);",
     "atomic_store_explicit(&first[i].stamp, shm_stamp(i), memory_order_relaxed);"),
    ("MOVE is consumed before it is read", "pair.c",
     "        copy_slot(pair, &slot);\n        if (slot.kind == SHM_PIECES",
     "        shm_ring_consume(pair);\n        pair->in_next--;\n"
     "        pair->in_slot = &pair->in_ring[pair->in_next & pair->in_mask];\n"
     "        copy_slot(pair, &slot);\n        if (slot.kind == SHM_PIECES"),
    ("a slot is given back before it is read", "pair.c",
     "    const struct shm_slot *slot = pair->in_slot;\n    memcpy(pair->in_bytes",
     "    const struct shm_slot *slot = pair->in_slot;\n"
     "    atomic_store(&pair->in_back->consumed, pair->in_next + 1);\n"
     "    SHM_POINT(\"mutant\");\n    memcpy(pair->in_bytes"),
    ("a body is given back when its slot is", "pair.c",
     "    pair->in_borrow = NULL;\n    buf_drop(&borrow->buf);",
     "    pair->in_borrow = NULL;\n    buf_hold(&borrow->buf);\n    buf_drop(&borrow->buf);\n"
     "    borrow->next = NULL;\n    pair->done_first = pair->done_last = borrow;\n"
     "    pair->done_count = 1;\n    shm_borrow_give_back(pair);"),
    ("a lent body is not held", "lend.c",
     "    buf_hold(piece->buf);\n    body->is_cut = false;", "    body->is_cut = false;"),
    ("what came back stays lent", "lend.c",
     "        pair->lent_bytes -= loan->bytes;", "        (void)loan->bytes;"),
    ("buffers of a loan are not dropped", "lend.c",
     "            buf_drop(loan->bufs.direct[i]);", "            (void)i;"),
    ("the close forgets what is lent", "pair.c",
     "    shm_lend_fini(pair);\n", ""),
    ("the close forgets the rings", "pair.c",
     "    shm_ring_fini(pair);\n", ""),
    ("the bit is set and the summary is not", "inbox.c",
     "    atomic_fetch_or_explicit(&inbox->summary, UINT64_C(1) << word, memory_order_seq_cst);",
     "    (void)word;"),
    ("the last word before sleep is not said", "inbox.c",
     "    atomic_store_explicit(&ears->header->sleeping, ears->sleeps, memory_order_relaxed);",
     "    (void)ears;"),
    ("cooling forgets the bit of the inbox", "inbox.c",
     "    atomic_fetch_and_explicit(&ears->inbox->words[word], ~bit, memory_order_seq_cst);",
     "    (void)bit;"),
]


def run(command, limit_s):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=limit_s)


def is_applied(source, work, name, old, new):
    """Copies src/shm/NAME with the change; False when it does not fit."""
    text = (source / "src/shm" / name).read_text()
    if text.count(old) != 1:
        return False
    (work / name).write_text(text.replace(old, new))
    return True


def try_one(source, mutation):
    """Words that say what is wrong, or "": it was found."""
    what, name, old, new = mutation
    with tempfile.TemporaryDirectory(prefix="pvm-mutant-") as folder:
        work = pathlib.Path(folder)
        if not is_applied(source, work, name, old, new):
            return f"src/shm/{name} has not one place of: {old.strip()}"
        shm = [path for path in sorted((source / "src/shm").glob("*.c")) if path.name != name]
        test = source / "tests/model"
        base = [source / "src/base" / file for file in ("buf.c", "check.c")]
        program = work / "mutant"
        built = run([os.environ.get("CC", "cc"), "-std=c11", "-O1", "-g", "-w", "-D_GNU_SOURCE",
                     "-DSHM_POINTS", f"-I{source / 'src'}", f"-I{source / 'tests/lib'}",
                     f"-I{source / 'src/shm'}", "-o", str(program), str(work / name),
                     *map(str, shm + base), str(test / "orders.c"), str(test / "orders_pair.c")],
                    60)
        if built.returncode != 0:
            return built.stderr.strip().split("\n")[0]
        try:
            done = run([str(program), "-1"], 60)
        except subprocess.TimeoutExpired:
            return ""  # it runs for ever: that is found too
        return "" if done.returncode != 0 else "not found"


def main():
    source = pathlib.Path(sys.argv[1])
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda mutation: try_one(source, mutation), MUTATIONS)
        for number, (mutation, why) in enumerate(zip(MUTATIONS, answers), 1):
            failed += bool(why)
            print(f"{'not ' if why else ''}ok {number} - found: {mutation[0]}")
            if why:
                print(f"# {why}")
            sys.stdout.flush()
    print(f"1..{len(MUTATIONS)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
