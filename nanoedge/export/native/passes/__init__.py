"""What the compiler does to a graph, one function a file, in the order of `compile.py`."""
