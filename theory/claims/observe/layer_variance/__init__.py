"""How the variance of layer outputs is observed."""
