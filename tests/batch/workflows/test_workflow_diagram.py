"""Pictures of workflows: layers, Mermaid, SVG; what people write is shown and never acts."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from ems.batch.workflows.diagram import layers_of, mermaid_of
from ems.batch.workflows.diagram_svg import html_of, svg_of
from ems.batch.workflows.spec import WorkflowSpec

EVIL = '<script>alert(1)</script>"\'--> ]; click x "javascript:y"'


def workflow(**titles: str) -> WorkflowSpec:
    def task(task_id: str, *before: str, **more: Any) -> dict[str, Any]:
        return {"kind": "delay", "id": task_id, "duration_s": 0, "depends_on": list(before), **more}

    tasks = [
        task("end", "left", "right", "far"),
        task("left", "start"),
        task("right", "start", title=titles.get("right")),
        task("start"),
        task("far", "right", when="failure"),
    ]
    return WorkflowSpec(name="trial", title=titles.get("whole", "Trial"), tasks=tasks)


def test_layers__each_task_below_those_that_it_waits_for() -> None:
    layers = [[task.id for task in layer] for layer in layers_of(workflow())]

    assert layers == [["start"], ["left", "right"], ["far"], ["end"]]


def test_mermaid__draws_each_task_and_each_arrow() -> None:
    text = mermaid_of(workflow())

    assert text.startswith('---\ntitle: "Trial"\n---\nflowchart TD\n')
    assert '  t3(["start<br/>delay"])' in text
    assert "  t3 --> t1\n" in text
    assert "  t2 -. failure .-> t4\n" in text
    assert len(re.findall(r"-->|\.->", text)) == 6


@pytest.mark.parametrize("draw", [mermaid_of, svg_of, html_of])
def test_picture__escapes_what_people_write(draw: Any) -> None:
    text = draw(workflow(right=EVIL, whole=EVIL).replace(description=EVIL))

    assert "<script" not in text.split("---\n")[-1]
    assert 'javascript:y"' not in text.split("---\n")[-1]


def test_svg__is_well_formed_and_loads_nothing() -> None:
    text = svg_of(workflow(right=EVIL, whole="Süd & Nord"))

    picture = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    boxes = picture.findall(f".//{space}rect")
    assert len(boxes) == 5
    assert len(picture.findall(f".//{space}path[@class='edge']")) == 5
    assert len(picture.findall(f".//{space}path[@class='edge maybe']")) == 1
    assert picture.find(f"{space}title").text == "Süd & Nord"  # type: ignore[union-attr]
    assert not re.search(r"(?:href|src)=|url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", text)
    assert not picture.findall(f".//{space}script")


def test_svg__boxes_do_not_overlap() -> None:
    tasks = [{"kind": "delay", "id": f"task-{n}", "title": "a long title " * n, "duration_s": 0} for n in range(1, 6)]
    picture = ElementTree.fromstring(svg_of(WorkflowSpec(name="wide", tasks=tasks)))

    spans = sorted(
        (float(box.get("x", 0)), float(box.get("x", 0)) + float(box.get("width", 0)))
        for box in picture.findall(".//{http://www.w3.org/2000/svg}rect")
    )
    assert all(end < begin for (_, end), (begin, _) in pairwise(spans))
    assert spans[0][0] >= 0
    assert spans[-1][1] <= float(picture.get("width", 0))


def test_html__is_a_whole_page() -> None:
    page = html_of(workflow())

    assert page.startswith("<!doctype html>")
    assert "<h1>Trial</h1>" in page
    assert "</svg>" in page
