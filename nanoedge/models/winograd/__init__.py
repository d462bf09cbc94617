"""3 x 3 convolutions with a quarter of the multiplications, for training on a CPU."""
