"""Hand-made files for the reader of weights that hold a pickle: code, bombs, archives that lie."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from tests.attack.hostile.loaders import whole_weights
from tests.attack.hostile.made import Made, no_plain_files, of_bytes, truncated
from tests.sim.cnn.hostile import plain_pickle, with_code

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
"""What legacy files begin with: the magic number and the protocol, each a pickle."""
SYSTEM = b"\x80\x02}q\x00(X\x10\x00\x00\x00protocol_versionM\xe9\x03X\r\x00\x00\x00little_endian\x88u."


def text(value: str) -> bytes:
    """A string as a pickle pushes it."""
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def name(module: str, attribute: str) -> bytes:
    """A global as a pickle pushes it."""
    return f"c{module}\n{attribute}\n".encode()


def call(module: str, attribute: str, *arguments: bytes) -> bytes:
    """A call of a global."""
    return name(module, attribute) + b"(" + b"".join(arguments) + b"tR"


def state(value: bytes, key: str = "w") -> bytes:
    """A pickle of {key: value}."""
    return b"\x80\x02}" + text(key) + value + b"s."


def _beside(value: bytes) -> bytes:
    """A pickle of a value and, beside it, a tensor."""
    return b"\x80\x02}" + text("bomb") + value + b"s" + text("w") + tensor() + b"s."


def archive(pickle: bytes, storages: dict[str, bytes] | None = None, **more: bytes) -> bytes:
    """What torch.save writes, around this pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("w/data.pkl", pickle)
        for key, content in (storages or {}).items():
            file.writestr(f"w/data/{key}", content)
        for key, content in {"version": b"3\n", "byteorder": b"little", **more}.items():
            file.writestr(f"w/{key}", content)
    return buffer.getvalue()


def legacy(pickle: bytes, keys: bytes = b"\x80\x02].", rest: bytes = b"") -> bytes:
    """What torch.save once wrote, around this pickle."""
    return MAGIC + SYSTEM + pickle + keys + rest


def tensor(key: str = "0", numel: int = 4, shape: bytes = b"K\x04\x85", stride: bytes = b"K\x01\x85") -> bytes:
    """A float32 tensor over a storage, as a pickle makes it."""
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text(key) + text("cpu") + _int(numel) + b"tQ"
    hooks = name("collections", "OrderedDict") + b")R"
    return call("torch._utils", "_rebuild_tensor_v2", storage, b"K\x00", shape, stride, b"\x89", hooks)


def _legacy_tensor(numel: int) -> bytes:
    """The same in a legacy file, whose storages have one entry more."""
    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + _int(numel) + b"NtQ"
    hooks = name("collections", "OrderedDict") + b")R"
    return call("torch._utils", "_rebuild_tensor_v2", storage, b"K\x00", b"K\x04\x85", b"K\x01\x85", b"\x89", hooks)


def _int(value: int) -> bytes:
    raw = value.to_bytes(9, "little", signed=True)
    return b"\x8a\x09" + raw


ONES = struct.pack("<4f", 1, 1, 1, 1)
MANY = 200_000

CALLS = {
    "os.system": call("os", "system", text("touch harm")),
    "posix.system": call("posix", "system", text("touch harm")),
    "builtins.eval": call("builtins", "eval", text("open('harm', 'w')")),
    "__builtin__.exec": call("__builtin__", "exec", text("open('harm', 'w')")),
    "builtins.__import__": call("builtins", "__import__", text("antigravity")),
    "builtins.open": call("builtins", "open", text("harm"), text("w")),
    "builtins.getattr": call("builtins", "getattr", name("os", "path"), text("join")),
    "subprocess.Popen": call("subprocess", "Popen", text("touch")),
    "importlib.import_module": call("importlib", "import_module", text("antigravity")),
    "runpy.run_path": call("runpy", "run_path", text("harm.py")),
    "functools.partial": call("functools", "partial", name("os", "system"), text("touch harm")),
    "torch.load": call("torch.serialization", "load", text("harm.pt")),
    "torch.hub.load": call("torch.hub", "load", text("evil/model"), text("model")),
    "numpy's reconstruct": call("numpy._core.multiarray", "_reconstruct", b"K\x00\x85"),
    "a class of ours": call("sim.files", "atomic_write", text("harm"), text("x")),
    "a rebuilder with a function of its own": call(
        "torch._tensor", "_rebuild_from_type_v2", name("torch", "FloatTensor"), name("torch", "Tensor"), b"K\x08\x85N"
    ),
    "a wrapper class": call("torch._utils", "_rebuild_wrapper_subclass", name("torch", "Tensor")),
    "a method by a dotted name": call("torch", "Tensor.__reduce_ex__", b"K\x02"),
    "the opcode that makes an instance": b"(" + text("touch harm") + b"ios\nsystem\n",
    "the opcode for objects": b"(" + name("os", "system") + text("touch harm") + b"o",
    "a new object": name("torch", "FloatTensor") + b"K\x08\x85\x81",
    "an extension registry": b"\x82\x01",
    "a global off the stack": text("os") + text("system") + b"\x93" + text("touch harm") + b"\x85R",
    "a persistent id that is text": b"Pos.system\n",
    "a storage that is a module": b"(" + text("module") + name("os", "path") + text("a") + text("b") + b"tQ",
    "an ordered dict whose methods are replaced": name("collections", "OrderedDict")
    + b")R}(" + text("items") + name("torch", "FloatTensor") + text("get") + b"K\x05ub",
    "an ordered dict with a number for its items": name("collections", "OrderedDict")
    + b")R}" + text("items") + b"K\x05sb",
}  # fmt: skip

