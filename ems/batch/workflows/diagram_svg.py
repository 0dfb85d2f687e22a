"""The graph of a workflow as a picture without anything from outside: SVG, alone or in a page."""

from __future__ import annotations

from html import escape

from ems.batch.workflows.diagram import edge_label, label_of, layers_of
from ems.batch.workflows.spec import WorkflowSpec
from ems.batch.workflows.task_spec import AnyTask

_CHARACTER_PX, _BOX_HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 7.4, 46, 28, 54, 20
_NARROWEST_PX, _LANE_PX = 110, 10
Place = str | tuple[str, str, int]
"""A task by its id, or the lane of a line in a row: from, to, row."""
_STYLE = """\
svg{font:13px system-ui,sans-serif}
.task rect{fill:#eef3f8;stroke:#5b7c99;stroke-width:1.2}
.condition rect{fill:#fff6df;stroke:#b08a2e}
.transform rect{fill:#eaf6ec;stroke:#4f8a5b}
.notify rect,.http rect{fill:#f6ecf7;stroke:#8a5a94}
.delay rect{fill:#f1f1f1;stroke:#888}
.name{fill:#1b2733;font-weight:600}
.what,.when{fill:#52606d;font-size:11px}
.edge{fill:none;stroke:#7b8794;stroke-width:1.3}
.maybe{stroke-dasharray:5 4}
@media (prefers-color-scheme:dark){
.task rect{fill:#22303c}.condition rect{fill:#3a3220}.transform rect{fill:#20352a}
.notify rect,.http rect{fill:#35263a}.delay rect{fill:#2e2e2e}
.name{fill:#eef3f8}.what,.when{fill:#b6c2cd}}"""
_PAGE_STYLE = """\
:root{color-scheme:light dark}
body{font:15px system-ui,sans-serif;margin:2rem;max-width:80rem}
svg{max-width:100%;height:auto}"""


def svg_of(spec: WorkflowSpec) -> str:
    """Return the graph as SVG; texts of people are escaped, and nothing is loaded from elsewhere."""
    rows = _rows_of(spec)
    widths = {one: _width(spec.task(one)) if isinstance(one, str) else _LANE_PX for row in rows for one in row}
    row_widths = [sum(widths[one] for one in row) + _GAP_X * (len(row) - 1) for row in rows]
    width = max(row_widths) + 2 * _MARGIN
    height = len(rows) * _BOX_HEIGHT + (len(rows) - 1) * _GAP_Y + 2 * _MARGIN
    place: dict[Place, tuple[float, float]] = {}
    for number, (row, row_width) in enumerate(zip(rows, row_widths, strict=True)):
        x = (width - row_width) / 2
        for one in row:
            place[one] = (x + widths[one] / 2, _MARGIN + number * (_BOX_HEIGHT + _GAP_Y))
            x += widths[one] + _GAP_X
    title = escape(spec.title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="#7b8794"/></marker></defs>',
    ]
    for task in spec.tasks:
        for name in task.depends_on:
            lanes = [at for one, at in place.items() if not isinstance(one, str) and one[:2] == (name, task.id)]
            parts.append(_edge([place[name], *lanes, place[task.id]], task))
    parts += [_box(task, *place[task.id], widths[task.id]) for task in spec.tasks]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rows_of(spec: WorkflowSpec) -> list[list[Place]]:
    """Return what stands in each row: tasks, and lanes for lines which pass the row on their way further down."""
    layers = layers_of(spec)
    row_of = {task.id: number for number, layer in enumerate(layers) for task in layer}
    rows: list[list[Place]] = [[task.id for task in layer] for layer in layers]
    before: dict[Place, list[Place]] = {task.id: [] for task in spec.tasks}
    for task in spec.tasks:
        for name in task.depends_on:
            last: Place = name
            for number in range(row_of[name] + 1, row_of[task.id]):
                lane = (name, task.id, number)
                rows[number].append(lane)
                before[lane] = [last]
                last = lane
            before[task.id].append(last)
    at: dict[Place, float] = {}
    for row in rows:
        near = {one: [at[other] for other in before[one]] for one in row}
        row.sort(key=lambda one: sum(near[one]) / len(near[one]) if near[one] else 0.0)
        at |= {one: (number + 0.5) / len(row) for number, one in enumerate(row)}
    return rows


def html_of(spec: WorkflowSpec) -> str:
    """Return a page with the graph."""
    title, said = escape(spec.title), escape(spec.description)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<style>{_PAGE_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{said}</p>\n{svg_of(spec)}</body>\n</html>\n"
    )


def _width(task: AnyTask) -> float:
    return max(_NARROWEST_PX, *(len(line) * _CHARACTER_PX + 24 for line in label_of(task)))


def _box(task: AnyTask, middle: float, y: float, width: float) -> str:
    name, what = (escape(line) for line in label_of(task))
    return (
        f'<g class="task {escape(task.kind)}"><title>{escape(task.id)}</title>'
        f'<rect x="{middle - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_BOX_HEIGHT}" rx="7"/>'
        f'<text class="name" x="{middle:.1f}" y="{y + 20:.1f}" text-anchor="middle">{name}</text>'
        f'<text class="what" x="{middle:.1f}" y="{y + 36:.1f}" text-anchor="middle">{what}</text></g>'
    )


def _edge(points: list[tuple[float, float]], task: AnyTask) -> str:
    """Return a curve from below one task, through its lanes, to above another."""
    (x, y), said = points[0], edge_label(task)
    y += _BOX_HEIGHT
    path = f"M{x:.1f} {y:.1f}"
    for number, (next_x, top) in enumerate(points[1:], 1):
        is_last = number == len(points) - 1
        next_y = top - 2 if is_last else top
        bend = (next_y - y) / 2
        path += f"C{x:.1f} {y + bend:.1f} {next_x:.1f} {next_y - bend:.1f} {next_x:.1f} {next_y:.1f}"
        x, y = next_x, next_y
        if not is_last:
            y += _BOX_HEIGHT
            path += f"V{y:.1f}"
    line = f'<path class="edge{" maybe" if said else ""}" d="{path}" marker-end="url(#arrow)"/>'
    if not said:
        return line
    return f'{line}<text class="when" x="{x + 6:.1f}" y="{y - 10:.1f}">{escape(said)}</text>'
