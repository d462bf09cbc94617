"""Running a bundle: the `Detector`, the engines, and the readable NumPy reference of pre- and post-processing."""