BOMBS: dict[str, Callable[[], bytes]] = {
    "four hundred thousand lists": lambda: b"(" + 2 * MANY * b"]" + b"t",
    "ten million sets of names": lambda: b"(" + 50 * MANY * b"}" + b"t",
    "text encoded anew a thousand times": lambda: b"(" + text("x" * 10**6) + b"q\x01" + 1000 * (
        name("_codecs", "encode") + b"h\x01" + text("utf-32") + b"\x86R"
    ) + b"t",
    "an ordered dict copied a thousand times": lambda: b"(](" + MANY * b"K\x01K\x02\x86" + b"eq\x01" + 1000 * (
        name("collections", "OrderedDict") + b"h\x01\x85R"
    ) + b"t",
    "a shape copied a thousand times": lambda: b"((" + MANY * b"K\x01" + b"tq\x01" + 1000 * (
        name("torch", "Size") + b"h\x01\x85R"
    ) + b"t",
    "a set copied a thousand times": lambda: b"(](" + b"".join(b"J" + struct.pack("<i", n) for n in range(MANY))
    + b"eq\x01" + 1000 * (name("builtins", "set") + b"h\x01\x85R") + b"t",
    "a thousand gigabytes of bytes": lambda: call("builtins", "bytearray", _int(2**40)),
    "many small byte arrays": lambda: b"(" + 4000 * call("builtins", "bytearray", _int(2**20)) + b"t",
    "a thousand gigabytes of storage": lambda: call("torch.storage", "UntypedStorage", _int(2**40)),
    "a tensor made of its size": lambda: call("torch", "FloatTensor", _int(2**38)),
    "a counter of long text": lambda: call("collections", "Counter", text("abc" * 10**5)),
    "a key of a million nested tuples": lambda: b"}" + b")" + 10**6 * b"\x85" + b"K\x01s",
    "a million nested lists": lambda: b"]" + 10**6 * b"]" + 10**6 * b"a",
    "a list that holds itself": lambda: b"]q\x01h\x01a",
    "a number of two hundred bytes": lambda: b"\x8a\xff" + 255 * b"\xff",
    "a string that is said to be longer": lambda: b"X\xff\xff\xff\xff" + 100 * b"x",
    "a memo far away": lambda: b"K\x01r\xff\xff\xff\xff",
    "a memo that is not there": lambda: b"h\x07",
    "an empty stack": lambda: b"0000",
    "a mark that is not there": lambda: b"ttt",
    "a pickle without an end": lambda: b"K\x01" * 50,
}  # fmt: skip


SOUND = {
    "twenty thousand entries of one byte",
    "an entry with a wrong sum",
    "code beside the weights",
    "numbers in the other order of bytes, said so",
    "numbers in the other order of bytes, not said",
}
"""Strange, and yet read as what they say: nothing of what is beside the weights is looked at."""


