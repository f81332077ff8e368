"""What others do, for comparison."""
