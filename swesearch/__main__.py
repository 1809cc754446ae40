"""`python -m swesearch`."""

from swesearch.cli import main

main()
