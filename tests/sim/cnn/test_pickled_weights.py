"""Pickles that are followed without being carried out: what torch.save writes passes, and nothing that does more."""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections import OrderedDict
from typing import Any

import pytest
import torch

from sim.cnn import pickled_weights
from sim.cnn.pickled_weights import MoreThanWeights, read_pickle

ORDERED = b"ccollections\nOrderedDict\n"


def pickled(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with zipfile.ZipFile(buffer) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


def follow(content: bytes) -> tuple[Any, dict[str, int]]:
    return read_pickle(io.BytesIO(content))


def test_what_torch_saves_passes_and_its_storages_are_counted() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(1, 3, 5, 5)).sum().backward()
    optimizer.step()
    more = {
        "shape": torch.Size([2, 3]),
        "dtype": torch.float16,
        "parameter": torch.nn.Parameter(torch.ones(3)),
        "eighths": torch.zeros(5).to(torch.float8_e4m3fn),
        "sparse": torch.eye(3).to_sparse(),
        "history": [1.5, 2**40, None, ("a", True), {"b": (1, 2)}],
        1: OrderedDict(a=torch.ones(2, dtype=torch.bfloat16)),
    }
    _, storages = follow(pickled({"model": model.state_dict(), "optimizer": optimizer.state_dict(), **more}))
    held = [*model.state_dict().values(), *(v for s in optimizer.state_dict()["state"].values() for v in s.values())]
    others = 12 + 5 + (6 * 8 + 3 * 4) + 4
    assert sum(storages.values()) == sum(t.numel() * t.element_size() for t in held) + others


def test_texts_numbers_and_lists_are_themselves() -> None:
    assert follow(b"\x80\x02](X\x01\x00\x00\x000K\x07\x8a\x01\xffe.") == (["0", 7, -1], {})


@pytest.mark.parametrize(
    ("content", "message", "called"),
    [
        (b"\x80\x02cposix\nsystem\n.", "it calls what weights do not need", "posix.system"),
        (b"\x80\x02cbuiltins\nset\n]\x85R.", "it calls what weights do not need", "builtins.set"),
        (b"\x80\x02" + ORDERED + b"]\x85R.", "it calls what weights do not need", "collections.OrderedDict"),
        (b"\x80\x02ctorch\nFloatStorage\nK\x05\x85R.", "it calls what weights do not need", "torch.FloatStorage"),
        (b"\x80\x02X\x01\x00\x00\x00a)R.", "it calls something that is no function", ""),
        (b"\x80\x02ctorch\nSize\n]\x85R.", "it calls torch.Size with a list", ""),
        (b"\x80\x02ctorch\nSize\n(" + 300 * b"K\x01" + b"t\x85R.", "or more than 256 values", ""),
        (b"\x80\x02}" + b")" + 20 * b"\x85" + b"K\x01s.", "a dict whose keys are no texts and no numbers", ""),
        (b"\x80\x02)" + 40 * b"\x85" + b".", "it nests tuples more than 32 deep", ""),
        (b"\x80\x02ctorch\nSize\n)\x81.", "it has the instruction NEWOBJ", ""),
        (b"\x80\x02X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.", "it has the instruction STACK_GLOBAL", ""),
    ],
)
def test_what_does_more_is_refused(content: bytes, message: str, called: str) -> None:
    with pytest.raises(MoreThanWeights, match=message) as refusal:
        follow(content)
    assert refusal.value.called == called


def test_a_tuple_of_itself_again_and_again_takes_no_time() -> None:
    # 2^30 values, were they counted one by one
    doubled = b"".join(b"q%c" % n + b"h%c\x86" % n for n in range(30))
    with pytest.raises(MoreThanWeights, match="more than 256 values"):
        follow(b"\x80\x02ctorch\nSize\n)" + doubled + b"\x85R.")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x02K",
        b"\x80\x02h\x05.",
        b"\x80\x02t.",
        b"\x80\x02(K\x01\x86.",
        b"\x80\x02K\x01Q.",
        b"\xff",
        b"\x80\x02R.",
    ],
)
def test_damaged_pickles_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        follow(content)
    assert not isinstance(refusal.value, MoreThanWeights)


def test_a_pickle_without_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = pickled({"w": torch.ones(3)})
    count = len(list(pickletools.genops(content)))
    monkeypatch.setattr(pickled_weights, "MOST_INSTRUCTIONS", count)
    assert follow(content)
    monkeypatch.setattr(pickled_weights, "MOST_INSTRUCTIONS", count - 2)
    with pytest.raises(MoreThanWeights, match="instructions"):
        follow(content)
