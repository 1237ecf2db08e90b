"""Whether a pickle holds nothing but weights: read off its instructions, none of which is carried out.

PyTorch's restricted unpickler runs no code of a stranger's. But the few functions that it knows can copy a long text, a
set or a shape again and again, a tuple nested deep enough overflows the C stack when it is hashed, and storages may be
declared that no file holds. So every call here must be one that `torch.save` writes of tensors and plain containers.
"""

from __future__ import annotations

import mmap
import pickletools
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, cast

MOST_INSTRUCTIONS = 2**19
"""Some sixty make a tensor."""
MOST_VALUES = 256
"""Of one call: shape and strides among them."""
DEEPEST = 32

_CALLED = frozenset(
    {
        "collections.OrderedDict",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_qtensor",
        "torch._utils._rebuild_sparse_tensor",
        "torch.serialization._get_layout",
        "torch.Size",
        "torch.device",
        "builtins.complex",
        "__builtin__.complex",
    }
)
_ITEM_SIZES: Mapping[str, int] = {
    "torch.storage.UntypedStorage": 1,
    "torch.BFloat16Storage": 2,
    "torch.BoolStorage": 1,
    "torch.ByteStorage": 1,
    "torch.CharStorage": 1,
    "torch.ComplexDoubleStorage": 16,
    "torch.ComplexFloatStorage": 8,
    "torch.DoubleStorage": 8,
    "torch.FloatStorage": 4,
    "torch.HalfStorage": 2,
    "torch.IntStorage": 4,
    "torch.LongStorage": 8,
    "torch.QInt32Storage": 4,
    "torch.QInt8Storage": 1,
    "torch.QUInt2x4Storage": 1,
    "torch.QUInt4x2Storage": 1,
    "torch.QUInt8Storage": 1,
    "torch.ShortStorage": 2,
}
"""Bytes of a number in a storage, by torch's names of their kinds."""
_NAMED = re.compile(r"torch\.(u?int\d+|float\w+|bfloat16|double|half|complex\w+|bool|long|short|q\w+|per_\w+)")


class MoreThanWeights(ValueError):
    """A pickle that does more than `torch.save` does for weights; called: what it would call, empty for no call."""

    def __init__(self, what: str, called: str = "") -> None:
        super().__init__(what)
        self.called = called


@dataclass(frozen=True, eq=False)
class _Global:
    name: str


@dataclass(frozen=True, eq=False)
class _Tuple:
    items: tuple[Any, ...]
    depth: int


_OBJECT = object()
"""What a call, a storage or a dict leaves on the stack."""
_DICT = object()


def read_pickle(stream: IO[bytes] | mmap.mmap) -> tuple[Any, dict[str, int]]:
    """Follow the instructions of one pickle, up to its end, without carrying them out.

    Returns what it makes, where texts, numbers and lists are themselves and everything else a placeholder, and the
    storages that it refers to: key -> bytes. Raises MoreThanWeights for a call or an instruction that `torch.save` does
    not write of weights, ValueError for a damaged pickle.
    """
    machine = _Machine()
    try:
        # of escapes in texts of Python 2, which are not looked at
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            machine.run(stream)
    except (IndexError, KeyError, MemoryError) as error:
        raise ValueError("its pickle is damaged") from error
    return machine.stack[-1] if machine.stack else None, machine.storages


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, int] = {}

    def run(self, stream: IO[bytes] | mmap.mmap) -> None:
        for count, (instruction, argument, _) in enumerate(pickletools.genops(cast(IO[bytes], stream))):
            if count > MOST_INSTRUCTIONS:
                raise MoreThanWeights(f"it has more than {MOST_INSTRUCTIONS:,} instructions")
            self.follow(instruction.name, argument)

    def follow(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _PUSHED:
            stack.append(argument)
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name == "MARK":
            self.marks.append(len(stack))
        elif name in _TUPLES:
            self._tuple(self._popped(_TUPLES[name]))
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "EMPTY_DICT":
            stack.append(_DICT)
        elif name in ("APPEND", "APPENDS"):
            items = self._popped(1 if name == "APPEND" else None)
            if isinstance(stack[-1], list):
                stack[-1].extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            _require_names(self._popped(2 if name == "SETITEM" else None)[::2])
        elif name == "BUILD":
            self._popped(1)
        elif name == "GLOBAL":
            stack.append(_known(".".join(argument.split(" ", 1))))
        elif name == "REDUCE":
            function, arguments = self._popped(2)
            _require_building(function, arguments)
            stack.append(_OBJECT)
        elif name == "BINPERSID":
            self._storage(stack.pop())
        elif name not in ("PROTO", "STOP"):
            raise MoreThanWeights(f"it has the instruction {name}")

    def _popped(self, count: int | None) -> list[Any]:
        """The last so many values off the stack; None: those above the last mark."""
        start = self.marks.pop() if count is None else len(self.stack) - count
        if start < (self.marks[-1] if self.marks else 0):
            raise IndexError("nothing is left above the mark")
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def _tuple(self, items: list[Any]) -> None:
        depth = 1 + max((item.depth for item in items if isinstance(item, _Tuple)), default=0)
        if depth > DEEPEST:
            raise MoreThanWeights(f"it nests tuples more than {DEEPEST} deep")
        self.stack.append(_Tuple(tuple(items), depth))

    def _storage(self, identity: Any) -> None:
        items = identity.items if isinstance(identity, _Tuple) else ()
        kinds = tuple(type(item) for item in items[1:5])
        if items[:1] != ("storage",) or kinds != (_Global, str, str, int):
            raise ValueError("it refers to something that is no storage")
        _, kind, key, _, numbers = items[:5]
        size = _ITEM_SIZES.get(kind.name)
        if size is None or numbers < 0:
            raise ValueError("it refers to something that is no storage")
        self.storages[key] = max(self.storages.get(key, 0), numbers * size)
        self.stack.append(_OBJECT)


_PUSHED = frozenset(
    {
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "BINFLOAT",
        "BINUNICODE",
        "SHORT_BINSTRING",
    }
)
_TUPLES: Mapping[str, int | None] = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "TUPLE": None}


def _known(name: str) -> _Global:
    if not (name in _CALLED or _NAMED.fullmatch(name) or name in _ITEM_SIZES):
        raise MoreThanWeights("it calls what weights do not need", name)
    return _Global(name)


def _require_names(keys: list[Any]) -> None:
    """A key of nested tuples would be hashed for ever, or until the stack overflows."""
    if not all(key is None or isinstance(key, str | bytes | int | float) for key in keys):
        raise MoreThanWeights("it has a dict whose keys are no texts and no numbers")


def _require_building(function: Any, arguments: Any) -> None:
    """A call must be of a function that builds weights, with arguments that it cannot copy often and at length."""
    if not isinstance(function, _Global) or not isinstance(arguments, _Tuple):
        raise MoreThanWeights("it calls something that is no function")
    if function.name not in _CALLED or (function.name == "collections.OrderedDict" and arguments.items):
        raise MoreThanWeights("it calls what weights do not need", function.name)
    # breadth first: tuples may hold the same tuple many times
    given = list(arguments.items)
    for item in given:
        if isinstance(item, _Tuple):
            given.extend(item.items)
        if isinstance(item, list) or item is _DICT or len(given) > MOST_VALUES:
            raise MoreThanWeights(f"it calls {function.name} with a list, a dict or more than {MOST_VALUES} values")
