# SPDX-License-Identifier: BSD-3-Clause
"""Draws series of NetPIPE, time against size, both axes logarithmic, as an SVG; nothing else."""
import html
import math

WIDTH, HEIGHT = 760, 470
LEFT, RIGHT, TOP, BOTTOM = 62, 196, 44, 48
COLOURS = ("#c02020", "#707070", "#1f6fb4", "#2e8b57", "#e08a1e", "#7b4fa3")


def size_name(size):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size >> (20 if name == 'MiB' else 10)} {name}"
    return f"{size} B"


def scale(low, high, begin, end):
    """A function from values to places between |begin| and |end|, logarithmic."""
    span = math.log(high / low) or 1
    return lambda value: begin + (end - begin) * math.log(value / low) / span


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{html.escape(words)}</text>'


def line(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def grid(place_x, place_y, sizes, times):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for power in range(0, 31, 2):
        if sizes[0] <= 1 << power <= sizes[1]:
            x = place_x(1 << power)
            yield line(x, TOP, x, bottom)
            yield text(x, bottom + 18, size_name(1 << power))
    for power in range(-3, 8):
        if times[0] <= 10 ** power <= times[1]:
            y = place_y(10 ** power)
            yield line(LEFT, y, right, y)
            name = f"{10 ** power:g} µs" if power < 3 else f"{10 ** (power - 3)} ms"
            yield text(LEFT - 8, y + 4, name, "end")


def curve(number, name, points, place_x, place_y, is_dashed):
    colour = COLOURS[number % len(COLOURS)]
    path = " ".join(f"{place_x(size):.1f},{place_y(time):.1f}" for size, time in points)
    dashes = ' stroke-dasharray="6 4"' if is_dashed else ""
    end_y = TOP + 10 + 20 * number
    x = WIDTH - RIGHT + 14
    yield (f'<polyline points="{path}" fill="none" stroke="{colour}" '
           f'stroke-width="2"{dashes}/>')
    yield (f'<line x1="{x}" y1="{end_y}" x2="{x + 22}" y2="{end_y}" stroke="{colour}" '
           f'stroke-width="2"{dashes}/>')
    yield text(x + 28, end_y + 4, name, "start")


def draw(title, series):
    """|series|: {name: {size: µs}}; names with a comma are dashed. Returns the text of an SVG."""
    series = {name: sorted(points.items()) for name, points in series.items() if points}
    every = [point for points in series.values() for point in points]
    sizes = [pick(size for size, _ in every) for pick in (min, max)] if every else [1, 10]
    times = [pick(time for _, time in every) for pick in (min, max)] if every else [1, 10]
    times = [10 ** math.floor(math.log10(times[0])), 10 ** math.ceil(math.log10(times[1]) + 1e-9)]
    place_x = scale(sizes[0], sizes[1], LEFT, WIDTH - RIGHT)
    place_y = scale(times[0], times[1], HEIGHT - BOTTOM, TOP)
    body = [text(LEFT, 24, title, "start", ' font-weight="bold"'), *grid(place_x, place_y, sizes,
                                                                        times)]
    for number, (name, points) in enumerate(series.items()):
        body += curve(number, name, points, place_x, place_y, "," in name)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" '
            'fill="white"/>\n' + "\n".join(body) + "\n</svg>\n")
