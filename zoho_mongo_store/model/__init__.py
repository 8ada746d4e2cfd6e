"""Pure rules: a token as a document and back, and the find order."""
