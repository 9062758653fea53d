"""What a running Prometheus answers to a board: values of its variables, series of its panels, marks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from grafana.pictures.boards import Board, Mark, Panel, Target, Undrawable, Variable

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
POINTS = 700
"""About as many as a wide panel has pixels."""
MARK_STEP_S = 60.0
"""Grafana asks for marks once a minute whatever the range is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time range of a board."""

    begin_s: float
    end_s: float
    """Seconds since 1970, as all times here."""
    step_s: float
    rate_interval_s: float
    """What ``$__rate_interval`` is filled with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an answer."""

    name: str
    """As the legend calls it."""
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    """Pairs of time and value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one query of a panel returned."""

    ref_id: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment that a mark stands at."""

    at_s: float
    mark: Mark


def span(begins: str, *, now_s: float, scrape_s: float) -> Span:
    """The range from a text such as "now-7d" to now, with the steps that Grafana would take.

    >>> span("now-1h", now_s=7200, scrape_s=15)
    Span(begin_s=3600, end_s=7200, step_s=15, rate_interval_s=60)
    """
    told = re.fullmatch(r"now-(\d+)([smhdw])", begins)
    if told is None:
        raise Undrawable(f"{begins} is not a beginning such as now-7d.")
    length_s = int(told[1]) * SECONDS[told[2]]
    step_s = max(scrape_s, length_s / POINTS)
    rate_s = max(step_s + scrape_s, 4 * scrape_s)
    return Span(begin_s=now_s - length_s, end_s=now_s, step_s=step_s, rate_interval_s=rate_s)


class Answers:
    """A board's questions, asked of one Prometheus for one time range."""

    def __init__(self, client: httpx.Client, span_: Span, chosen: Mapping[str, str]) -> None:
        self._client = client
        self.span = span_
        self._chosen = chosen
        self._values: dict[str, str] = {"__rate_interval": f"{max(1, round(span_.rate_interval_s))}s"}
        self.shown: dict[str, str] = {}
        """Labels of the variables with what is chosen, for the top of the page."""

    def choose(self, board: Board) -> None:
        """Fill the board's variables: "All" where that is offered, else what was chosen, else the first.

        Raises:
            Undrawable: Prometheus offers no value, or not the chosen one.
        """
        for variable in board.variables:
            if variable.all_value is not None and variable.name not in self._chosen:
                self._values[variable.name], self.shown[variable.label] = variable.all_value, "All"
                continue
            offered = self._offered(variable)
            text = self._chosen.get(variable.name) or next(iter(sorted(offered)), "")
            if text not in offered:
                known = ", ".join(sorted(offered)) or "nothing"
                raise Undrawable(f"{variable.name} cannot be {text or 'anything'}: there is {known}.")
            self._values[variable.name], self.shown[variable.label] = offered[text], text

    def of(self, panel: Panel) -> list[Answer]:
        """What the queries of a panel return."""
        return [Answer(ref_id=each.ref_id, series=tuple(self._series(each))) for each in panel.targets]

    def moments(self, board: Board) -> list[Moment]:
        """When the board's marks were set."""
        found: list[Moment] = []
        for mark in board.marks:
            for _, points in self._range(mark.expr, MARK_STEP_S):
                times = [at for at, _ in points]
                begun = [
                    at
                    for before, at in zip([0.0, *times], times, strict=False)
                    if at - before > 1.5 * MARK_STEP_S
                ]
                found.extend(Moment(at_s=at, mark=mark) for at in begun)
        return found

    def _series(self, target: Target) -> Iterator[Series]:
        results = self._instant(target.expr) if target.instant else self._range(target.expr, self.span.step_s)
        for labels, points in results:
            yield Series(name=_legend(target.legend, labels), labels=labels, points=points)

    def _offered(self, variable: Variable) -> dict[str, str]:
        """Values by the text that stands for them."""
        listed = re.fullmatch(r"label_values\((.+), (\w+)\)", variable.query)
        if listed:
            selector, label = listed.groups()
            values = self._get(f"label/{label}/values", {"match[]": self._filled(selector)} | self._times())
            return {value: value for value in values}
        asked = re.fullmatch(r"query_result\((.+)\)", variable.query)
        if asked is None:
            raise Undrawable(f"The variable {variable.name} asks {variable.query}.")
        pattern = re.compile(variable.regex.strip("/").replace("(?<", "(?P<"))
        texts = (_braced(labels) for labels, _ in self._instant(asked[1]))
        return {match["text"]: match["value"] for text in texts if (match := pattern.search(text))}

    def _instant(self, expr: str) -> list[tuple[dict[str, str], tuple[tuple[float, float], ...]]]:
        told = self._get("query", {"query": self._filled(expr), "time": str(self.span.end_s)})
        return [
            (each["metric"], ((float(each["value"][0]), float(each["value"][1])),)) for each in _many(told)
        ]

    def _range(
        self, expr: str, step_s: float
    ) -> list[tuple[dict[str, str], tuple[tuple[float, float], ...]]]:
        told = self._get(
            "query_range",
            {"query": self._filled(expr), "step": f"{step_s:.3f}"} | self._times(),
        )
        return [
            (each["metric"], tuple((float(at), float(value)) for at, value in each["values"]))
            for each in _many(told)
        ]

    def _times(self) -> dict[str, str]:
        return {"start": str(self.span.begin_s), "end": str(self.span.end_s)}

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{?(\w+)\}?", lambda found: self._values.get(found[1], found[0]), text)

    def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        answer = self._client.get(f"/api/v1/{path}", params=dict(parameters))
        if answer.status_code != httpx.codes.OK:
            raise Undrawable(f"Prometheus refuses {parameters.get('query', path)}: {answer.text}")
        return answer.json()["data"]


def _many(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The series of an answer; a scalar is one without labels."""
    if told["resultType"] == "scalar":
        return [{"metric": {}, "value": told["result"]}]
    found: list[dict[str, Any]] = told["result"]
    return found


def _legend(template: str, labels: Mapping[str, str]) -> str:
    if not template:
        return _braced(labels)
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), template)


def _braced(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
    return f"{labels.get('__name__', '')}{{{inside}}}"
