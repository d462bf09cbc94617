"""Training that starts from weights: reading them, fitting them in, folded batch norms, frozen parts."""
