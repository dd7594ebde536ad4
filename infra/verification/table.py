"""The questions, as tests/sandbox/src/readings.rs has them; a test compares both."""

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("readings.json")


@dataclass
class Question:
    """What the documents leave open."""

    name: str
    text: str
    answers: dict  # by name: what happens then; the first is played by default
    not_asked: str  # why nobody can ask it; empty for the others

    @property
    def default(self):
        return next(iter(self.answers))


@dataclass
class Failing:
    """Readings under which the deployment does not hold together, and what follows."""

    readings: dict  # answer by question
    consequence: str


class Table:
    def __init__(self, text):
        data = json.loads(text)
        self.questions = {
            entry["question"]: Question(
                entry["question"], entry["text"],
                {answer["answer"]: answer["text"] for answer in entry["answers"]}, entry.get("notAsked", ""),
            )
            for entry in data["questions"]
        }
        self.exceptions = [
            Failing(dict(reading.split("=") for reading in entry["readings"].split()), entry["consequence"])
            for entry in data["exceptions"]
        ]

    @classmethod
    def load(cls):
        return cls(FILE.read_text())

    def consequences(self, question, answers, found):
        """What does not hold if AWS follows one of these answers.

        What was found about other questions counts; where nothing was found,
        the proof's default does.
        """
        def applies(exception):
            return exception.readings.get(question) in answers and all(
                answer in found.get(other, [self.questions[other].default])
                for other, answer in exception.readings.items() if other != question
            )

        return [exception.consequence for exception in self.exceptions if applies(exception)]
