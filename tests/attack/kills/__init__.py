"""Long runs killed, starved of disk and interrupted: what was kept stays whole, and going on gives the same bits."""
