"""For how long a figure has not changed, or something has not happened, as the monitor has seen it."""

from __future__ import annotations


class Stillness:
    """Figures by name. One that is not asked for in a look is forgotten at its end."""

    def __init__(self, kept: dict[str, tuple[float, float]] | None = None) -> None:
        self._since = dict(kept or {})
        self._asked: set[str] = set()

    def unchanged_s(self, name: str, value: float | None, now_s: float) -> float:
        """Seconds since the figure was last seen to change; an unknown one has not been seen at all."""
        if value is None:
            return 0.0
        self._asked.add(name)
        before = self._since.get(name)
        if before is None or before[0] != value:
            self._since[name] = (value, now_s)
        return now_s - self._since[name][1]

    def since_last_s(self, name: str, happens: bool, now_s: float) -> float | None:
        """Seconds since something was last seen to happen: 0 while it does, None where it never was."""
        if happens:
            self._since[name] = (1.0, now_s)
        if name not in self._since:
            return None
        self._asked.add(name)
        return now_s - self._since[name][1]

    def end_look(self) -> None:
        self._since = {name: seen for name, seen in self._since.items() if name in self._asked}
        self._asked = set()

    def kept(self) -> dict[str, tuple[float, float]]:
        """Name -> (value, since when): what the next process of the monitor needs to go on."""
        return dict(self._since)
