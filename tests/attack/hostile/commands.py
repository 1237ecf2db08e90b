"""Bad command lines, generated from what the commands say of themselves: each ends in one clear line and status 2."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

import filterlaw
from tests.attack.hostile.loaders import whole_weights

LONGEST = 500
"""Characters of an error, without the paths in it."""
PATIENCE = 30
"""Seconds of the clock after which a command counts as at work, though it was called in a wrong way."""
PREFIX = "filterlaw: error: "

BASES: Mapping[str, tuple[str, ...]] = {
    "verify": ("C-E4",),
    "show": ("C-E4",),
    "report": ("C-E4", "--no-figures", "--output", "report"),
    "figures": ("table-1", "--output", "figures"),
    "diagnose": ("w.pt",),
    "train": ("demo", "--output", "runs"),
    "explore": ("--no-browser",),
    "claims": (),
    "simulate filter": ("--steps", "2"),
    "simulate layers": ("--draws", "10"),
    "simulate modes": ("--steps", "2"),
}
"""Every command, with what makes a right and quick call of it (all but explore, which would go on)."""

_INTEGERS = ("", " ", "x", "-1", "0.5", "nan", "inf", "1e3", "0x10", "1 2", "\u2212" + "1", "9" * 5000, "1\0")
_NUMBERS = ("", "x", "nan", "inf", "-inf", "1e999", "-1", "1,2", "0x1p3", "1.2.3", "\U0001f600", "9" * 5000, "1\0")
_LISTS = ("", ",", "0.1,,0.2", "nan,0.1", "inf", "-inf,0", "x", "0.1;0.2", "1e999", "0.1,\0")
_OUTPUTS = (
    "",
    "folder",
    "folder/",
    "/dev/null",
    "/dev/full",
    "/proc/none/x",
    "file/x",
    "loop/x",
    "x" * 300,
    "a\0b",
    "pipe",
)
_FOLDERS = ("", "file", "/dev/null", "/proc/none", "file/x", "loop", "x" * 300, "a\0b", "pipe")
_INPUTS = ("", "none", "folder", "/dev/zero", "file", "file/x", "loop", "pipe", "x" * 300, "a\0b", "w.pt")
_WORDS = ("", "x", "../..", "C-E99", "C-E4\0x", "c" * 5000, "\x1b[2J", "\u202e", "\U0001f600", "C-E4,C-E7", "-", "*")

BAD: Mapping[str, tuple[str, ...]] = {
    "N": _INTEGERS,
    "K": _INTEGERS,
    "L": _INTEGERS,
    "C": _INTEGERS,
    "X": _NUMBERS,
    "D0,D1,...": (*_LISTS, "0.5,1.5", "-0.1", ",".join(["0.1"] * 10_000)),
    "W0,W1,...": (*_LISTS, "1,2,3", ",".join(["0.1"] * 10_000)),
    "S1,S2,...": _LISTS,
    "S,...": (*_LISTS, "1,2"),
    "N|HxW": ("", "x", "0", "-1", "8x", "x8", "8x8x8", "0x8", "1.5", "nan", "\u0663x\u0663", "9" * 5000),
    "LAYER=N": ("", "=", "conv", "conv=", "=2", "conv=0", "conv=-1", "conv=x", "conv=1.5", "none=2", "conv=3"),
    "KEY": _WORDS,
    "ID": _WORDS,
    "NAME": _WORDS,
    "PRESET": _WORDS,
    "WEIGHTS": _INPUTS[:-1],
}
"""Values that no option or argument of a kind takes, by the name that help gives the kind; choices come with theirs."""

_PATHS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("FILE", "record"): _INPUTS,
    ("FILE", "ledger"): _INPUTS,
    ("FILE", "picture"): ("x", "x.txt", "x.png/", *(f"{path}.png" for path in ("/proc/none/x", "file/x", "x" * 300))),
    ("FILE", ""): _OUTPUTS,
    ("DIR", "records"): _INPUTS,
    ("DIR", "images"): (),
    ("DIR", ""): _FOLDERS,
    ("TEXT", "note"): ("a note for nothing",),
}
"""What paths of a kind cannot be; images are read by presets that this machine would train for hours."""

_MORE: Mapping[str, tuple[str, ...]] = {"record": ("--correlation", "R.json"), "picture": ()}
"""Other options that one needs beside it."""


@dataclass(frozen=True)
class Call:
    """A command line that must be refused; named: texts of which its message has one; value: what it must show."""

    arguments: tuple[str, ...]
    named: tuple[str, ...]
    value: str = ""

    @property
    def label(self) -> str:
        return " ".join(_shown(argument) for argument in self.arguments)


def bad_calls() -> list[Call]:
    """Every bad call: each option and argument of each command with each bad value, and what is no call at all."""
    calls = [
        Call((word,), ("No such command",), word)
        for word in ("verfy", "x", "VERIFY", "simulate-filter", "\U0001f600", "../verify")
    ]
    calls += [
        Call(("simulate", "flter"), ("No such command",), "flter"),
        Call(("--none",), ("No such option",), "--none"),
    ]
    for name, command in _commands(typer.main.get_command(filterlaw.app)):
        words, base = tuple(name.split()), BASES[name]
        for parameter in command.params:
            calls += _bad_values(words, base, parameter)
        calls.append(Call((*words, *base, "--no-such-option"), ("No such option",), "--no-such-option"))
        calls.append(Call((*words, *base, "--=x"), ("No such option", "option"), ""))
        if not any(parameter.nargs == -1 for parameter in command.params):
            calls.append(Call((*words, *base, "one", "too", "many"), ("unexpected extra argument",), "too"))
    return calls


def _commands(command: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        path = f"{before} {name}".strip()
        yield from _commands(inner, path) if hasattr(inner, "commands") else [(path, inner)]


def _bad_values(words: tuple[str, ...], base: tuple[str, ...], parameter: Any) -> Iterator[Call]:
    named = (parameter.name, *(option.lstrip("-") for option in parameter.opts))
    # a grid has as many dimensions, p, as d has entries
    named = (*named, "p") if parameter.name == "d" else named
    if parameter.param_type_name == "argument":
        rest = base if parameter.nargs == -1 else base[1:]
        for value in BAD[parameter.metavar]:
            # a dash alone is a value, too
            yield Call((*words, *rest, "--", value), ("",), value)
        if parameter.required:
            yield Call(words, ("Missing argument",), parameter.metavar)
        return
    option = parameter.opts[0]
    if parameter.is_flag:
        yield Call((*words, *base, f"{option}=perhaps"), named)
        return
    yield Call((*words, *base, option), named)
    for value in _values(parameter):
        # paths and keys are said themselves
        says = named if parameter.metavar not in ("FILE", "DIR", "KEY") else ("",)
        more = _MORE.get(parameter.name, ())
        yield Call((*words, *base, *more, f"{option}={value}"), says, _said(parameter.metavar, value))


def _said(kind: str, value: str) -> str:
    """What a message must show of a value: a number as it was read, and of a list whichever entry was wrong."""
    if kind == "X":
        with contextlib.suppress(ValueError):
            return str(float(value)).removesuffix(".0")
    return "" if "," in kind or kind in ("TEXT", "LAYER=N") else value


def _values(parameter: Any) -> tuple[str, ...]:
    kind = parameter.metavar
    if (kind, parameter.name) in _PATHS:
        return _PATHS[kind, parameter.name]
    if (kind, "") in _PATHS:
        return _PATHS[kind, ""]
    if "|" in kind and kind not in BAD:
        words = kind.split("|")
        return ("", "x", words[0].upper(), words[-1][:-1], f"{words[0]},{words[-1]}", f"{words[0]}\0")
    values = BAD[kind]
    # an integer of no upper bound may have many digits
    return tuple(
        v for v in values if not (kind == "N" and parameter.name in ("seed", "jobs", "threads") and v == "9" * 5000)
    )


def extreme_calls() -> list[Call]:
    """Right calls with extreme numbers: they may be refused, but what they print must be finite."""
    calls = []
    for name, command in _commands(typer.main.get_command(filterlaw.app)):
        if not name.startswith("simulate"):
            continue
        for parameter in command.params:
            values: tuple[str, ...] = ()
            if parameter.metavar == "X":
                values = ("1e308", "1e-308", "5e-324", "0", "1e155", "0.9999999999999999")
            elif parameter.metavar in ("N", "K", "L", "C"):
                values = ("1000000000000000000000000", "9223372036854775807", "10000000000001")
            elif "," in str(parameter.metavar):
                values = ("1e308,1e308", "5e-324,5e-324", "0,0", "1e155,-1e155")
            if parameter.name in ("seed", "jobs"):
                values = values[:2]
            for value in values:
                calls.append(
                    Call((*name.split(), *BASES[name], f"{parameter.opts[0]}={value}", "--json=out.json"), ("",))
                )
    return calls


@contextlib.contextmanager
def playground(folder: Path) -> Iterator[None]:
    """Work in a folder with a file, a folder, a pipe, a link to itself and weights in it."""
    (folder / "file").write_text("no folder")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    (folder / "w.pt").write_bytes(whole_weights("zip"))
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def judge_bad(call: Call) -> str | None:
    """What is wrong with how a bad call ends, None if nothing is. In a playground, in the main thread."""
    left = _listed()
    status, out, err = run(call.arguments)
    message = err.removeprefix(PREFIX).rstrip("\n")
    if status != 2:
        return f"status {status}: {(err or out)[-200:]!r}"
    if out:
        return f"printed {out[:100]!r}"
    if not err.startswith(PREFIX) or err.count("\n") != 1 or not message.isprintable():
        return f"not one clear line: {err[:300]!r}"
    if len(message) > LONGEST + 300 * (len(call.value) == 300):
        return f"a message of {len(message)} characters: {message[:100]!r}"
    if not any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) or not name for name in call.named):
        return f"does not name {call.named[0]}: {message!r}"
    if _shown(call.value)[:12].rstrip() not in message:
        return f"does not show {_shown(call.value)[:20]!r}: {message!r}"
    return None if _listed() == left else f"left {sorted(_listed() - left)}"


def judge_extreme(call: Call) -> str | None:
    """What is wrong with how a call with extreme numbers ends: refused or not, it says nothing of NaN."""
    left = _listed()
    status, out, err = run(call.arguments)
    written = Path("out.json").read_text() if Path("out.json").exists() else ""
    Path("out.json").unlink(missing_ok=True)
    if status not in (0, 1, 2) or (status and (out or written or not err.startswith(PREFIX) or err.count("\n") != 1)):
        return f"status {status}: {err[-300:]!r} {out[:100]!r}"
    if any(not line.startswith("filterlaw: ") for line in err.splitlines()):
        return f"said {err[:300]!r}"
    words = out.replace("|", " ").lower().split()
    if {"nan", "inf", "-inf", "+nan"} & {*words} or "NaN" in written or "Infinity" in written:
        return f"printed {out[:300]!r}"
    return None if _listed() == left else f"left {sorted(_listed() - left)}"


def run(arguments: Sequence[str]) -> tuple[int | str, str, str]:
    """Status, output and errors of a command line in this process; a traceback's last line for a status."""
    out, err = io.StringIO(), io.StringIO()
    previous = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(PATIENCE)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            # as `filterlaw.main` has it
            warnings.simplefilter("default")
            warnings.showwarning = filterlaw._show_warning
            status: int | str = filterlaw.run(list(arguments))
    except BaseException as error:
        status = f"{type(error).__name__}: {error}"[:200]
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    return status, out.getvalue(), err.getvalue()


def command_line(call: Call) -> list[str]:
    """The call as a process of its own would get it."""
    return [sys.executable, "-m", "filterlaw", *call.arguments]


class _TooLong(BaseException):
    pass


def _too_long(*_: object) -> None:
    raise _TooLong(f"at work for {PATIENCE} s")


def _listed() -> set[str]:
    """Every file below, with its size."""
    return {f"{path}: {path.lstat().st_size}" for path in Path().rglob("*")}


def _shown(text: str) -> str:
    return repr(text)[1:-1]
