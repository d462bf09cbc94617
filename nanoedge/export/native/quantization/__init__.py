"""int8: which maps share a scale, what ranges they have, and what the operations then calculate with."""
