"""What can go wrong, said once. The docstring of an error is its message, and says whether a retry can help."""


class SamaraError(Exception):
    """Samara could not do what was asked."""

    def __str__(self) -> str:
        """Return the detail given, or the docstring when there is none."""
        return super().__str__() or (self.__doc__ or "").strip()


class ConfigurationError(SamaraError):
    """A setting is missing or wrong; nothing was started."""


class DecodeError(SamaraError):
    """The frame does not have the form that its model's document describes."""


class MessageError(SamaraError):
    """A message cannot become an event. `reason` is one of the words in `domain.quarantine`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class StoreUnavailableError(SamaraError):
    """The database does not answer; the same call may work later."""


class NotFoundError(SamaraError):
    """There is no such thing, or not for this tenant."""
