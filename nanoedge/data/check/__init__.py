"""Finding what is wrong with a data set before the first epoch, one kind of thing a file; `folder` does all."""
