"""Moving tokens in from other stores, and out again."""
