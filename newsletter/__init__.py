"""A personalised digest newsletter."""
