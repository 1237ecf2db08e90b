"""Seconds that one gradient takes, as measured; written by `python -m tests.record_cost`, not by hand."""

PROCESSOR = "Intel(R) Xeon(R) Processor"
VERSIONS = "numpy 2.4.6, numba 0.68.1"
DATE = "2026-11-22"
SECONDS = {
    "all samples": {
        5: 1.18e-05,
        9: 2.96e-05,
        13: 0.000724,
        16: 0.00723,
        20: 0.149,
        23: 1.65,
    },
    "NumPy halves": {
        9: 6.91e-05,
        16: 0.000126,
        20: 0.000252,
        25: 0.000973,
        30: 0.0057,
        36: 0.0792,
        40: 0.419,
        45: 4.05,
    },
    "merged halves": {
        9: 3.31e-05,
        16: 2.04e-05,
        20: 3.13e-05,
        25: 8.71e-05,
        30: 0.000443,
        36: 0.0035,
        40: 0.0148,
        45: 0.0929,
        49: 0.43,
    },
}
