"""Tables in plain text, for commands whose result is read by people. Knows nothing of what stands in them."""

from collections.abc import Sequence


def table(rows: Sequence[Sequence[object]], *, header: Sequence[str] = (), left: int = 1) -> str:
    """Lines of aligned columns, ending in a line break; the first `left` columns to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in ([header] if header else []) + list(rows)]
    if not cells:
        return ""
    columns = max(len(row) for row in cells)
    cells = [row + [""] * (columns - len(row)) for row in cells]
    widths = [max(len(row[column]) for row in cells) for column in range(columns)]
    if header:
        cells.insert(1, ["-" * width for width in widths])
    return "".join(_line(row, widths, left) for row in cells)


def wrapped(rows: Sequence[Sequence[object]], *, header: Sequence[str], numbers: Sequence[str] = ()) -> str:
    """As `table`, no wider than the terminal, or than 80 columns where there is none: a long last column goes on below. Without
    rich it is as `table`.

    numbers: which columns of the header stand to the right.
    """
    import io

    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:  # a machine that only trains may lack it
        return table(rows, header=header)

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in header:
        last = name == header[-1]
        drawn.add_column(
            name, justify="right" if name in numbers else "left", no_wrap=not last, overflow="fold", ratio=1 if last else None
        )
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))
    out = io.StringIO()
    Console(file=out, color_system=None, width=Console().width).print(drawn)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().replace("─", "-").splitlines())


def short(value: float) -> str:
    """A number with about three digits, thousands apart by a comma: 0.0123, 4.56, 123, 28,900."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        digits = max(len(str(int(abs(value)))) - 3, 0)
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def _line(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    padded = (
        cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(padded).rstrip() + "\n"
