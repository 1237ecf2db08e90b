"""`filterlaw diagnose WEIGHTS`: what the weights of a network say, and whether it needs what the papers offer."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.diagnosis_output import diagnosis_record, print_diagnosis
from commands.options import BadInput, JsonOption, SeedOption, bad_input, number, option, progress_bar, quoted

if TYPE_CHECKING:
    from sim.cnn.weights_file import WeightsFile
    from sim.diagnosis import Diagnosis

PICTURES = ("png", "svg", "pdf")
POOLED = 3
"""Width of the filters whose correlation is written to a file."""


def image_size(name: str) -> Any:
    """A parser of N or HxW."""

    def parse(text: str) -> tuple[int, int]:
        sides = text.lower().split("x")
        if len(sides) in (1, 2) and all(map(_is_count, sides)):
            return int(sides[0]), int(sides[-1])
        raise BadInput(f"{name} must be N or HxW, pixels, got {quoted(text)}")

    return parse


def diagnose(
    weights: Annotated[
        str, typer.Argument(metavar="WEIGHTS", help="State dict, by torch.save or safetensors; code in it is not run.")
    ],
    json: JsonOption = None,
    picture: Annotated[
        str | None, typer.Option("--picture", metavar="FILE", help="Also draw it, as .png, .svg or .pdf.")
    ] = None,
    image: Annotated[
        Any, option("image", image_size, "Size of the images for the spectra of layers on images.", "N|HxW")
    ] = "8",
    groups: Annotated[
        list[str] | None,
        typer.Option(
            "--groups", metavar="LAYER=N", help="Groups of a convolution, which weights do not tell; repeatable."
        ),
    ] = None,
    eps: Annotated[float, option("eps", number, "Band of Singular Value Bounding.", "X")] = 0.05,
    bn_eps: Annotated[float, option("bn_eps", number, "Band of bounded batch norm.", "X")] = 0.2,
    correlation: Annotated[
        str | None,
        typer.Option(
            "--correlation",
            metavar="FILE",
            help="Write the correlation of the 3 x 3 filters without the first layer as JSON, for initialize_(R=FILE).",
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--record", metavar="FILE", help="With --correlation: record of the training, by filterlaw train."
        ),
    ] = None,
    note: Annotated[
        str | None, typer.Option("--note", metavar="TEXT", help="With --correlation: a note to keep with it.")
    ] = None,
    seed: SeedOption = 0,
) -> int:
    """Diagnose the weights of a network: correlation of its filters, spectra of its layers, scales of its BN layers."""
    from sim.files import atomic_write, require_writable

    with bad_input():
        kind = _picture_kind(picture)
        for target in (json, picture, correlation):
            if target is not None:
                require_writable(target)
        if correlation is None and (record is not None or note is not None):
            raise ValueError("record and note must come with --correlation FILE, got none")
        split = _groups(groups or [])
        training = None if record is None else _training(record)
    if find_spec("torch") is None:
        raise BadInput("diagnose needs torch: pip install 'filterlaw[torch]'")

    import numpy as np

    from sim.cnn import diagnostics
    from sim.cnn.weights_file import read_weights
    from sim.diagnosis import findings
    from theory.serialise import environment, to_json

    with bad_input(), progress_bar() as progress:
        file = read_weights(weights)
        task = progress.add_task("")
        found = diagnostics.diagnose(
            file.tensors, groups=split, image=image, eps=eps, bn_eps=bn_eps, rng=np.random.default_rng(seed),
            on_layer=lambda name, done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
    origin = {"weights": file.name, "sha256": file.sha256}
    written: dict[str, str | bytes] = {}
    if json is not None:
        record_ = {
            "environment": environment(seed=seed),
            **origin,
            **diagnosis_record(found),
            "findings": findings(found),
        }
        written[json] = to_json(record_)
    if correlation is not None:
        with bad_input():
            written[correlation] = _correlation_file(found, file, training, note, seed)
    if picture is not None:
        from figures.diagnosis import draw
        from figures.style import encode

        title = f"Diagnosis of {file.name}"
        written[picture] = encode(draw(found), kind, title, {**origin, "eps": eps, "bn_eps": bn_eps}, seed)
    with bad_input():
        for target, content in written.items():
            atomic_write(target, content)
    print_diagnosis(found, findings(found))
    return 0


def _picture_kind(picture: str | None) -> str:
    kind = "" if picture is None else Path(picture).suffix[1:].lower()
    if picture is not None and kind not in PICTURES:
        raise ValueError(f"picture must end in {', '.join('.' + name for name in PICTURES)}, got {quoted(picture)}")
    return kind


def _is_count(text: str) -> bool:
    """Whether a text is a number of pixels or groups: digits, few enough to be read at once, and not zero."""
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def _groups(given: list[str]) -> dict[str, int]:
    split = {}
    for text in given:
        name, _, count = text.rpartition("=")
        if not name or not _is_count(count):
            raise ValueError(f"groups must be LAYER=N, N >= 1, got {quoted(text)}")
        split[name] = int(count)
    return split


def _training(path: str) -> dict[str, Any]:
    """What a correlation's provenance keeps of the record of the training."""
    from sim.json_files import read_json

    record = read_json(path)
    try:
        epochs = record["epochs"]
        return {
            "settings": record["settings"],
            "environment": record["environment"],
            "epochs": len(epochs),
            "test_accuracy": float(epochs[-1]["test_accuracy"]),
        }
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise ValueError(
            f"cannot use {path!r}: it is no record of a training, with settings, environment and epochs, as `filterlaw "
            "train` keeps them"
        ) from error


def _correlation_file(
    found: Diagnosis, file: WeightsFile, training: Mapping[str, Any] | None, note: str | None, seed: int
) -> str:
    from sim.filter_bootstrap import RESAMPLES
    from sim.known import KnownCorrelation
    from theory.serialise import environment

    pooled = found.pooled.get(POOLED)
    if pooled is None or found.first in pooled.layers or pooled.R_error is None:
        raise ValueError(
            f"correlation needs {POOLED} x {POOLED} filters, some of them not zero, in a layer beside the first, "
            f"{found.first!r}, got none"
        )
    provenance = {
        "weights": file.name,
        "sha256": file.sha256,
        "filters": pooled.filters,
        "layers": list(pooled.layers),
        "left_out": found.first,
        "resamples": RESAMPLES,
        "seed": seed,
        "versions": environment(),
        **({} if training is None else {"training": dict(training)}),
        **({} if note is None else {"note": note}),
    }
    return KnownCorrelation(pooled.R, pooled.R_error, provenance).to_json()
