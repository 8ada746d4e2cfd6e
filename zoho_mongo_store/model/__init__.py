"""Pure rules: tokens as documents, the find order, and what a login is."""
