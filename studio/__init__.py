"""The shell: settings, start-up, API assembly, health, demo city."""

__version__ = "0.3.0"
