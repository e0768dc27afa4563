from runtime.engine import no_pandas  # noqa: F401 (before anything makes an array)
