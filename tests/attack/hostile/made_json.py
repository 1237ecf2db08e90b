"""Hand-made hostile JSON: bombs and dialects for every reader, then what is wrong for one of them alone."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.hostile.loaders import LOADERS, whole_correlation, whole_ledger, whole_record, whole_weights
from tests.attack.hostile.made import Expected, Made, no_plain_files, of_bytes, truncated

READERS = ("correlation", "records", "ledger")
GONE = object()

DIALECTS: dict[str, Callable[[bytes], bytes]] = {
    "a NaN": lambda whole: b'{"more": NaN,' + whole[1:],
    "an infinity": lambda whole: b'{"more": -Infinity,' + whole[1:],
    "an infinity in disguise": lambda whole: b'{"more": 1e999,' + whole[1:],
    "a number of ten thousand digits": lambda whole: b'{"more": ' + b"7" * 10_000 + b"," + whole[1:],
    "a key twice": lambda whole: b'{"more": 1, "more": 2,' + whole[1:],
    "half a character": lambda whole: b'{"more": "\\ud800",' + whole[1:],
    "half a character for a key": lambda whole: b'{"\\udfff": 1,' + whole[1:],
    "lists nested a million times": lambda whole: b'{"more": ' + b"[" * 10**6,
    "objects nested a million times": lambda whole: b'{"more": ' * 10**6,
    "five million empty lists": lambda whole: b'{"more": [' + b"[]," * 5_000_000 + b"[]]," + whole[1:],
    "five million small numbers": lambda whole: b'{"more": [' + b"0," * 5_000_000 + b"0]," + whole[1:],
    "objects of one key, for ten megabytes": lambda whole: b'{"more": [' + b'{"":0},' * 1_500_000 + b"0]," + whole[1:],
    "wide text, for ten megabytes": lambda whole: '{"more": "\U0001f600'.encode() + b"x" * 10**7 + b'",' + whole[1:],
    "blanks, for a hundred megabytes": lambda whole: whole + b" " * 10**8,
    "UTF-16": lambda whole: whole.decode().encode("utf-16"),
    "UTF-32": lambda whole: whole.decode().encode("utf-32"),
    "a byte that is no text": lambda whole: b'{"more": "\xff",' + whole[1:],
    "a zero byte behind it": lambda whole: whole + b"\0",
    "a comment": lambda whole: b"// a file\n" + whole,
    "a comma too many": lambda whole: whole.rstrip()[:-1] + b",}",
    "two documents": lambda whole: whole + whole,
    "a number": lambda _: b"1",
    "a word": lambda _: b'"filterlaw"',
    "null": lambda _: b"null",
    "a list of itself": lambda whole: b"[" + whole + b"]",
    "Python": lambda _: b"__import__('os').system('touch harm')",
    "packed by gzip": gzip.compress,
    "a pickle": lambda _: b"\x80\x02cposix\nsystem\nX\x0a\x00\x00\x00touch harm\x85R.",
    "weights": lambda _: whole_weights("zip"),
}
"""What no reader of JSON may take, but for those below."""
SOUND = {"wide text, for ten megabytes"}

CORRELATIONS: dict[str, tuple[tuple[Any, ...], Any, Expected]] = {
    "R not symmetric": (("R", 0, 1), 0.9, "refused"),
    "a correlation beyond one": (("R", 0, 1), 1.5, "refused"),
    "a correlation of text": (("R", 0, 1), "0.3", "refused"),
    "a one that is said to be true": (("R", 0, 0), True, "accepted"),
    "a correlation that is null": (("R", 0, 0), None, "refused"),
    "a correlation that is a list": (("R", 0, 0), [1.0], "refused"),
    "an integer beyond all floats": (("R", 0, 0), 10**299 * 9, "refused"),
    "the largest float": (("R", 0, 0), 1.7e308, "refused"),
    "a row missing": (("R", 0), GONE, "refused"),
    "a row too short": (("R", 0, 0), GONE, "refused"),
    "no rows": (("R",), [], "refused"),
    "R an object": (("R",), {"0": [1.0]}, "refused"),
    "R a number": (("R",), 1.0, "refused"),
    "R of no square filter": (("R",), [[1.0, 0.0], [0.0, 1.0]], "refused"),
    "R with a negative eigenvalue": (("R",), [[1, 1, 1, -1], [1, 1, -1, 1], [1, -1, 1, 1], [-1, 1, 1, 1]], "refused"),
    "R nested sixty deep": (("R",), json.loads("[" * 60 + "1" + "]" * 60), "refused"),
    "errors below zero": (("bootstrap_error", 0, 0), -0.1, "refused"),
    "errors of another shape": (("bootstrap_error",), [[0.1]], "refused"),
    "a provenance that is a list": (("provenance",), ["w.pt"], "refused"),
    "a format of text": (("format",), "1", "refused"),
    "a format that is true": (("format",), True, "refused"),
    "a format of a megabyte": (("format",), "x" * 10**6, "refused"),
    "no format": (("format",), GONE, "refused"),
    "a provenance with markup": (("provenance", "note"), "<script>\x1b[2J", "accepted"),
}  # fmt: skip

RECORDS: dict[str, tuple[tuple[Any, ...], Any, Expected]] = {
    "no settings": (("settings",), GONE, "refused"),
    "settings that are a list": (("settings",), [], "refused"),
    "a rate that is a list": (("settings", "learning_rate"), [0.1], "refused"),
    "a network that is an object": (("settings", "network"), {"a": 1}, "refused"),
    "a setting missing": (("settings", "svb"), GONE, "refused"),
    "a seed below zero": (("settings", "seed"), -1, "refused"),
    "a seed of text": (("settings", "seed"), "0", "refused"),
    "a seed that is true": (("settings", "seed"), True, "refused"),
    "a seed that is a fraction": (("settings", "seed"), 0.5, "refused"),
    "epochs without number": (("settings", "epochs"), 10**200, "refused"),
    "no epochs": (("epochs",), [], "refused"),
    "an epoch missing": (("epochs", 1), GONE, "refused"),
    "an epoch that is a number": (("epochs", 1), 3, "refused"),
    "a measure missing": (("epochs", 0, "test_loss"), GONE, "refused"),
    "a share beyond one": (("epochs", 0, "test_accuracy"), 1.01, "refused"),
    "a loss below zero": (("epochs", 0, "test_loss"), -1.0, "refused"),
    "a loss of text": (("epochs", 0, "test_loss"), "0.1", "refused"),
    "a loss that is null": (("epochs", 0, "test_loss"), None, "refused"),
    "a loss that is a list": (("epochs", 0, "test_loss"), [0.1], "refused"),
    "a loss beyond all floats": (("epochs", 0, "test_loss"), 9 * 10**299 * 10**9, "refused"),
    "layers that are an object": (("layers",), {}, "refused"),
    "a layer that is a number": (("layers", 0), 3, "refused"),
    "a shape with a side of zero": (("layers", 0, "shape", 0), 0, "refused"),
    "a shape with a side of text": (("layers", 0, "shape", 0), "2", "refused"),
    "a depth below zero": (("layers", 0, "depth"), -1, "refused"),
    "singular values below zero": (("layers", 0, "singular_values", 0), -1.0, "refused"),
    "no singular values": (("layers", 0, "singular_values"), [], "refused"),
    "singular values in rows of two lengths": (("layers", 0, "singular_values"), [[1.0], [1.0, 2.0]], "refused"),
    "an operator of three": (("layers", 0, "operator"), [1.0, 2.0, 3.0], "refused"),
    "correlations that are null": (("layers", 0, "by_distance"), None, "refused"),
    "times below zero": (("timing", "epoch_seconds", 0), -1, "refused"),
    "times that are text": (("timing",), "long", "refused"),
    "a format that is a list": (("format",), [1], "refused"),
    "a layer's name that clears the screen": (("layers", 0, "name"), "\x1b[2J", "accepted"),
    "an unknown key": (("more",), {"a": [1, 2]}, "accepted"),
}  # fmt: skip

CLAIM = ("claims", 0)
LINE = (*CLAIM, "evidence", 0)
EXAMPLE = (*CLAIM, "counterexample")
FORMULAS = {
    "a power of powers": "9**9**9**9",
    "the root of a power of powers": "sqrt(9**9**9)",
    "the root of one over it": "sqrt(1/(9**9**9))",
    "a root of a power of two": "sqrt(2**(2**40)*3)",
    "the logarithm of a power of powers": "log(9**9**9)",
    "a sum to infinity": "Sum(k, (k, 0, 9**9**9))",
    "a sum over sums": "Sum(Sum(x, (x, 0, 9**9)), (y, 0, 9**9))",
    "a product of ten million": "Product(k, (k, 1, 10**7))",
    "an import": "__import__('os').system('touch harm')",
    "a lambda": "(lambda: open('harm', 'w'))()",
    "a comprehension": "[open('harm', 'w') for x in (1,)]",
    "an attribute": "x.__class__.__mro__",
    "a text with code in it": 'S(\'__import__("os").system("touch harm")\')',
    "a tuple that is calculated with": "(1, 2)**3 + (1, 2)",
    "three hundred minus signs": "-" * 300 + "1",
    "two hundred brackets": "(" * 190 + "1" + ")" * 190,
    "a division by zero": "1/0 + 0**-1",
    "a maximum of nothing": "Max() + Min()",
    "half an equation": "x = = y",
    "markup": "<script>harm</script><img src=x onerror=harm>",
    "markdown": "`](javascript:harm) | **harm** <b>",
    "control characters": "\x1b[2J\x00\x07",
    "a megabyte": "x + " * 250_000,
}
"""Texts for a counterexample, which the report sets as formulas: none may run, hang or become markup."""

LEDGERS: dict[str, tuple[tuple[Any, ...], Any, Expected]] = {
    "a verdict that its evidence does not support": ((*CLAIM, "verdict"), "holds", "refused"),
    "a verdict that does not exist": ((*CLAIM, "verdict"), "proven", "refused"),
    "a verdict of a megabyte": ((*CLAIM, "verdict"), "x" * 10**6, "refused"),
    "a claim that nobody knows": ((*CLAIM, "id"), "C-E99", "refused"),
    "a claim with a path for its name": ((*CLAIM, "id"), "../../etc/passwd", "refused"),
    "a claim with a name of a megabyte": ((*CLAIM, "id"), "x" * 10**6, "refused"),
    "another statement": ((*CLAIM, "statement"), "it is true", "refused"),
    "another printed formula": ((*CLAIM, "printed"), "Eq(1, 1)", "refused"),
    "a printed formula that is code": ((*CLAIM, "printed"), FORMULAS["an import"], "refused"),
    "another corrected formula": ((*CLAIM, "corrected"), FORMULAS["an import"], "refused"),
    "no corrected formula": ((*CLAIM, "corrected"), GONE, "refused"),
    "no counterexample": (EXAMPLE, None, "refused"),
    "a counterexample left out": (EXAMPLE, GONE, "refused"),
    "a counterexample that nobody reproduced": ((*EXAMPLE, "reproduced"), False, "refused"),
    "a counterexample said to be reproduced": ((*EXAMPLE, "reproduced"), "yes", "refused"),
    "a counterexample without an instance": ((*EXAMPLE, "instance"), GONE, "refused"),
    "an instance of numbers": ((*EXAMPLE, "instance"), {"d": 1}, "refused"),
    "a condition that is text": ((*EXAMPLE, "excluded"), "false", "refused"),
    "clauses that are null": ((*CLAIM, "clauses"), None, "refused"),
    "clauses that are a number": ((*CLAIM, "clauses"), 7, "refused"),
    "more clauses than the claim": ((*CLAIM, "clauses"), [{}, {}], "refused"),
    "no evidence": ((*CLAIM, "evidence"), [], "refused"),
    "evidence that is a number": (LINE, 3, "refused"),
    "evidence of a kind that nobody knows": ((*LINE, "kind"), "oracle", "refused"),
    "evidence about nothing": ((*LINE, "about"), GONE, "refused"),
    "evidence about a list": ((*LINE, "about"), ["printed"], "refused"),
    "evidence with half a trial": ((*LINE, "trials"), 0.5, "refused"),
    "evidence with trials below zero": ((*LINE, "trials"), -3, "refused"),
    "evidence that passed, perhaps": ((*LINE, "passed"), "yes", "refused"),
    "evidence with an error below zero": ((*LINE, "max_error"), -1, "refused"),
    "evidence with an error in words": ((*LINE, "max_error"), "none", "refused"),
    "effects that are a number": ((*LINE, "measured"), 3, "refused"),
    "no controls": ((*CLAIM, "controls"), [], "refused"),
    "a control that fooled its check": ((*CLAIM, "controls", 0, "passed"), False, "refused"),
    "a control among the evidence": ((*LINE, "kind"), "control", "refused"),
    "no environment": (("environment",), GONE, "refused"),
    "versions that are numbers": (("environment", "packages", "numpy"), 2, "refused"),
    "claims that are an object": (("claims",), {}, "refused"),
    "a detail with markup": ((*LINE, "detail"), FORMULAS["markup"], "accepted"),
    "an environment with markup": (("environment", "seed"), FORMULAS["markup"], "accepted"),
    "effects of strange types": ((*LINE, "measured"), [{"estimate": [1], "low": {}, "n": None}], "accepted"),
    "an error of three hundred digits": ((*LINE, "max_error"), 10**299, "accepted"),
    "an unknown key with a list in it": ((*LINE, "more"), [[1], {"a": "<b>"}], "accepted"),
    **{f"a counterexample with {label}": ((*EXAMPLE, "actual"), text, "accepted") for label, text in FORMULAS.items()},
    **{
        f"an instance with {label}": ((*EXAMPLE, "instance", "d"), text, "accepted")
        for label, text in FORMULAS.items()
    },
}  # fmt: skip


def changed(whole: bytes, path: tuple[Any, ...], value: Any) -> bytes:
    """A whole file with one value put in the place of another, or removed (GONE)."""
    record = copy.deepcopy(json.loads(whole))
    *way, last = path
    at = record
    for key in way:
        at = at[key]
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return json.dumps(record).encode()


def made_json() -> Iterator[Made]:
    """Every hand-made file of JSON."""
    for reader in READERS:
        for label, dialect in DIALECTS.items():
            expected: Expected = None if label in SOUND else "refused"
            yield of_bytes(
                reader,
                label,
                partial(_spoken, dialect, reader),
                expected,
            )
        yield from no_plain_files(reader)
        yield from truncated(reader, 6)
    for reader, table, whole in (
        ("correlation", CORRELATIONS, whole_correlation),
        ("records", RECORDS, whole_record),
        ("ledger", LEDGERS, whole_ledger),
    ):
        for label, (path, value, expected) in table.items():
            yield of_bytes(
                reader,
                label,
                partial(_changed, whole, path, value),
                expected,
            )
    yield Made("ledger", "a claim twice", lambda folder: LOADERS["ledger"].put(folder, _twice()))
    yield Made("records", "two records of the same settings", _same_settings)
    yield Made("records", "a folder without records", lambda folder: folder)
    yield Made("records", "a record that is a folder beside a sound one", _folder_beside)


def _spoken(dialect: Callable[[bytes], bytes], reader: str) -> bytes:
    return dialect(LOADERS[reader].whole())


def _changed(whole: Callable[[], bytes], path: tuple[Any, ...], value: Any) -> bytes:
    return changed(whole(), path, value)


def _twice() -> bytes:
    ledger = json.loads(whole_ledger())
    return json.dumps({**ledger, "claims": ledger["claims"] * 2}).encode()


def _same_settings(folder: Path) -> Path:
    LOADERS["records"].put(folder, whole_record(), "one")
    LOADERS["records"].put(folder, whole_record(), "two")
    return folder


def _folder_beside(folder: Path) -> Path:
    LOADERS["records"].put(folder, whole_record(), "one")
    (folder / "two.json").mkdir()
    return folder
