"""What a machine offers to a detector, and what its owner could change: findings, advice, a report."""
