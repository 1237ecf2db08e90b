"""What the fork server imports: the loaders, each of them used once, so that no child's first file pays for that."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from tests.attack.hostile.files import made as made
from tests.attack.hostile.loaders import LOADERS

# a process with threads is not to be forked
torch.set_num_threads(1)
for _loader in LOADERS.values():
    with tempfile.TemporaryDirectory() as _folder:
        _wrong = _loader.load(_loader.put(Path(_folder), _loader.whole()))
        if _wrong is not None:
            raise ValueError(f"a whole file of {_loader.name} is not read as it should be: {_wrong}")
