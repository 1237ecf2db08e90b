"""README and docs/ say what the code computes: `python -m tests.docs` writes them anew where they do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from typer.main import get_command

from figures.catalogue import FIGURES
from figures.explore import PAGES
from filterlaw import app
from sim.cnn.presets import presets
from tests import docs
from tests.attack.__main__ import ATTACKS
from tests.attack.findings import Figure as Finding
from tests.attack.findings import Findings, Listing

ROOT = docs.ROOT
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in docs.DOCUMENTS}
COMMANDS = sorted(
    {line for text in TEXTS.values() for line in re.findall(r"^(?:\$ )?(filterlaw .*)$", text, re.MULTILINE)}
)


def test_every_document_is_listed() -> None:
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} == set(docs.DOCUMENTS) - {"README.md"}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", docs.DOCUMENTS)
def test_document_is_what_the_code_would_write(name: str) -> None:
    renewed = docs.renewed(TEXTS[name])
    assert renewed.splitlines() == TEXTS[name].splitlines(), f"python -m tests.docs {name} writes it anew"


@pytest.mark.parametrize("line", COMMANDS)
def test_command_can_be_parsed(line: str) -> None:
    command, words = get_command(app), docs.words(line)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
    assert not hasattr(command, "commands"), "no such command"
    with command.make_context("filterlaw", words) as context:
        given = context.params
    assert given.get("page") in (None, *PAGES)
    assert given.get("preset") in (None, *presets())
    assert set(given.get("names") or ()) <= set(FIGURES)


def test_every_command_is_shown() -> None:
    top = get_command(app).commands  # type: ignore[attr-defined]
    known = {f"simulate {name}" for name in top["simulate"].commands} | (set(top) - {"simulate"})
    shown = re.findall(r"^filterlaw (simulate \w+|\w+)", TEXTS["README.md"], re.MULTILINE)
    assert set(shown) == known


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {*re.findall(r"^(\w+):", makefile, re.MULTILINE), *ATTACKS}
    assert re.findall(r"^ATTACKS = (.*)$", makefile, re.MULTILINE)[0].split() == sorted(ATTACKS, key=makefile.index)
    shown = {target for text in TEXTS.values() for target in re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE)}
    assert {"verify", "test", "report", "explore", "bench"} <= shown <= targets


@pytest.mark.parametrize("name", docs.DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXTS[name]):
        assert ((ROOT / name).parent / target).is_file(), target


def test_paths_in_the_text_exist() -> None:
    for name, text in TEXTS.items():
        for path in re.findall(r"`((?:theory|sim|figures|tests|commands)/[\w/]+(?:\.py)?)`", text):
            assert (ROOT / path).exists(), f"{name}: {path}"


def test_pictures_are_those_shown_and_small() -> None:
    files = {path.stem: path for path in docs.PICTURES.iterdir()}
    assert sorted(files) == docs.picture_names()
    assert len(files) <= 6
    assert all(path.suffix == ".svg" and path.stat().st_size < 150_000 for path in files.values())


@pytest.mark.parametrize("name", docs.picture_names())
def test_picture_says_what_the_figure_says_now(name: str) -> None:
    held = (docs.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert docs.metadata(held) == docs.metadata(docs.drawn(name, Figure()).decode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", "```python\nprint(1 + 1)\n```\n\n```text\n2\n```\n"),
        ("```console\n$ filterlaw --version\nx\n```\n", None),
        ("<!-- ledger: C-E11 -->\n```\nid\n```\n", None),
        ("```sh\nfilterlaw nonsense\n```\n", "```sh\nfilterlaw nonsense\n```\n"),
    ],
)
def test_what_is_stale_is_noticed(text: str, expected: str | None) -> None:
    renewed = docs.renewed(text)
    assert renewed != text or "sh\n" in text
    if expected is not None:
        assert renewed == expected
    assert docs.renewed(renewed) == renewed


def test_findings_are_shown_and_long_lists_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = (
        Listing("Short", ("a line",)),
        Listing("Long", tuple(f"{n}: {'x' * 400 if n == 1 else 'x'}" for n in range(99))),
        Listing("Empty", ()),
    )
    findings = Findings((Finding("figures", 7, ">=", 8),), lists)
    about = {"environment": {"python": "3", "platform": "here"}, "seed": 5, "sample": True}
    monkeypatch.setattr(docs, "kept", lambda name: (findings, about))
    text = docs.renewed("<!-- attack: kills -->\nold\n<!-- end of attack -->\nbelow\n")
    assert text.startswith("<!-- attack: kills -->\n```\na sample of it only, seed 5; Python 3, here\nfigures  ")
    assert text.endswith("\n</details>\n<!-- end of attack -->\nbelow\n")
    assert "MISSED\n\nShort:\n  a line\n```\n\n<details><summary>Long (99)</summary>\n\n```\n0: x\n1: xxx" in text
    assert "x ...\n2: x\n" in text
    assert "59: x\n... and 39 more in docs/attacks/kills.json\n```\n" in text
    assert max(map(len, text.splitlines())) == docs.WIDEST
    assert "Empty" not in text
    assert docs.renewed(text) == text


def test_a_failing_block_fails() -> None:
    with pytest.raises(ZeroDivisionError):
        docs.renewed("```python\n1 / 0\n```\n")
    with pytest.raises(ValueError, match="must have a ```text block below it, got none for 'print"):
        docs.renewed("```python\nprint(1)\n```\n")


def test_blocks_run_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    docs.renewed("```python\nopen('left', 'w').close()\n```\n")
    assert not list(tmp_path.iterdir())
