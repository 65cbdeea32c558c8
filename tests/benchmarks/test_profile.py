from xml.etree import ElementTree

from benchmarks.profile.flame import draw
from benchmarks.profile.stacks import grow, parse, rank

FOLDED = """\
run (somewhere/asyncio/runners.py:118);send (a/src/dragoman/engine/run.py:12);encode (b/src/dragoman/wire/json.py:3) 60
run (somewhere/asyncio/runners.py:118);send (a/src/dragoman/engine/run.py:12);sleep (x/asyncio/tasks.py:9) 30
run (somewhere/asyncio/runners.py:118) 10
"""


def test_a_function_is_charged_for_the_libraries_that_it_calls():
    hot = {one.name: (one.itself, one.whole) for one in rank(parse(FOLDED))}
    assert hot == {
        "encode dragoman/wire/json.py": (60.0, 60.0),
        "send dragoman/engine/run.py": (30.0, 90.0),
    }


def test_no_folder_of_the_machine_is_left_in_a_stack():
    names = {frame for stack, _ in parse(FOLDED) for frame in stack}
    assert names == {
        "run asyncio/runners.py",
        "send dragoman/engine/run.py",
        "encode dragoman/wire/json.py",
        "sleep asyncio/tasks.py",
    }


def test_a_flame_graph_has_a_box_for_each_function_as_wide_as_its_share():
    root = ElementTree.fromstring(draw(grow(parse(FOLDED)), "<send> & more"))
    space = "{http://www.w3.org/2000/svg}"
    widths = {
        group.findtext(f"{space}title", ""): float(rect.get("width", "0"))
        for group in root.iter(f"{space}g")
        for rect in group.iter(f"{space}rect")
    }
    assert widths["send dragoman/engine/run.py: 90.0 %"] == 1079.5
    assert len(widths) == 5


def test_what_is_too_narrow_to_see_is_left_out():
    picture = draw(grow([(("wide",), 10_000), (("narrow",), 1)]), "")
    assert "wide" in picture
    assert "narrow" not in picture
