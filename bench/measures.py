# SPDX-License-Identifier: BSD-3-Clause
"""What is measured and which bar it has to clear: one table of measures, one of bars.

A measure has a kind, which says how it is played (contestants.py), and words, which are the command
line of the program that plays it; names in braces come from the scale. Each metric is a line that
this program prints, or for NetPIPE a message size. A bar is a figure calculated from the medians.
"""
import math

MIB = 1 << 20
# How much of everything: for results, and for proving that the benches run.
FULL = {
    "ms": 300, "asleep_ms": 600, "others": 9, "pairs": 32, "queue": 100000, "tasks": 1000,
    "blocked": 201, "idle_hosts": 8, "idle_s": 30, "spawn": 50, "spawn_many": 1000, "exits": 2000,
    "netpipe": ((1, 3072, 400), (4096, 49152, 100), (65536, 786432, 40), (MIB, 8 * MIB, 8)),
    "ucx": 5000000, "large": 64 * MIB, "hosts_many": 64,
}
QUICK = {
    "ms": 5, "asleep_ms": 40, "others": 3, "pairs": 4, "queue": 100, "tasks": 5, "blocked": 5,
    "idle_hosts": 2, "idle_s": 0.2, "spawn": 4, "spawn_many": 6, "exits": 2,
    "netpipe": ((1, 2, 2), (4096, 4096, 2)), "ucx": 2000, "large": 2 * MIB, "hosts_many": 8,
}
P50_P99 = {"p50_us": "p50, µs", "p99_us": "p99, µs"}
MICROSECONDS = {"us": "µs"}
RATE = {"per_s": "messages/s"}
SHOWN_SIZES = (1, 8, 64, 1024, 4096, 65536, MIB, 8 * MIB)
MPIS = ("Open MPI", "MPICH")
PVMS = ("ours", "PVM 3.4.6")
EVERYONE = PVMS + MPIS


class Measure:
    """One line of the table below. What lasts long in itself is played once."""

    def __init__(self, number, key, title, kind, words, metrics, who=EVERYONE, floor=None, ucx=None,
                 rounds=None, rival_rounds=None):
        self.number, self.key, self.title, self.kind = number, key, title, kind
        self.words, self.metrics, self.who = words, metrics, who
        self.floor, self.ucx = floor, ucx
        self.rounds, self.rival_rounds = rounds, rival_rounds

    def command(self, scale):
        return self.words.format(**scale).split()


def ping(number, key, title, words, who=EVERYONE, floor=None, ucx=None, metrics=None):
    return Measure(number, key, title, "patterns", "ping " + words + " ms={ms}",
                   metrics or P50_P99, who, floor, ucx)


def large(key, title, mode, size, who=PVMS, ucx=None):
    return ping(5, key, title, f"n=2 size={size} mode={mode}", who, f"shared {size}", ucx,
                MICROSECONDS)


def stream(key, title, words, ucx=None):
    return Measure(4, key, title, "patterns", words + " ms={ms}", RATE, EVERYONE, None, ucx)


def floor(key, title, words):
    return Measure(0, key, title, "none", "", MICROSECONDS, (), words)


def spawn(key, title, words, metrics, rounds=None, who=PVMS):
    return Measure(8, key, title, "spawn", words, metrics, who, rounds=rounds)


NETPIPE_SHOWN = {size: (f"{size} B" if size < 1024 else f"{size >> 10} KiB" if size < MIB else
                        f"{size >> 20} MiB") + ", µs" for size in SHOWN_SIZES}
