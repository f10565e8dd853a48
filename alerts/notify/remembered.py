"""The memory twin of a channel: keeps what it was given, and answers as it is told to."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from alerts.notify.channels import Answer, Message, Outcome


def take(_: Message) -> Answer:
    """Answer that the message was taken."""
    return Answer(outcome=Outcome.SENT)


class MemoryChannel:
    """A list of messages.

    Parameters
    ----------
    answer
        Says what to answer to a message; by default everything is taken.
    """

    def __init__(self, answer: Callable[[Message], Answer] = take) -> None:
        self.answer = answer
        self.tried: list[Message] = []
        self.taken: list[Message] = []
        self._lock = Lock()

    def send(self, message: Message) -> Answer:
        """Keep the message when the answer is that it was taken."""
        said = self.answer(message)
        with self._lock:
            self.tried.append(message)
            if said.outcome in {Outcome.SENT, Outcome.RECEIVED}:
                self.taken.append(message)
        return said
