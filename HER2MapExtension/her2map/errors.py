"""The two ways in which a call ends early: input that cannot be used, and a user who cancels."""


class InputError(ValueError):
    """Input that cannot be used. Its text is one sentence: which file or field, and what to do."""


class Cancelled(Exception):
    """Raised by a progress callback to stop the work; the callee cleans up and lets it through."""
