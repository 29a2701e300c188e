"""Charts as SVG, drawn on the server: they need no script, no font and no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

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
class Mark:
    """A moment that the chart marks, with the words that a pointer shows."""

    time_s: float
    text: str


def chart(
    lines: Sequence[Line],
    since_s: float,
    until_s: float,
    low: float,
    high: float,
    marks: Sequence[Mark] = (),
    floor: float | None = None,
    unit: str = "",
) -> str:
    """One chart over [since, until] x [low, high]; times are labelled in UTC."""

    def x(time_s: float) -> float:
        return LEFT + (time_s - since_s) / (until_s - since_s) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        inside = min(max(value, low), high)
        return HEIGHT - BOTTOM - (inside - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="chart">']
    for step in range(5):
        value = low + (high - low) * step / 4
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}{unit}</text>'
        )
    for step in range(5):
        time_s = since_s + (until_s - since_s) * step / 4
        shown = datetime.fromtimestamp(time_s, UTC).strftime("%H:%M")
        anchor = "start" if step == 0 else "end" if step == 4 else "middle"
        parts.append(f'<text class="tick" x="{x(time_s):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{shown}</text>')
    for mark in marks:
        if since_s <= mark.time_s <= until_s:
            at = f"{x(mark.time_s):.1f}"
            title = f"<title>{escape(mark.text)}</title>"
            parts.append(f'<line class="mark" x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}">{title}</line>')
    if floor is not None:
        parts.append(f'<line class="floor" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(floor):.1f}" y2="{y(floor):.1f}"/>')
    for line in lines:
        shown_points = [(x(t), y(v), t, v) for t, v in line.points if since_s <= t <= until_s]
        if not line.dots and len(shown_points) > 1:
            path = " ".join(f"{px:.1f},{py:.1f}" for px, py, _, _ in shown_points)
            parts.append(f'<polyline class="{line.css}" points="{path}"/>')
        if line.dots or len(shown_points) == 1:
            parts.extend(_dot(line, *point) for point in shown_points)
    parts.append("</svg>")
    return "".join(parts)


def _dot(line: Line, px: float, py: float, time_s: float, value: float) -> str:
    moment = datetime.fromtimestamp(time_s, UTC).strftime("%H:%M")
    words = escape(f"{line.name}: {value:.4g} at {moment} UTC")
    return f'<circle class="{line.css}" cx="{px:.1f}" cy="{py:.1f}" r="3"><title>{words}</title></circle>'
