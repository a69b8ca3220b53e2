"""What the product does, each a function over the ports."""
