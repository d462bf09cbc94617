"""The compiler of NanoEdge's own engine: from the stripped network to one file that the C++ core runs."""
