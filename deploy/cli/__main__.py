"""`python -m deploy.cli` is `samara`."""

from deploy.cli import main

if __name__ == "__main__":
    main()
