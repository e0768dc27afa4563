"""The expression language: SQL scalar syntax, an allow-list, our ten types, Ibis values as the result."""
