"""Every request to H2O ends by the deadline of its run, in whatever thread it is made.

H2O's client (3.46) gives a request no time limit, and polls a job for 90 s although the cluster has forgotten it. Here
each request may last as long as the run has left; when nothing is left, or a job is gone, the next request raises.
"""

from __future__ import annotations

import time
from typing import Any, Final

from h2o.exceptions import H2OConnectionError, H2OResponseError

from training.training_errors import H2oUnavailable, TrainingFailed

_POLLED: Final = "GET /3/Jobs/"


class RequestDeadline:
    """Stands before the `request` of one connection, through which all of H2O's client goes."""

    def __init__(self, connection: Any, seconds: float) -> None:
        self._connection, self._request = connection, connection.request
        self.extend(seconds)
        connection.request = self.request

    def extend(self, seconds: float) -> None:
        """From now on the deadline is so far away."""
        self.seconds, self._until = seconds, time.monotonic() + seconds

    def has_passed(self) -> bool:
        return time.monotonic() >= self._until

    def request(self, endpoint: str, *args: Any, **more: Any) -> Any:
        """As H2O's own.

        Raises:
            TrainingFailed: the deadline passed while a job was polled; the client would try this again.
            H2oUnavailable: the cluster knows nothing of a job that it was given.
            H2OConnectionError: any other request after the deadline, or one that lasts until then.
        """
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise self.expired() if endpoint.startswith(_POLLED) else H2OConnectionError(str(self.expired()))
        self._connection.timeout_interval = left_s
        try:
            return self._request(endpoint, *args, **more)
        except H2OResponseError as error:
            if endpoint.startswith(_POLLED):
                raise H2oUnavailable("a job is gone; H2O was restarted during the run") from error
            raise

    def expired(self) -> TrainingFailed:
        text = f"H2O took more than {self.seconds:g} s for one run; the run is given up"
        return TrainingFailed(text, "H2O takes too long for a run")