MEASURES = (
    Measure(1, "netpipe", "NetPIPE", "netpipe", "", NETPIPE_SHOWN),
    ping(2, "psend", "8 B, psend / precv", "n=2 mode=psend", floor="line", ucx="tag_lat -s 8"),
    ping(2, "pack", "8 B, initsend pkint send / recv upkint", "n=2 mode=xdr", PVMS, "line"),
    Measure(3, "asleep", "8 B, receiver asleep", "patterns", "asleep n=2 pin=spread ms={asleep_ms}",
            P50_P99, PVMS, "wake"),
    stream("pair", "rate 8 B, one pair", "out n=2", "tag_bw -s 8"),
    stream("out", "rate 8 B, 1 to 8", "out n={others}"),
    stream("in", "rate 8 B, 8 to 1 by task", "in n={others}"),
    stream("any", "rate 8 B, 8 to 1, wildcard", "any n={others}"),
    large("psend1", "1 MiB, psend / precv", "psend", MIB, EVERYONE, f"tag_lat -s {MIB}"),
    large("raw1", "1 MiB, packed raw", "raw", MIB),
    large("inplace1", "1 MiB, in place", "inplace", MIB),
    large("xdr1", "1 MiB, pkint in default encoding", "xdr", MIB),
    large("psend64", "64 MiB, psend / precv", "psend", "{large}", EVERYONE),
    large("raw64", "64 MiB, packed raw", "raw", "{large}"),
    large("inplace64", "64 MiB, in place", "inplace", "{large}"),
    ping(6, "alone", "one core, 1 pair, per message", "n=2 pin=one", metrics=MICROSECONDS),
    ping(6, "crowd", "one core, 16 pairs, per message", "n={pairs} pin=one", metrics=MICROSECONDS),
    Measure(7, "idle", "200 blocked tasks, 8 daemons", "idle", "idle n={blocked}",
            {"task_wakeups": "wake-ups of tasks in all", "daemon_wakeups": "per daemon a second",
             "cpu_percent": "% of a core in all"}, ("ours",), rounds=1),
    spawn("true", "spawn 50 x true", "true {spawn} 1",
          {"call_ms": "pvm_spawn, ms", "ms": "until all exits are told, ms"}),
    spawn("answer", "spawn 50 that answer", "answer {spawn}", {"ms": "ms"}),
    spawn("answer1000", "spawn 1,000 that answer", "answer {spawn_many}", {"ms": "ms"}),
    spawn("exits", "2,000 times 50 x true", "true {spawn} {exits}",
          {"ms": "each, ms", "lost": "exits lost"}, 1, ("ours",)),
    Measure(9, "queue", "100,000 in reverse order of tag, each", "patterns",
            "queue n=2 count={queue}", MICROSECONDS, rival_rounds=1),
    Measure(10, "all", "1,000 tasks all to all", "patterns", "all n={tasks}",
            {"s": "s", "idle_kib": "Pss of an idle task, KiB", "pair_bytes": "B per active pair"},
            ("ours",)),
    Measure(12, "across", "NetPIPE through two daemons", "across", "", NETPIPE_SHOWN, PVMS),
    Measure(0, "hosts4", "add 4 local hosts", "hosts", "4", {"ms": "ms"}, ("ours",)),
    Measure(0, "hosts64", "add 64 local hosts", "hosts", "{hosts_many}", {"ms": "ms"}, ("ours",)),
    floor("copy1", "memcpy 1 MiB, one process", f"copy {MIB}"),
    floor("copy64", "memcpy 64 MiB, one process", f"copy {64 * MIB}"),
    floor("unix", "UNIX socket, 8 B one way", "unix 8"),
    floor("udp", "UDP on loopback, 8 B one way", "udp 8"),
)


class Medians:
    """The medians of a run, as the bars ask for them."""

    def __init__(self, medians):
        self.medians = medians

    def get(self, key, metric, who="ours"):
        """KeyError when it was not measured."""
        return self.medians[key][str(metric)][who]

    def series(self, key, who):
        """{size: µs} of a NetPIPE measure."""
        return {int(size): cells[who] for size, cells in self.medians[key].items() if who in cells}


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def netpipe_against_mpi(medians, low, high):
    """Geometric mean of ours / the better MPI over the sizes, and the worst size with its ratio."""
    ours = medians.series("netpipe", "ours")
    mpis = [medians.series("netpipe", who) for who in MPIS]
    ratios = {}
    for size, time in ours.items():
        rivals = [series[size] for series in mpis if size in series]
        if low <= size <= high and rivals:
            ratios[size] = time / min(rivals)
    if not ratios:
        raise KeyError("no MPI")
    worst = max(ratios, key=ratios.get)
    return geometric_mean(list(ratios.values())), f"worst {ratios[worst]:.2f} at {worst} B"


def worst_of(medians, keys, figure, pick):
    found = {key: figure(medians, key) for key in keys}
    key = pick(found, key=found.get)
    return found[key], "the worst is " + key


def gigabytes(medians, key):
    return (64 if key.endswith("64") else 1) * MIB / medians.get(key, "us") / 1e3


def of_floor(medians, key):
    return 100 * medians.get(key, "us", "floor") / medians.get(key, "us")


def of_pair(medians, key):
    return 100 * medians.get(key, "per_s") / medians.get("pair", "per_s")


