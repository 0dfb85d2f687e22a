"""The graph of a workflow as a picture without anything from outside: SVG, alone or in a page."""

from __future__ import annotations

from html import escape

from ems.batch.workflows.diagram import edge_label, label_of, layers_of
from ems.batch.workflows.spec import AnyTask, WorkflowSpec

_CHARACTER_PX, _BOX_HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 7.4, 46, 28, 54, 20
_NARROWEST_PX = 110
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
    layers = layers_of(spec)
    width_of = {task.id: _width(task) for layer in layers for task in layer}
    layer_widths = [sum(width_of[task.id] for task in layer) + _GAP_X * (len(layer) - 1) for layer in layers]
    width = max(layer_widths) + 2 * _MARGIN
    height = len(layers) * _BOX_HEIGHT + (len(layers) - 1) * _GAP_Y + 2 * _MARGIN
    place: dict[str, tuple[float, float]] = {}
    for row, (layer, layer_width) in enumerate(zip(layers, layer_widths, strict=True)):
        x = (width - layer_width) / 2
        for task in layer:
            place[task.id] = (x, _MARGIN + row * (_BOX_HEIGHT + _GAP_Y))
            x += width_of[task.id] + _GAP_X
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
        parts += [_edge(place, width_of, name, task) for name in task.depends_on]
    parts += [_box(task, *place[task.id], width_of[task.id]) for task in spec.tasks]
    return "\n".join([*parts, "</svg>"]) + "\n"


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


def _box(task: AnyTask, x: float, y: float, width: float) -> str:
    name, what = (escape(line) for line in label_of(task))
    middle = x + width / 2
    return (
        f'<g class="task {escape(task.kind)}"><title>{escape(task.id)}</title>'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_BOX_HEIGHT}" rx="7"/>'
        f'<text class="name" x="{middle:.1f}" y="{y + 20:.1f}" text-anchor="middle">{name}</text>'
        f'<text class="what" x="{middle:.1f}" y="{y + 36:.1f}" text-anchor="middle">{what}</text></g>'
    )


def _edge(place: dict[str, tuple[float, float]], width_of: dict[str, float], name: str, task: AnyTask) -> str:
    """Return a curve from below one task to above another."""
    x1, y1 = place[name][0] + width_of[name] / 2, place[name][1] + _BOX_HEIGHT
    x2, y2 = place[task.id][0] + width_of[task.id] / 2, place[task.id][1] - 2
    bend, said = (y2 - y1) / 2, edge_label(task)
    path = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}"
    line = f'<path class="edge{" maybe" if said else ""}" d="{path}" marker-end="url(#arrow)"/>'
    if not said:
        return line
    return f'{line}<text class="when" x="{x2 + 6:.1f}" y="{y2 - 10:.1f}">{escape(said)}</text>'
