"""What every picture of the explorer is made with, as SVG text: colours, words, and the document around its parts.

Colours are CSS variables (`COLOURS`) that fall back to the light ones, so a picture also stands alone.
"""

from __future__ import annotations

from html import escape

LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9", "#767676")
"""Okabe and Ito's colours in the order of `figures.style`, which is not imported since it brings in matplotlib."""
DARK = ("#5CB6F2", "#FF8F4D", "#37D3A4", "#EBA3C6", "#F2F2F2", "#F5C04A", "#9AD4FA", "#A8A8A8")
INK, FAINT, PAPER = "var(--fl-ink,#1f2328)", "var(--fl-faint,#d9dce0)", "var(--fl-paper,#ffffff)"
COLOURS = (
    "--fl-ink:#1f2328;--fl-faint:#d9dce0;--fl-paper:#ffffff;" + "".join(f"--fl-{n}:{c};" for n, c in enumerate(LIGHT)),
    "--fl-ink:#e8eaed;--fl-faint:#3c4148;--fl-paper:#16181c;" + "".join(f"--fl-{n}:{c};" for n, c in enumerate(DARK)),
)
"""Declarations of the variables, light and dark, for the style sheet of a page that shows pictures."""
TITLE = 24.0
"""Height of a picture's title, in pixels."""
_FONT = 'font-family="system-ui,-apple-system,Segoe UI,Roboto,Helvetica Neue,Arial,sans-serif"'


def colour(look: int) -> str:
    """The CSS colour of a look: a variable, with the light colour where it is not set."""
    return f"var(--fl-{look},{LIGHT[look]})"


def words(x: float, y: float, text: str, anchor: str, size: float) -> str:
    """Text at a point, in pixels; anchor: which end of it lies there ("start", "middle" or "end")."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" fill="{INK}">{escape(text)}</text>'
    )


def turned(x: float, y: float, text: str) -> str:
    """Text that reads upwards, with its middle at a point: what a y axis is."""
    return (
        f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)" text-anchor="middle" font-size="11.5" '
        f'fill="{INK}">{escape(text)}</text>'
    )


def document(width: int, height: float, title: str, description: str, body: str) -> str:
    """A whole SVG of this size around its parts, with its title written above them, 24 pixels high."""
    said = f"<desc>{escape(description)}</desc>" if description else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height:g}" {_FONT} '
        f'style="width:100%;max-width:{width}px;height:auto" aria-label="{escape(title)}">'
        f'<title>{escape(title)}</title>{said}<text x="8" y="15" font-size="12.5" font-weight="600" '
        f'fill="{INK}">{escape(title)}</text>{body}</svg>'
    )
