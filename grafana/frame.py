"""What every board has: variables, links, times, and the marks of promoted and rejected checkpoints."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DashboardLinkType,
    VariableRefresh,
    VariableSort,
)

from grafana.palette import GREEN, RED
from grafana.panels import SOURCE
from grafana.queries import KEYS, of_model


def board(uid: str, title: str, description: str) -> Dashboard:
    """An empty board that nobody edits by hand."""
    return (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["tailwatch"])
        .readonly()
        .refresh("1m")
        .time("now-7d", "now")
        .timezone("browser")
        .link(_link("Boards of Tailwatch").as_dropdown(True))
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_several("job", "Job", "label_values(tailwatch_store_up, job)"))
        .with_variable(
            _several("instance", "Instance", 'label_values(tailwatch_store_up{job=~"$job"}, instance)')
        )
    )


def with_model(of: Dashboard) -> Dashboard:
    """A board about one model, with marks where checkpoints were promoted or rejected."""
    model = 'label_values(tailwatch_store_up{job=~"$job", instance=~"$instance"}, model)'
    promoted = of_model("tailwatch_checkpoint_info", 'role="promoted"')
    rejected = of_model("tailwatch_decision", 'decision="reject"')
    names = f"* on ({KEYS}) group_left (name) max by ({KEYS}, name) ({of_model('tailwatch_checkpoint_info')})"
    return (
        of.with_variable(_one("model", "Model", model))
        .annotation(_Mark("Promoted", GREEN, f"{promoted} unless on ({KEYS}) {_before(promoted)}"))
        .annotation(
            _Mark(
                "Rejected",
                RED,
                f"(({rejected} == 1) unless on ({KEYS}) ({_before(rejected)} == 1)) {names}",
            )
        )
    )


def with_checkpoint(of: Dashboard) -> Dashboard:
    """A board about one checkpoint of a model."""
    checkpoint = (
        'query_result(tailwatch_checkpoint_info{job=~"$job", instance=~"$instance", model=~"$model"})'
    )
    variable = _one("checkpoint", "Checkpoint", checkpoint)
    # Shown by name, known by digest.
    return of.with_variable(variable.regex('/checkpoint="(?<value>[^"]+)".*name="(?<text>[^"]+)"/'))


def row(title: str) -> Row:
    """A heading between panels."""
    return Row(title)


def link_to(title: str, url: str) -> DashboardLink:
    """A link at the top of a board."""
    return DashboardLink(title).type(DashboardLinkType.LINK).url(url).icon("doc").target_blank(True)


def _link(title: str) -> DashboardLink:
    link = DashboardLink(title).type(DashboardLinkType.DASHBOARDS).tags(["tailwatch"])
    return link.include_vars(True).keep_time(True)


def _several(name: str, label: str, query: str) -> QueryVariable:
    return _one(name, label, query).multi(True).include_all(True).all_value(".+")


def _one(name: str, label: str, query: str) -> QueryVariable:
    variable = QueryVariable(name).label(label).datasource(SOURCE).query({"query": query, "refId": name})
    return variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)


def _before(selector: str) -> str:
    """What was known a minute ago; a restart, or an outage of less than a day, does not make it news."""
    return f"last_over_time({selector}[1d] offset 1m)"


class _Mark(Builder[AnnotationQuery]):
    """A line across the panels at each moment for which a query begins to return something."""

    def __init__(self, name: str, colour: str, expression: str) -> None:
        self._mark = _NamedMark(
            name=name, datasource=SOURCE, icon_color=colour, expr=expression, hide=None, built_in=None
        )

    def build(self) -> AnnotationQuery:
        return self._mark


class _NamedMark(AnnotationQuery):
    """One that names the checkpoint; the SDK's model lacks the Prometheus data source's own fields."""

    def to_json(self) -> dict[str, object]:
        """The form that Grafana reads."""
        told = {
            "titleFormat": f"{self.name}: {{{{name}}}}",
            "textFormat": "{{checkpoint}}",
            "tagKeys": "role",
        }
        return super().to_json() | told
