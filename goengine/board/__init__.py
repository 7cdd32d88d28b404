"""The board: state as arrays, kernels over it, and `Position`, a board with rules and a past."""
