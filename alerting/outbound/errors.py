"""How a delivery can fail."""

from domain.errors import SamaraError


class DeliveryError(SamaraError):
    """The notice was not delivered.

    `permanent` says that the same delivery will never succeed (no such address, refused for good): it becomes a
    dead letter at once. Otherwise it is tried again, not before `retry_after_s` seconds when the other side said so.
    """

    def __init__(self, detail: str, *, permanent: bool, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.permanent = permanent
        self.retry_after_s = retry_after_s
