"""Charts as SVG, drawn on the server: they need no script, no font and no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from monitoring.page.axes import STEPS, Axis

WIDTH, HEIGHT = 720, 190
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 12, 24


@dataclass(frozen=True)
class Line:
    """A series of (time in seconds since 1970, value); with `dots`, points only."""

    name: str
    points: Sequence[tuple[float, float]]
    css: str
    dots: bool = False


@dataclass(frozen=True)
class Band:
    """Between two values at each moment: (time in seconds since 1970, low, high)."""

    points: Sequence[tuple[float, float, float]]
    css: str


@dataclass(frozen=True)
class Mark:
    """A moment that the chart marks, with the words that a pointer shows."""

    time_s: float
    text: str


def chart(
    lines: Sequence[Line],
    time: Axis,
    values: Axis,
    marks: Sequence[Mark] = (),
    floor: float | None = None,
    unit: str = "",
    band: Band | None = None,
) -> str:
    """One chart; times are labelled in UTC, with seconds where the lines of the axis are less than a minute apart."""
    frame = _Frame(time, values)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="chart">']
    parts += [_grid_line(frame, value, unit) for value in _steps(values)]
    parts += [_time_label(frame, place, time_s) for place, time_s in enumerate(_steps(time))]
    parts += [_mark(frame, mark) for mark in marks if time.low <= mark.time_s <= time.high]
    if band is not None:
        parts += _band(frame, band)
    if floor is not None:
        at = f"{frame.y(floor):.1f}"
        parts.append(f'<line class="floor" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
    for line in lines:
        parts += _line(frame, line)
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True)
class _Frame:
    """Where a time and a value lie in the picture."""

    time: Axis
    values: Axis

    def x(self, time_s: float) -> float:
        return LEFT + (time_s - self.time.low) / (self.time.high - self.time.low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        inside = min(max(value, self.values.low), self.values.high)
        share = (inside - self.values.low) / (self.values.high - self.values.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def shown(self, time_s: float) -> bool:
        return self.time.low <= time_s <= self.time.high


def _steps(axis: Axis) -> list[float]:
    return [axis.low + (axis.high - axis.low) * step / STEPS for step in range(STEPS + 1)]


def _grid_line(frame: _Frame, value: float, unit: str) -> str:
    at = frame.y(value)
    line = f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
    return f'{line}<text class="tick" x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:.4g}{unit}</text>'


def _time_label(frame: _Frame, place: int, time_s: float) -> str:
    form = "%H:%M" if frame.time.high - frame.time.low >= 60 * STEPS else "%H:%M:%S"
    shown = datetime.fromtimestamp(time_s, UTC).strftime(form)
    anchor = "start" if place == 0 else "end" if place == STEPS else "middle"
    return f'<text class="tick" x="{frame.x(time_s):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{shown}</text>'


def _mark(frame: _Frame, mark: Mark) -> str:
    at, title = f"{frame.x(mark.time_s):.1f}", f"<title>{escape(mark.text)}</title>"
    return f'<line class="mark" x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}">{title}</line>'


def _band(frame: _Frame, band: Band) -> list[str]:
    shown = [point for point in band.points if frame.shown(point[0])]
    if len(shown) < 2:
        return []
    upper = [(frame.x(time_s), frame.y(high)) for time_s, _, high in shown]
    lower = [(frame.x(time_s), frame.y(low)) for time_s, low, _ in reversed(shown)]
    return [f'<polygon class="{band.css}" points="{_path([*upper, *lower])}"/>']


def _line(frame: _Frame, line: Line) -> list[str]:
    shown = [(frame.x(time_s), frame.y(value), time_s, value) for time_s, value in line.points if frame.shown(time_s)]
    if line.dots or len(shown) == 1:
        return [_dot(line, *point) for point in shown]
    return [f'<polyline class="{line.css}" points="{_path([point[:2] for point in shown])}"/>'] if shown else []


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _dot(line: Line, px: float, py: float, time_s: float, value: float) -> str:
    moment = datetime.fromtimestamp(time_s, UTC).strftime("%H:%M")
    words = escape(f"{line.name}: {value:.4g} at {moment} UTC")
    return f'<circle class="{line.css}" cx="{px:.1f}" cy="{py:.1f}" r="3"><title>{words}</title></circle>'
