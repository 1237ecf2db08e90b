"""Seconds that one gradient takes, as measured; written by `python -m tests.record_cost`, not by hand."""

PROCESSOR = "Intel(R) Xeon(R) Processor"
VERSIONS = "numpy 2.4.6, numba 0.68.1"
DATE = "2026-11-22"
SECONDS = {
    "all samples": {
        5: 1.23e-05,
        9: 2.97e-05,
        13: 0.000655,
        16: 0.00762,
        20: 0.233,
        23: 2.42,
    },
    "NumPy halves": {
        9: 7.17e-05,
        16: 0.000187,
        20: 0.000266,
        25: 0.00116,
        30: 0.00643,
        36: 0.121,
        40: 0.682,
        45: 4.41,
    },
    "merged halves": {
        9: 3.87e-05,
        16: 4.72e-05,
        20: 5.86e-05,
        25: 0.000125,
        30: 0.000547,
        36: 0.00526,
        40: 0.0247,
        45: 0.164,
        49: 1.07,
    },
}