def archives() -> dict[str, Callable[[], bytes]]:
    """Archives that lie about their entries, or are of another kind."""
    good = state(tensor())

    def edited(**changes: Any) -> bytes:
        buffer = io.BytesIO(archive(good, {"0": ONES}))
        with zipfile.ZipFile(buffer, "a") as file:
            file._didModify = True  # type: ignore[attr-defined]
            for entry in file.filelist:
                if entry.filename.endswith("data/0"):
                    for key, value in changes.items():
                        setattr(entry, key, value)
        return buffer.getvalue()

    def twice(second: str, content: bytes) -> bytes:
        buffer = io.BytesIO(archive(good, {"0": ONES}))
        with zipfile.ZipFile(buffer, "a") as file:
            file.writestr(second, content)
        return buffer.getvalue()

    def swapped() -> bytes:
        """Two directories: Python's reader is led to one of them, torch's to the other."""
        plain, other = archive(good, {"0": ONES}), archive(state(CALLS["os.system"]))
        return other[: other.rindex(b"PK\x05\x06")] + plain

    def compressed() -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("w/data.pkl", state(tensor(numel=2**26, shape=_int(2**26) + b"\x85")))
            file.writestr("w/data/0", bytes(2**28))
            file.writestr("w/version", b"3\n")
        return buffer.getvalue()

    def entries() -> bytes:
        return archive(good, {"0": ONES, **{f"x{n}": b"" for n in range(20_000)}})

    def in_tar() -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as file:
            for member, content in (("storages", b""), ("tensors", b""), ("pickle", state(CALLS["os.system"]))):
                about = tarfile.TarInfo(member)
                about.size = len(content)
                file.addfile(about, io.BytesIO(content))
        return buffer.getvalue()

    def tar_named_magic() -> bytes:
        """A tar archive, in torch's oldest layout, whose first member's name is torch's magic number."""
        content = in_tar()
        head = bytearray(content[:512])
        head[: len(MAGIC)] = MAGIC
        head[148:156] = 8 * b" "
        head[148:156] = f"{sum(head):06o}\0 ".encode()
        return bytes(head) + content[512:]

    def swapped_ends(share: float) -> bytes:
        whole = archive(good, {"0": ONES})
        return whole[: int(share * len(whole))] + whole

    return {
        "an archive within an archive": lambda: archive(archive(good, {"0": ONES}), {"0": ONES}),
        "an archive of an archive alone": lambda: _zipped("w.pt", archive(good, {"0": ONES})),
        "compressed four thousandfold": compressed,
        "twenty thousand entries of one byte": entries,
        "two pickles, one of them code": lambda: twice("v/data.pkl", state(CALLS["os.system"])),
        "two pickles of names that differ in case": lambda: twice("w/DATA.PKL", state(CALLS["os.system"])),
        "an entry twice": lambda: twice("w/data/1", ONES)[:-22] + twice("w/data/1", ONES)[-22:] + b"PK\x05\x06",
        "an entry that is said to be larger": lambda: edited(file_size=2**31, compress_size=2**31),
        "an entry that is said to be encrypted": lambda: edited(flag_bits=1),
        "an entry with a wrong sum": lambda: edited(CRC=1),
        "an entry that begins beyond the end": lambda: edited(header_offset=2**31 - 1),
        "a method that nobody knows": lambda: edited(compress_type=77),
        "an archive behind another": swapped,
        "half an archive before a whole one": lambda: swapped_ends(0.5),
        "an archive with a comment that is an archive": lambda: _commented(archive(good, {"0": ONES})),
        "a storage that is not there": lambda: archive(good),
        "a storage that is too short": lambda: archive(good, {"0": ONES[:7]}),
        "a storage of fewer numbers than the shape": lambda: archive(state(tensor(shape=b"M\xff\7\x85")), {"0": ONES}),
        "a storage with a number of entries below zero": lambda: archive(state(tensor(numel=-4)), {"0": ONES}),
        "a storage so large that its bytes overflow": lambda: archive(state(tensor(numel=2**62 + 4)), {"0": ONES}),
        "a shape below zero": lambda: archive(state(tensor(shape=_int(-4) + b"\x85")), {"0": ONES}),
        "a shape whose product overflows": lambda: archive(
            state(tensor(shape=_int(2**33) + _int(2**33) + b"\x86", stride=b"K\x00K\x00\x86")), {"0": ONES}
        ),
        "a stride of zero, for a million numbers": lambda: archive(
            state(tensor(shape=_int(10**6) + b"\x85", stride=b"K\x00\x85")), {"0": ONES}
        ),
        "a stride below zero": lambda: archive(state(tensor(stride=_int(-1) + b"\x85")), {"0": ONES}),
        "a shape of a hundred thousand sides": lambda: archive(
            state(tensor(shape=b"(" + 10**5 * b"K\x01" + b"t", stride=b"(" + 10**5 * b"K\x01" + b"t")), {"0": ONES}
        ),
        "numbers in the other order of bytes, said so": lambda: archive(good, {"0": ONES[::-1]}, byteorder=b"big"),
        "numbers in the other order of bytes, not said": lambda: archive(good, {"0": ONES[::-1]}, byteorder=b"little"),
        "an order of bytes that nobody knows": lambda: archive(good, {"0": ONES}, byteorder=b"middle"),
        "a number that is none": lambda: archive(good, {"0": struct.pack("<4f", 1, float("nan"), 1, 1)}),
        "an infinite number": lambda: archive(good, {"0": struct.pack("<4f", 1, float("-inf"), 1, 1)}),
        "a TorchScript program": lambda: archive(good, {"0": ONES}, **{"constants.pkl": b"\x80\x02)."}),
        "code beside the weights": lambda: archive(good, {"0": ONES}, **{"code/__torch__.py": b"import os"}),
        "a version that is no number": lambda: archive(good, {"0": ONES}, version=b"x" * 30),
        "no pickle": lambda: _zipped("w/data/0", ONES),
        "an empty pickle": lambda: archive(b""),
        "an empty archive": lambda: b"PK\x05\x06" + bytes(18),
        "a tar archive": in_tar,
        "a tar archive that is named as weights": tar_named_magic,
        "weights packed by gzip": lambda: gzip.compress(archive(good, {"0": ONES})),
        "weights and, behind them, safetensors": lambda: archive(good, {"0": ONES}) + whole_weights("safetensors"),
        "safetensors and, behind them, an archive with code": lambda: whole_weights("safetensors")
        + archive(state(CALLS["os.system"])),
    }  # fmt: skip


