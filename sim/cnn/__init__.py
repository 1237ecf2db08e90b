"""The statements of `sim` on PyTorch layers, CPU or GPU; the only part of `sim` that imports `torch`.

Importing this package alone does not import `torch`; its modules do.
"""
