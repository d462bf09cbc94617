"""int8 of our own engine: which maps share a scale, what ranges they have, what the operations then calculate with."""
