"""A flame graph as a small SVG: no script, a tooltip for each box, what is too narrow to see left out."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from benchmarks.profile.stacks import Node, is_own

WIDTH, ROW, TITLE = 1200, 17, 30
NARROWEST = 2.4
LETTER = 6.6
OWN, THEIRS = "#56b4c4", "#ffd8a8"
Box = tuple[float, int, float, Node]


def draw(root: Node, title: str) -> str:
    """Callers above, what they call below; blue is Dragoman's."""
    boxes = list(_place(root, 0.0, 0, WIDTH / max(root.samples, 1)))
    height = TITLE + ROW * (max(depth for _, depth, _, _ in boxes) + 1) + 4
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="6" y="20" font-size="14">{escape(title)}</text>',
    ]
    lines += [_draw_box(box, root.samples) for box in boxes]
    return "\n".join([*lines, "</svg>", ""])


def _place(node: Node, left: float, depth: int, scale: float) -> Iterator[Box]:
    width = node.samples * scale
    if width < NARROWEST:
        return
    yield left, depth, width, node
    for child in sorted(node.below.values(), key=lambda one: -one.samples):
        yield from _place(child, left, depth + 1, scale)
        left += child.samples * scale


def _draw_box(box: Box, total: int) -> str:
    left, depth, width, node = box
    top = TITLE + depth * ROW
    words = f"{node.name}: {100 * node.samples / total:.1f} %"
    room = int((width - 4) / LETTER)
    label = node.name if len(node.name) <= room else node.name[: max(room - 1, 0)] + "…"
    text = f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(label)}</text>' if room >= 4 else ""
    color = OWN if is_own(node.name) else THEIRS
    return (
        f'<g><title>{escape(words)}</title><rect x="{left:.1f}" y="{top}" width="{max(width - 0.5, 0.5):.1f}" '
        f'height="{ROW - 1}" fill="{color}"/>{text}</g>'
    )
