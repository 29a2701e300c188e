"""Charts of a scorecard as SVG: a rate along the share of answers that are trusted, and how well probabilities fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contract.scorecard import CalibrationBin, Side
from monitoring.page.axes import STEPS, Axis, fitted

WIDTH, HEIGHT = 520, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 40
Point = tuple[float, float]

_LEAST_STEP: Final = 0.001
_SHOWN_OF_BOUND: Final = 3.0
"""A curve is shown up to three times its bound: what is far above it decides nothing."""


@dataclass(frozen=True)
class _Frame:
    """Shares from 0 to 1 in a picture."""

    across: Axis
    up: Axis

    def x(self, value: float) -> float:
        return LEFT + _share(self.across, value) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - _share(self.up, value) * (HEIGHT - TOP - BOTTOM)


def risk_chart(side: Side, rate: int) -> str:
    """The rate by its place in the side's rates: what was seen, below what it is, and the bound, with the threshold."""
    bound = side.rates[rate].bound
    seen = [(point.share, value) for point in side.curve if (value := point.observed[rate]) is not None]
    upper = [(point.share, point.upper[rate]) for point in side.curve]
    highest = _SHOWN_OF_BOUND * bound
    up = fitted([0.0, bound, *(min(value, highest) for _, value in (*seen, *upper))], _LEAST_STEP, 0.0, 1.0)
    across = fitted([0.0, *(share for share, _ in upper)], _LEAST_STEP, 0.0, 1.0)
    frame = _Frame(across or Axis(0.0, 1.0), up or Axis(0.0, 1.0))
    parts = [*_grid(frame, "share of all answers that are trusted"), _level(frame, bound, "floor")]
    if side.threshold is not None:
        parts.append(_upright(frame, side.share, f"from {side.threshold:.4f} on"))
    parts += [_path(frame, seen, "seen"), _path(frame, upper, "upper")]
    return _picture(parts)


def calibration_chart(bins: Sequence[CalibrationBin]) -> str:
    """Of each tenth of the rows, what was predicted and what came, with its 95 % interval; on the line is right."""
    highest = max((max(each.predicted, each.high) for each in bins), default=1.0)
    axis = fitted([0.0, highest], 0.01, 0.0, 1.0) or Axis(0.0, 1.0)
    frame = _Frame(axis, axis)
    parts = [*_grid(frame, "predicted"), _path(frame, [(0.0, 0.0), (axis.high, axis.high)], "right")]
    for each in bins:
        x, low, high = frame.x(each.predicted), frame.y(each.low), frame.y(each.high)
        words = f"predicted {each.predicted:.4g}, came {each.observed:.4g} of {each.rows}"
        parts.append(f'<line class="interval" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{frame.y(each.observed):.1f}" r="3"><title>{words}</title></circle>')
    return _picture(parts)


def _share(axis: Axis, value: float) -> float:
    return (min(max(value, axis.low), axis.high) - axis.low) / (axis.high - axis.low)


def _grid(frame: _Frame, across: str) -> list[str]:
    parts = []
    for step in range(STEPS + 1):
        value = frame.up.low + (frame.up.high - frame.up.low) * step / STEPS
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{100 * value:.3g} %</text>')
        there = frame.across.low + (frame.across.high - frame.across.low) * step / STEPS
        at = f'x="{frame.x(there):.1f}" y="{HEIGHT - BOTTOM + 16}"'
        anchor = "start" if step == 0 else "end" if step == STEPS else "middle"
        parts.append(f'<text class="tick" {at} text-anchor="{anchor}">{100 * there:.3g} %</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*parts, f'<text class="tick" x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{across}</text>']


def _level(frame: _Frame, value: float, css: str) -> str:
    y = frame.y(value)
    return f'<line class="{css}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _upright(frame: _Frame, value: float, words: str) -> str:
    x = frame.x(value)
    title = f"<title>{words}</title>"
    return f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}">{title}</line>'


def _path(frame: _Frame, points: Sequence[Point], css: str) -> str:
    line = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)
    return f'<polyline class="{css}" points="{line}"/>'


def _picture(parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="chart">{"".join(parts)}</svg>'
