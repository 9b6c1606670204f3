"""Line plots with logarithmic axes, as SVG."""
import html
import math

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 44, 48
COLOURS = ("#1b6ca8", "#7f7f7f", "#c44e52", "#55a868", "#8172b2", "#ccb974", "#64b5cd", "#4c4c4c", "#dd8452")


class Axis:
    """Maps values onto pixels, from one power of ten to another; ticks are the powers in between."""

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


def curve(name, points, at, across, up):
    colour = COLOURS[at % len(COLOURS)]
    places = [(across.place(x), up.place(y)) for x, y in points]
    drawn = [f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
             + " ".join(f"{x:.1f},{y:.1f}" for x, y in places) + '"/>']
    drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    y = TOP + 10 + 18 * at
    x = WIDTH - RIGHT + 10
    return drawn + [f'<rect x="{x}" y="{y - 6}" width="14" height="4" fill="{colour}"/>',
                    text(x + 20, y, name, "start")]


def svg(title, labels, series, names=(lambda value: f"{value:g}",) * 2):
    """labels: of the two axes; series: name -> [(x, y)]; names: how their ticks are written."""
    points = [point for curve_points in series.values() for point in curve_points if point[1] > 0]
    across = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'font-family="sans-serif" fill="#222">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             text(LEFT, 22, title, "start", 15, 'font-weight="bold"'), *grid(across, up, *names)]
    for at, (name, found) in enumerate(series.items()):
        drawn += curve(name, [point for point in found if point[1] > 0], at, across, up)
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn += [text(middle, HEIGHT - 10, labels[0]), text(LEFT, TOP - 8, labels[1], "start"), "</svg>"]
    return "\n".join(drawn) + "\n"
