"""A SELECT of the ``sql`` step, compiled to an Ibis relation: see ``query``."""
