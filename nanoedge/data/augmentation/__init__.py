"""Random changes to training pictures and their boxes, one kind a file; `augmenter` puts them together."""
