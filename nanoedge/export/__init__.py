"""From a checkpoint to a bundle: strip, fold, convert, prove parity, write."""
