"""Claims on the variance of layer outputs: Schneider, Section 4."""
