"""The screen of a terminal, computed from the output written to it, as text and as a picture."""
import re

_SEQUENCE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")
_CELL = 8  # the width in pixels; the height is twice that
_INK = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1)}


class Screen:
    """Knows line feeds, carriage returns, erasing to the end of a line, and the grey ends of the 256 colours. Anything
    else is a failure, so that nothing is overlooked."""

    def __init__(self, written, columns=200, ink=255, ground=0):
        self.columns, self.ink, self.ground = columns, ink, ground
        self.rows, self.column, self.colours = [[]], 0, (None, None)
        text = written.decode("utf-8")
        while text:
            if match := _SEQUENCE.match(text):
                self._control(*match.groups())
                text = text[match.end():]
            else:
                self._put(text[0])
                text = text[1:]

    def _control(self, parameters, final):
        if final == "K" and parameters in ("", "0"):
            del self.rows[-1][self.column:]
        elif final == "m":
            self._colour(parameters)
        else:
            raise AssertionError(f"what is ESC [ {parameters} {final}?")

    def _colour(self, parameters):
        known = {"": (None, None), "0": (None, None), "38;5;16;48;5;231": (0, 255)}
        self.colours = known[parameters]

    def _put(self, character):
        if character == "\n":
            self.rows.append([])
            self.column = 0
        elif character == "\r":
            self.column = 0
        elif character < " ":
            raise AssertionError(f"what is {character!r}?")
        else:
            if self.column == self.columns:
                self._put("\n")
            row = self.rows[-1]
            row.extend([(" ", None, None)] * (self.column - len(row)))
            row[self.column:self.column + 1] = [(character, *self.colours)]
            self.column += 1

    @property
    def lines(self):
        return ["".join(cell[0] for cell in row).rstrip() for row in self.rows]

    def save(self, path):
        """Writes a picture (PGM) of the screen. It draws only block characters."""
        with open(path, "wb") as file:
            file.write(b"P5 %d %d 255\n" % (self.columns * _CELL, len(self.rows) * 2 * _CELL))
            for row in self.rows:
                for half in (0, 1):
                    line = b"".join(self._pixels(row, column, half) for column in range(self.columns))
                    file.write(line * _CELL)

    def _pixels(self, row, column, half):
        character, ink, ground = row[column] if column < len(row) else (" ", None, None)
        inked = _INK.get(character, (0, 0))[half]
        value = (self.ink if ink is None else ink) if inked else (
            self.ground if ground is None else ground)
        return bytes([value]) * _CELL
