"""`UserError`: bad input that the user can correct, described in one sentence."""


class UserError(ValueError):
    """Bad input, described in one clear sentence: the page shows it, the command line prints it and exits with 2."""
