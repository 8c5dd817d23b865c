"""The pictures of the Score panel: each paints what it is given, in the order of a reader's questions."""

import math
from typing import NamedTuple

from slicer.i18n import tr as _

from her2map.score.standing import PROBABILITY

from .score_painting import GAP, MARGIN, Picture, faded, roundNumbers, scale
from .score_texts import ER, markText, nameOf, valueText

BAR = 14
"""Height of a bar, in pixels."""
PROBABILITIES = (0.01, 0.99, 0.5, 0.1, 0.9, 0.05, 0.95, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6)
"""On the nomogram, in the order of importance."""


class Told(NamedTuple):
    """A card and what it says of a case: the assessment and the case's standings are None without values."""

    card: object
    assessment: object
    standings: tuple = ()

    @property
    def scored(self) -> bool:
        return self.assessment is not None and not self.assessment.refusals


class ProbabilityScale(Picture):
    """The probability with its interval, between the card's two groups, the cut-off and the grey zone."""

    def draw(self, ink) -> float:
        told, x = self.content, scale(ink, 0.0, 1.0)
        card, found = told.card, told.assessment
        cut = x(card.cut_off)
        self._sides(ink, card, cut)
        top = ink.line + GAP
        bottom = top + 2 * BAR
        ink.box(x(0), top, cut, bottom, faded(ink.colours.negative, 0.35))
        ink.box(cut, top, x(1), bottom, faded(ink.colours.positive, 0.35))
        zone = found.grey_zone if told.scored else None
        if zone is not None and zone.high > zone.low:
            ink.hatch(x(zone.low), top, x(zone.high), bottom)
        ink.stroke(cut, top - GAP, cut, bottom + GAP, thick=2)
        middle = (top + bottom) / 2
        if told.scored:
            self._interval(ink, x(found.low), x(found.high), middle)
            ink.dot(x(found.probability), middle)
        marks = [(x(tenth / 10), f"{10 * tenth} %") for tenth in (0, 10, 2, 4, 6, 8)]
        return self._legend(ink, ink.ticks(bottom, marks) + GAP)

    def _sides(self, ink, card, cut) -> None:
        """The call on each side of the cut-off."""
        half = ink.width / 2 - GAP
        ink.write(MARGIN, 0, f"← {card.negative_call}", room=half)
        ink.write(ink.width - MARGIN, 0, f"{card.positive_call} →", side=1.0, room=half)

    def _interval(self, ink, low, high, y) -> None:
        ink.stroke(low, y, high, y, ink.colours.window, 5)
        ink.stroke(low, y, high, y, thick=2.5)
        for end in (low, high):
            ink.stroke(end, y - 5, end, y + 5, thick=2.5)

    def _legend(self, ink, top) -> float:
        """In as many lines as it needs."""
        cut = _("cut-off {cut}").format(cut=valueText("", self.content.card.cut_off))
        items = [
            (_("case"), lambda x, y: ink.dot(x + 8, y)),
            (_("95 % interval"), lambda x, y: self._interval(ink, x + 1, x + 15, y)),
            (_("grey zone"), lambda x, y: ink.hatch(x, y - 6, x + 16, y + 6)),
        ]
        items = items if self.content.scored else []
        items.append((cut, lambda x, y: ink.stroke(x + 8, y - 6, x + 8, y + 6, thick=2)))
        left = 0.0
        for text, sign in items:
            wide = 20 + ink.widthOf(text)
            if left and left + wide > ink.width:
                left, top = 0.0, top + ink.line + GAP
            sign(left, top + ink.line / 2)
            ink.write(left + 20, top, text)
            left += wide + 3 * GAP
        return top + ink.line + GAP


