"""Claims on trained networks, judged from records of training runs."""
