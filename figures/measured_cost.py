"""Seconds that one gradient takes, as measured; written by `python -m tests.record_cost`, not by hand."""

PROCESSOR = "Intel(R) Xeon(R) Processor"
VERSIONS = "numpy 2.4.6, numba 0.68.1"
DATE = "2026-11-22"
SECONDS = {
    "all samples": {
        5: 1.12e-05,
        9: 2.87e-05,
        13: 0.000749,
        16: 0.00886,
        20: 0.329,
        23: 4.05,
    },
    "NumPy halves": {
        9: 7e-05,
        16: 0.00013,
        20: 0.000262,
        25: 0.00105,
        30: 0.00882,
        36: 0.16,
        40: 0.795,
        45: 6.29,
    },
    "merged halves": {
        9: 6.4e-05,
        16: 5.8e-05,
        20: 6.44e-05,
        25: 0.000129,
        30: 0.00051,
        36: 0.00384,
        40: 0.0158,
        45: 0.119,
        49: 0.758,
    },
}
