"""The expression language: SQL scalar syntax, an allow-list, our nine types, Ibis values as the result."""
