"""Painting on Qt widgets in the colours of their style, at any width: what the score's pictures share."""

import math

import qt

MARGIN, GAP = 8, 4
"""In pixels: at the sides for what stands out from a scale, and between lines."""


class Colours:
    """Legible on light and dark windows; blue and orange are told apart by nearly everybody.

    They are near those of Okabe and Ito.
    """

    def __init__(self, palette) -> None:
        self.window = qt.QColor(palette.window().color())
        self.text = qt.QColor(palette.windowText().color())
        dark = self.window.lightness() < 128
        self.negative = qt.QColor("#56B4E9" if dark else "#0072B2")
        self.positive = qt.QColor("#E69F00" if dark else "#B34D00")
        self.faint = faded(self.text, 0.35)


def faded(colour, alpha: float):
    """The same colour, through which the window shines."""
    found = qt.QColor(colour)
    found.setAlphaF(alpha)
    return found


class Ink:
    """Lines, boxes and texts on a widget; without a painter nothing is drawn, but told what would be.

    line - Height of a line of text, in pixels. width - Of the widget.
    texts - (left, top, right, bottom, text) of all that was written.
    """

    def __init__(self, widget, painter=None) -> None:
        self.colours, self.width, self.texts = Colours(widget.palette), widget.width, []
        self._metrics = qt.QFontMetrics(widget.font)
        self.line = self._metrics.height()
        self._painter = painter
        if painter is not None:
            painter.setFont(widget.font)
            painter.setRenderHint(qt.QPainter.Antialiasing)

    def widthOf(self, text: str) -> int:
        return self._metrics.horizontalAdvance(text)

    def write(self, x: float, top: float, text: str, side: float = 0.0, room: float = 0.0) -> float:
        """A line of text with its left end (`side` 0), middle (0.5) or right end (1) at `x`.

        It is moved where it would leave the widget, and shortened to `room`, or the widget's width.
        Returns where it ends on the right.
        """
        text = self._metrics.elidedText(text, qt.Qt.ElideRight, int(room or self.width))
        wide = self.widthOf(text)
        left = min(max(x - side * wide, 0.0), max(self.width - wide, 0.0))
        self.texts.append((left, top, left + wide, top + self.line, text))
        if self._painter is not None:
            self._painter.setPen(qt.QPen(self.colours.text))
            self._painter.drawText(qt.QPointF(left, top + self._metrics.ascent()), text)
        return left + wide

    def heading(self, top: float, left: str, right: str = "") -> float:
        """One text at each side; returns where the next line begins."""
        room = self.width - (self.widthOf(right) + 2 * GAP if right else 0)
        self.write(0, top, left, room=room)
        if right:
            self.write(self.width, top, right, side=1.0)
        return top + self.line

    def stroke(self, x1, y1, x2, y2, colour=None, thick: float = 1.0, dotted=False) -> None:
        if self._painter is None:
            return
        pen = qt.QPen(self.colours.text if colour is None else colour)
        pen.setWidthF(thick)
        if dotted:
            pen.setStyle(qt.Qt.DotLine)
        self._painter.setPen(pen)
        self._painter.drawLine(qt.QPointF(x1, y1), qt.QPointF(x2, y2))

    def box(self, left, top, right, bottom, colour) -> None:
        if self._painter is not None:
            self._painter.fillRect(qt.QRectF(left, top, right - left, bottom - top), colour)

    def hatch(self, left, top, right, bottom) -> None:
        """Oblique lines, which need no colour."""
        if self._painter is not None:
            brush = qt.QBrush(faded(self.colours.text, 0.6), qt.Qt.BDiagPattern)
            self._painter.fillRect(qt.QRectF(left, top, right - left, bottom - top), brush)

    def dot(self, x: float, y: float) -> None:
        """The case: a disc in the text's colour with a rim in the window's."""
        if self._painter is None:
            return
        pen = qt.QPen(self.colours.window)
        pen.setWidthF(1.5)
        self._painter.setPen(pen)
        self._painter.setBrush(qt.QBrush(self.colours.text))
        self._painter.drawEllipse(qt.QPointF(x, y), 5.0, 5.0)

    def ticks(self, top: float, marks) -> float:
        """Ticks (x, text) below a scale, in the order of importance; returns where the next line begins.

        A text that has no room is left out.
        """
        taken = []
        for x, text in marks:
            half = self.widthOf(text) / 2
            middle = min(max(x, half), self.width - half)
            self.stroke(x, top, x, top + GAP)
            if all(abs(middle - other) > half + reach + GAP for other, reach in taken):
                taken.append((middle, half))
                self.write(x, top + GAP, text, side=0.5)
        return top + GAP + self.line


class Picture(qt.QWidget):
    """A picture as wide as there is room, and as high as it has to be."""

    def __init__(self, parent=None) -> None:
        qt.QWidget.__init__(self, parent)
        self.content = None

    def take(self, content) -> None:
        """Show this; None shows nothing."""
        self.content = content
        self._fitHeight()
        self.update()

    def draw(self, ink) -> float:
        """Draw the content; returns the height."""
        raise NotImplementedError

    def _fitHeight(self) -> None:
        wanted = math.ceil(self.draw(Ink(self))) if self.content is not None else 0
        if wanted != self.height:
            self.setFixedHeight(wanted)

    def resizeEvent(self, event) -> None:
        qt.QWidget.resizeEvent(self, event)
        self._fitHeight()

    def paintEvent(self, event) -> None:
        if self.content is None:
            return
        painter = qt.QPainter(self)
        self.draw(Ink(self, painter))
        painter.end()


def scale(ink, low: float, high: float):
    """A function from [low, high] to x."""
    span = (high - low) or 1.0
    return lambda value: MARGIN + (value - low) / span * (ink.width - 2 * MARGIN)


def roundNumbers(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers from `low` to `high`, both ends first."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    found = [step * number for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return [*found[:1], *found[:0:-1][:1], *found[1:-1]]
