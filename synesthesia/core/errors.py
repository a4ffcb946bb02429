"""The one kind of error that is the person's to mend."""


class UserError(ValueError):
    """Bad input, described in one clear sentence: the page shows it, the command line prints it and exits with 2."""
