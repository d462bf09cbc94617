"""Heads: neck levels to raw predictions [N, priors, classes + 4 * (reg_max + 1)]."""
