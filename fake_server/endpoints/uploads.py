"""What the endpoints that take batches have in common: read, settle, answer, and the fault that a test asked for."""

from abc import ABC, abstractmethod

from ..exchange import Answer, Submission
from ..intake import Intake, Outcome, Reading
from ..recording import StoreError
from .answers import error_answer, faulty_answer


class UploadEndpoint(ABC):
    """An `intake.Upload`, and the handler that does both of its steps."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake

    def handle(self, submission: Submission) -> Answer:
        """Read, record and answer one submission by itself."""
        try:
            reading = self.read(submission)
            return reading if isinstance(reading, Answer) else self.answer(self.intake.settle([reading])[0])
        except StoreError as error:
            return error_answer(503, str(error))

    @abstractmethod
    def read(self, submission: Submission) -> Reading | Answer:
        """What is to be settled, or the answer if there is nothing. Raises StoreError."""

    def answer(self, outcome: Outcome) -> Answer:
        """The answer to what was settled."""
        if outcome.fault is not None:
            return faulty_answer(outcome, outcome.fault, lambda: self.answer_by_itself(outcome))
        return self.answer_by_itself(outcome)

    @abstractmethod
    def answer_by_itself(self, outcome: Outcome) -> Answer:
        """The answer where no fault says another."""
