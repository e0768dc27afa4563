#!/usr/bin/env python3
"""Django's command line: `manage.py up` starts the whole studio."""

import sys

from studio import env


def main() -> None:
    """Run the command named on the command line."""
    env.name_settings()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
