"""HTML put together so that nothing is left unescaped: text is escaped unless it is already markup."""

from __future__ import annotations

from html import escape


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | bool | None) -> Markup:
    """An element. Children that are not `Markup` are escaped.

    Attributes: a trailing underscore is dropped and the others become hyphens (class_, aria_label); True stands for an
    attribute without a value, False and None leave it out.
    """
    given = "".join(
        f" {_attribute(key)}" if value is True else f' {_attribute(key)}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Children one after another, escaped where they are not markup."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))


_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
