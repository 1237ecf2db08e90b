"""The pages of the explorer: each a pure function from the values of its controls to what is shown."""
