"""What happens around the steps of a training, one concern a file."""
