"""Line plots with logarithmic axes, as SVG."""
import html
import math

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 44, 48
COLOURS = ("#1b6ca8", "#8f8f8f", "#c44e52", "#55a868", "#8172b2")
DASHES = ("", "7 4", "2 3")


class Axis:
    """Maps values to pixels, from one power of ten to another. The ticks are the powers in between."""

    def __init__(self, values, first, last):
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.first, self.last = first, last

    def place(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self):
        return [10.0 ** exponent for exponent in range(self.low, self.high + 1)]


def text(x, y, words, anchor="middle", size=12, more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {more}>'
            f"{html.escape(words)}</text>")


def line(x1, y1, x2, y2, colour="#ddd"):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def grid(across, up, name_across, name_up):
    drawn = []
    for tick in across.ticks():
        x = across.place(tick)
        drawn += [line(x, TOP, x, HEIGHT - BOTTOM), text(x, HEIGHT - BOTTOM + 16, name_across(tick))]
    for tick in up.ticks():
        y = up.place(tick)
        drawn += [line(LEFT, y, WIDTH - RIGHT, y), text(LEFT - 6, y + 4, name_up(tick), "end")]
    return drawn


def styles(names):
    """Returns the style of a line: the part of its name before a comma decides the colour, the part after it the
    dashes."""
    parts = [name.partition(", ")[::2] for name in names]
    firsts, seconds = (list(dict.fromkeys(column)) for column in zip(*parts))
    return [f'stroke="{COLOURS[firsts.index(first) % len(COLOURS)]}" stroke-width="2" '
            f'stroke-dasharray="{DASHES[seconds.index(second) % len(DASHES)]}"' for first, second in parts]


def curve(name, points, style, at, across, up):
    places = " ".join(f"{across.place(x):.1f},{up.place(y):.1f}" for x, y in points)
    x, y = WIDTH - RIGHT + 10, TOP + 6 + 18 * at
    return [f'<polyline fill="none" {style} points="{places}"/>',
            f'<path d="M {x} {y} h 26" {style}/>', text(x + 32, y + 4, name, "start")]


def svg(title, labels, series, names=(lambda value: f"{value:g}",) * 2):
    """labels: of the two axes. series: name -> [(x, y)]. names: functions that write the ticks of each axis."""
    points = [point for curve_points in series.values() for point in curve_points if point[1] > 0]
    across = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'font-family="sans-serif" fill="#222">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             text(LEFT, 22, title, "start", 15, 'font-weight="bold"'), *grid(across, up, *names)]
    for at, ((name, found), style) in enumerate(zip(series.items(), styles(series))):
        drawn += curve(name, [point for point in found if point[1] > 0], style, at, across, up)
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn += [text(middle, HEIGHT - 10, labels[0]), text(LEFT, TOP - 8, labels[1], "start"), "</svg>"]
    return "\n".join(drawn) + "\n"
