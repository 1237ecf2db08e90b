"""What happens when it runs: NumPy simulators of the statements that `theory` derives.

Every simulator is a pure function of an instance and, where it draws, a `numpy.random.Generator`; all arithmetic is
float64 except in `sim.exact`, which is rational. Nothing here imports `theory`, so that their agreement is evidence.
"""
