"""One refresh for the whole fleet."""
