"""Losses of NanoDet-Plus and their sum over two sets of predictions."""
