"""`python -m raretag`, and so `torchrun … -m raretag train …`."""

from raretag.cli import main

if __name__ == "__main__":
    main()