def across_bandwidth(medians):
    best = {who: max((size / time, size) for size, time in medians.series("across", who).items())
            for who in PVMS}
    return best["ours"][0] / best["PVM 3.4.6"][0], f"at best {best['ours'][0] / 1e3:.2f} GB/s"


def across_latency(medians):
    ours, original = (medians.series("across", who) for who in PVMS)
    return geometric_mean([ours[size] / original[size] for size in ours
                           if size <= 64 and size in original]), "geometric mean"


def plain(key, metric, scale=1.0):
    return lambda m: (m.get(key, metric) * scale, "")


def ratio(key, metric, other_key, other):
    return lambda m: (m.get(key, metric) / m.get(other_key, metric, other), "")


LARGE = ("psend1", "raw1", "inplace1", "psend64", "raw64", "inplace64")
# Number in the issue, what, sign and bar, unit, figure(medians) -> (value, words).
BARS = (
    (1, "NetPIPE up to 64 B, ours / better MPI", "<=", 1.5, "",
     lambda m: netpipe_against_mpi(m, 1, 64)),
    (1, "NetPIPE from 4 KiB, ours / better MPI", "<=", 1.0, "",
     lambda m: netpipe_against_mpi(m, 4096, 1 << 30)),
    (2, "8 B one way, psend / precv", "<=", 0.15, "µs", plain("psend", "p50_us")),
    (2, "8 B one way, packed", "<=", 0.25, "µs", plain("pack", "p50_us")),
    (3, "receiver asleep / bare wake-up", "<=", 1.3, "",
     ratio("asleep", "p50_us", "asleep", "floor")),
    (4, "8 B, one pair", ">=", 15, "M/s", plain("pair", "per_s", 1e-6)),
    (4, "8 B, 1 to 8, 8 to 1, wildcard, of the pair's rate", ">=", 50, "%",
     lambda m: worst_of(m, ("out", "in", "any"), of_pair, min)),
    (5, "1 MiB", ">=", 10, "GB/s", lambda m: worst_of(m, LARGE[:3], gigabytes, min)),
    (5, "64 MiB", ">=", 10, "GB/s", lambda m: worst_of(m, LARGE[3:], gigabytes, min)),
    (5, "1 MiB, of two bare copies", ">=", 60, "%",
     lambda m: worst_of(m, LARGE[:3], of_floor, min)),
    (5, "64 MiB, of two bare copies", ">=", 60, "%",
     lambda m: worst_of(m, LARGE[3:], of_floor, min)),
    (6, "one core, 16 pairs / 1 pair", "<=", 2, "", ratio("crowd", "us", "alone", "ours")),
    (7, "blocked tasks, wake-ups", "<=", 0, "", plain("idle", "task_wakeups")),
    (7, "idle daemon, wake-ups a second", "<=", 5, "", plain("idle", "daemon_wakeups")),
    (7, "all of them, of a core", "<=", 1, "%", plain("idle", "cpu_percent")),
    (8, "spawn 50 x true, until all exits are told", "<=", 30, "ms", plain("true", "ms")),
    (8, "spawn 50 that enrol and answer", "<=", 60, "ms", plain("answer", "ms")),
    (8, "spawn 1,000 that enrol and answer", "<=", 800, "ms", plain("answer1000", "ms")),
    (8, "100,000 spawned, exits lost", "<=", 0, "", plain("exits", "lost")),
    (9, "100,000 queued, a message", "<=", 2, "µs", plain("queue", "us")),
    (10, "1,000 tasks all to all finish in", "<=", 600, "s",
     lambda m: (m.get("all", "s"), f"{m.get('all', 'pair_bytes'):.0f} B per active pair")),
    (12, "bandwidth through daemons, ours / original", ">=", 10, "", across_bandwidth),
    (12, "latency through daemons, ours / original", "<=", 1, "", across_latency),
)


def judge(medians):
    """A list of (number, what, bar, figure or None, words, whether it is met) for all bars."""
    rows = []
    for number, what, sign, bar, unit, figure in BARS:
        bar_text = f"{'≤' if sign == '<=' else '≥'} {bar:g} {unit}".strip()
        try:
            value, words = figure(Medians(medians))
        except (KeyError, ValueError, ZeroDivisionError):
            rows.append((number, what, bar_text, None, "not measured", False))
            continue
        met = value <= bar if sign == "<=" else value >= bar
        told = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
        rows.append((number, what, bar_text, f"{told} {unit}".strip(), words, met))
    return rows
