"""Data sets: readers into one index, augmentation, loading, and a synthetic set."""
