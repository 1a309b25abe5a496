# SPDX-License-Identifier: BSD-3-Clause
"""What a run came to, for people: the table, the bars, the plot, and docs/performance.md.

Works on the dictionary that bench/run keeps as JSON, so stored results can be told again.
"""
import statistics

import measures
import plot

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
FASTER_IS_MORE = "per_s"


def medians_of(samples):
    return {key: {metric: {who: statistics.median(values) for who, values in cells.items()}
                  for metric, cells in metrics.items()} for key, metrics in samples.items()}


def number(value):
    """Three digits that mean something."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def spread(values):
    """Half the distance of the quartiles, in % of the median; "" for a single value."""
    middle = statistics.median(values)
    if len(values) < 2 or not middle:
        return ""
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f" ±{50 * (high - low) / middle:.0f}%"


def rows(results):
    """(number, title, {contestant: (median, spread, how much better ours is)}) of all that ran."""
    medians = results["medians"]
    for measure in measures.MEASURES:
        for metric, unit in measure.metrics.items():
            cells = medians.get(measure.key, {}).get(str(metric))
            if not cells:
                continue
            found = {}
            for who, value in cells.items():
                values = results["samples"][measure.key][str(metric)][who]
                better = None
                if who != "ours" and cells.get("ours") and value:
                    better = value / cells["ours"]
                    better = 1 / better if metric == FASTER_IS_MORE else better
                found[who] = (number(value), spread(values), better)
            yield measure.number, f"{measure.title}, {unit}", found


def head(results):
    where = results["machine"]
    quick = "; --quick: THE NUMBERS MEAN NOTHING" if results["quick"] else ""
    load = f", load before {where['load']}" if "load" in where else ""
    return (f"{results['when']}, commit {results['commit']}, {where['cores']} cores "
            f"({where['processor']}), Linux {where['kernel']}{load}; "
            f"rounds: {results['rounds']}{quick}")


LEGEND = ("Median of the rounds, ± half the distance of the quartiles. ×: how many times ours is "
          "better (above 1) or worse.")


def write_table(results, out):
    columns = results["contestants"]
    table = [["", *columns]]
    for _, title, cells in rows(results):
        line = [title]
        for who in columns:
            value, about, better = cells.get(who, ("-", "", None))
            line.append(value + about + (f" ×{better:.2g}" if better else ""))
        table.append(line)
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    out.write(head(results) + "\n\n")
    for line in table:
        out.write(line[0].ljust(widths[0]) + "".join(
            "  " + word.rjust(width) for word, width in zip(line[1:], widths[1:])) + "\n")
    out.write(LEGEND + "\n\n")
    for where, what, bar, figure, words, met in measures.judge(results["medians"]):
        if figure:
            state = "met" if met else "MISSED"
            out.write(f"{where:>3} {what:54} {bar:>10}  {figure:>12}  {state:6} {words}".rstrip())
            out.write("\n")
    for words in results["notes"]:
        out.write(words + "\n")


def markdown(results):
    """The part of docs/performance.md that a run writes."""
    columns = results["contestants"]
    yield head(results) + "."
    yield ""
    yield "| # | bar of the issue | bar | result | |"
    yield "|---|---|---|---|---|"
    for where, what, bar, figure, words, met in measures.judge(results["medians"]):
        state = "" if figure is None else "met" if met else "**missed**"
        told = f"{figure} ({words})" if figure and words else figure or words
        yield f"| {where} | {what} | {bar} | {told} | {state} |"
    yield ""
    yield LEGEND
    yield ""
    yield "| # | | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 2) + "|"
    for where, title, cells in rows(results):
        line = f"| {where or ''} | {title} |"
        for who in columns:
            value, about, better = cells.get(who, ("", "", None))
            line += f" {value}{about}{f' (×{better:.2g})' if better else ''} |"
        yield line
    if results["notes"]:
        yield ""
        yield from ("- " + words for words in results["notes"])


def write_plot(results, path):
    series = {}
    for key, ending in (("netpipe", ""), ("across", ", two daemons")):
        for who in results["contestants"]:
            series[who + ending] = {int(size): cells[who] for size, cells in
                                    results["medians"].get(key, {}).items() if who in cells}
    path.write_text(plot.draw("NetPIPE: one-way time against message size", series))


def write_docs(results, folder):
    page = folder / "performance.md"
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(before + BEGIN + "\n" + "\n".join(markdown(results)) + "\n" + END + after)
    write_plot(results, folder / "performance.svg")