class NomogramPicture(Picture):
    """The model as scales of points, with the case's own drawn in."""

    def draw(self, ink) -> float:
        from her2map.score.nomogram import nomogram

        told = self.content
        model = nomogram(told.card)
        values = {one.name: one.value for one in told.standings}
        inside = {
            one.name: values[one.name]
            for one in told.card.predictors
            if one.minimum <= values.get(one.name, math.nan) <= one.maximum
        }
        x = scale(ink, 0.0, 100.0)
        top = ink.heading(0, _("Points")) + GAP
        ink.stroke(x(0), top, x(100), top)
        upper, top = top, ink.ticks(top, [(x(p), f"{p}") for p in (0, 100, 20, 40, 60, 80)])
        for axis in model.axes:
            top = self._axis(ink, axis, inside.get(axis.name), upper, top + GAP)
        return self._sum(ink, model, inside, top + GAP)

    def _axis(self, ink, axis, value, upper, top) -> float:
        x = scale(ink, 0.0, 100.0)
        right = ""
        if value is not None:
            right = _("{value}: {points} points").format(
                value=valueText(axis.name, value), points=round(axis.points(value))
            )
        top = ink.heading(top, nameOf(axis.name) + (f" ({axis.unit})" if axis.unit != "1" else ""), right)
        y = top + GAP + 2
        ink.stroke(x(axis.points(axis.low)), y, x(axis.points(axis.high)), y)
        marks = [0.0, 1.0] if axis.name == ER else roundNumbers(axis.low, axis.high)
        below = ink.ticks(y, [(x(axis.points(mark)), markText(axis.name, mark)) for mark in marks])
        if value is not None:
            at = x(axis.points(value))
            ink.stroke(at, upper, at, y, ink.colours.faint, dotted=True)
            ink.dot(at, y)
        return below

    def _sum(self, ink, model, inside, top) -> float:
        """The sum of the points, and below it the probability that it reads as."""
        told, most = self.content, max(model.total, 1.0)
        x = scale(ink, 0.0, most)
        scored = told.scored and len(inside) == len(model.axes)
        total = sum(axis.points(inside[axis.name]) for axis in model.axes) if scored else math.nan
        top = ink.heading(top, _("Total points"), f"{total:.0f}" if scored else "")
        y = top + GAP + 2
        ink.stroke(x(0), y, x(most), y)
        below = ink.ticks(y, [(x(mark), f"{mark:g}") for mark in roundNumbers(0.0, most)])
        title = _("Probability of {group}").format(group=told.card.groups[1])
        below = ink.heading(below + GAP, title, valueText("", told.assessment.probability) if scored else "")
        lower = below + GAP + 2
        reached = [(p, model.points_of(p)) for p in PROBABILITIES] if model.total > 0 else []
        ink.stroke(x(0), lower, x(most), lower)
        marks = [(x(points), f"{100 * p:.0f} %") for p, points in reached if 0 <= points <= most]
        if scored:
            ink.stroke(x(total), y, x(total), lower, ink.colours.faint, dotted=True)
        end = ink.ticks(lower, marks)
        for where in (y, lower) if scored else ():
            ink.dot(x(total), where)
        return end


class ContributionsPicture(Picture):
    """What each predictor adds to the log odds, against a case with the training cohort's mean."""

    def draw(self, ink) -> float:
        told = self.content
        if not told.scored:
            return ink.heading(0, _("Without a score there are none."))
        rows = told.assessment.contributions
        reach = max([0.5, *(abs(one.log_odds) for one in rows)])
        x, top = scale(ink, -reach, reach), 0.0
        first = ink.line
        for one in rows:
            title = f"{nameOf(one.name)} {valueText(one.name, one.value)}"
            top = ink.heading(top, title, f"{one.log_odds:+.2f}") + 2
            colour = ink.colours.positive if one.log_odds > 0 else ink.colours.negative
            left, right = sorted((x(0), x(one.log_odds)))
            ink.box(left, top, right, top + BAR, colour)
            top += BAR + GAP
        ink.stroke(x(0), first, x(0), top)
        ink.stroke(x(-reach), top, x(reach), top)
        top = ink.ticks(
            top, [(x(mark), f"{mark:+g}" if mark else "0") for mark in roundNumbers(-reach, reach)]
        )
        negative, positive = told.card.groups
        half = ink.width / 2 - GAP
        ink.write(0, top + GAP, f"← {negative}", room=half)
        ink.write(ink.width, top + GAP, f"{positive} →", side=1.0, room=half)
        return top + ink.line + 2 * GAP


