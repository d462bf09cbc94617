"""What a data set is like: numbers, and a page with plots."""