def _zipped(entry: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(entry, content)
    return buffer.getvalue()


def _commented(content: bytes) -> bytes:
    other = archive(state(CALLS["os.system"]))
    return content[:-2] + struct.pack("<H", len(other)) + other


def of_torch(path: Callable[[Path, Path], object], label: str, loader: str) -> Made:
    """A file that a helper writes, with a trace that its code would leave."""

    def lay(folder: Path) -> Path:
        path(folder / "given.pt", folder / "harm")
        return folder / "given.pt"

    return Made(loader, label, lay)


def made_pickles() -> Iterator[Made]:
    """Every hand-made file of weights that torch would have written."""
    zip_, old = "weights, zip", "weights, legacy"
    yield of_torch(plain_pickle, "a bare pickle with code", zip_)
    yield of_torch(with_code, "an object with code beside the weights", zip_)
    yield of_torch(lambda path, trace: with_code(path, trace, legacy=True), "an object with code", old)
    yield of_torch(lambda path, _: torch.save(torch.nn.Conv2d(1, 1, 1), path), "a whole model", zip_)
    for label, value in CALLS.items():
        yield of_bytes(zip_, f"calls {label}", lambda value=value: archive(state(value)))  # type: ignore[misc]
        yield of_bytes(old, f"calls {label}", lambda value=value: legacy(state(value)))  # type: ignore[misc]
    for label, bomb in BOMBS.items():
        yield of_bytes(zip_, f"bomb: {label}", lambda bomb=bomb: archive(_beside(bomb()), {"0": ONES}), None)  # type: ignore[misc]
        yield of_bytes(old, f"bomb: {label}", lambda bomb=bomb: legacy(state(bomb())), None)  # type: ignore[misc]
    for label, content in archives().items():
        yield of_bytes(zip_, label, content, "accepted" if label in SOUND else "refused")
    yield of_bytes(zip_, "written by hand, and sound", lambda: archive(state(tensor()), {"0": ONES}), "accepted")
    keys, rest = b"\x80\x02]" + text("0") + b"a.", struct.pack("<Q", 4) + ONES
    yield of_bytes(old, "written by hand, and sound", lambda: legacy(state(_legacy_tensor(4)), keys, rest), "accepted")
    yield of_bytes(old, "storages that are not in the file", lambda: legacy(state(_legacy_tensor(4)), rest=rest))
    yield of_bytes(old, "a storage larger than the file", lambda: legacy(state(_legacy_tensor(2**33)), keys, rest))
    yield of_bytes(old, "a storage of numbers below zero", lambda: legacy(state(_legacy_tensor(-4)), keys, rest))
    yield of_bytes(old, "a storage that is cut", lambda: legacy(state(_legacy_tensor(4)), keys, rest[:-1]))
    yield of_bytes(old, "a second magic number", lambda: MAGIC + MAGIC)
    yield from no_plain_files(zip_)
    yield from truncated(zip_, 8)
    yield from truncated(old, 8)