class CohortPicture(Picture):
    """Each predictor and the probability in the training cohort's groups, with the case marked."""

    def draw(self, ink) -> float:
        told, top = self.content, 0.0
        colours = (ink.colours.negative, ink.colours.positive)
        for (group, count), colour in zip(told.card.cohort.groups.items(), colours, strict=True):
            ink.box(0, top + 3, 14, top + ink.line - 3, colour)
            ink.write(20, top, f"{group} (n = {count})")
            top += ink.line
        for one in told.standings:
            top = self._quantity(ink, one, colours, top + 2 * GAP)
        text = _("line: all; faint: middle 80 %; full: middle 40 %; notch: median")
        return self._wrapped(ink, text, top + GAP)

    def _quantity(self, ink, one, colours, top) -> float:
        ends = [end for deciles in one.deciles.values() for end in (deciles[0], deciles[-1])]
        bounded = one.unit == "1" and min(ends) >= 0 and max(ends) <= 1
        low, high = (0.0, 1.0) if bounded else (min(ends), max(ends))
        if not math.isnan(one.value):
            low, high = min(low, one.value), max(high, one.value)
        x = scale(ink, low, high)
        name = _("ER positive") if one.name == ER else nameOf(one.name)
        case = (
            "" if math.isnan(one.value) else _("case: {value}").format(value=valueText(one.name, one.value))
        )
        top = ink.heading(top, name, case) + 2
        first = top
        for (group, deciles), colour in zip(one.deciles.items(), colours, strict=True):
            if one.name == ER:
                self._part(ink, x, one.means[group], colour, top)
            else:
                self._spread(ink, x, deciles, colour, top)
            top += BAR + 2
        ink.stroke(x(low), top, x(high), top)
        end = ink.ticks(top, [(x(mark), self._mark(one, mark)) for mark in roundNumbers(low, high)])
        if one.name != ER and not math.isnan(one.value):
            ink.stroke(x(one.value), first - 2, x(one.value), top, thick=2)
            ink.dot(x(one.value), (first + top) / 2)
        return end

    def _mark(self, one, mark) -> str:
        """Of parts and probabilities in percent."""
        return f"{100 * mark:.0f} %" if one.name in (ER, PROBABILITY) else f"{mark:g}"

    def _part(self, ink, x, part, colour, top) -> None:
        """How many of the group have it."""
        ink.box(x(0), top, x(1), top + BAR, faded(colour, 0.2))
        ink.box(x(0), top, x(part), top + BAR, faded(colour, 0.7))

    def _spread(self, ink, x, deciles, colour, top) -> None:
        middle, bottom = top + BAR / 2, top + BAR
        ink.stroke(x(deciles[0]), middle, x(deciles[10]), middle, colour, 1.5)
        ink.box(x(deciles[1]), top, x(deciles[9]), bottom, faded(colour, 0.4))
        ink.box(x(deciles[3]), top, x(deciles[7]), bottom, colour)
        ink.box(x(deciles[5]) - 1, top, x(deciles[5]) + 1, bottom, ink.colours.window)

    def _wrapped(self, ink, text, top) -> float:
        """Words in as many lines as they need."""
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and ink.widthOf(longer) > ink.width:
                ink.write(0, top, line)
                top, longer = top + ink.line, word
            line = longer
        ink.write(0, top, line)
        return top + ink.line + GAP


class SharesPicture(Picture):
    """How much of the uncertainty comes from where."""

    def draw(self, ink) -> float:
        from her2map.report.score_words import largest_first

        told, top = self.content, 0.0
        if not told.scored:
            return ink.heading(0, _("Without a score there is none."))
        parts = sorted((one.part for one in told.assessment.shares.values() if one.variance), reverse=True)
        x = scale(ink, 0.0, 1.0)
        for (words, percent), part in zip(largest_first(told.assessment), parts, strict=True):
            top = ink.heading(top, words, percent) + 2
            ink.box(x(0), top, x(1), top + BAR, faded(ink.colours.text, 0.12))
            ink.box(x(0), top, max(x(part), x(0) + 1), top + BAR, ink.colours.negative)
            top += BAR + GAP
        return top


PICTURES = {
    _("Nomogram"): NomogramPicture,
    _("Predictors (log odds)"): ContributionsPicture,
    _("Training cohort"): CohortPicture,
    _("Uncertainty"): SharesPicture,
}
"""Below the scale, one at a time."""
