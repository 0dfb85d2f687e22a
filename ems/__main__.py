"""``python -m ems`` is the same as the command ``ems``."""

from ems.cli import main

if __name__ == "__main__":
    main()
