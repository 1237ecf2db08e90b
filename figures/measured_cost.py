"""Seconds that one gradient takes, as measured; written by `python -m tests.record_cost`, not by hand."""

PROCESSOR = "Intel(R) Xeon(R) Processor"
VERSIONS = "numpy 2.4.6, numba 0.68.1"
DATE = "2026-11-22"
SECONDS = {
    "all samples": {
        5: 1.16e-05,
        9: 3.72e-05,
        13: 0.000884,
        16: 0.00862,
        20: 0.134,
        23: 1.28,
    },
    "NumPy halves": {
        9: 6.44e-05,
        16: 0.000122,
        20: 0.00024,
        25: 0.000982,
        30: 0.00591,
        36: 0.0869,
        40: 0.304,
        45: 3.56,
    },
    "merged halves": {
        9: 3.45e-05,
        16: 4.17e-05,
        20: 5.64e-05,
        25: 0.000117,
        30: 0.000496,
        36: 0.00652,
        40: 0.0242,
        45: 0.159,
        49: 0.657,
    },
}
