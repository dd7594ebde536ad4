"""What was found, for people and for machines."""

import json
from dataclasses import dataclass, field


@dataclass
class Verdict:
    """What is known of a question in the end."""

    question: object
    answers: list  # none if AWS follows no known answer, or nobody could ask
    holds: bool
    details: list = field(default_factory=list)
    is_asked: bool = True
    is_missing: bool = False  # it should have been asked and could not be

    @property
    def follows(self):
        if self.is_missing:
            return "could not be asked"
        if not self.is_asked:
            return "not asked"
        return " or ".join(self.answers) or "no known reading"

    def to_json(self):
        return {
            "question": self.question.name, "text": self.question.text, "follows": self.follows,
            "answers": self.answers, "default": self.question.default, "holds": self.holds, "details": self.details,
        }


def judge(table, findings, missing):
    """A verdict for each question that was asked or that nobody asks."""
    found = {name: finding.answers for name, finding in findings.items()}
    for name, question in table.questions.items():
        if name in findings:
            finding = findings[name]
            consequences = table.consequences(name, finding.answers, found)
            unknown = [] if finding.answers else ["The proof does not know this behaviour."]
            meanings = [f"{answer}: {question.answers[answer]}" for answer in finding.answers]
            yield Verdict(
                question, finding.answers, not consequences and not unknown,
                meanings + finding.details + unknown + consequences,
            )
        elif name in missing or question.not_asked:
            consequences = table.consequences(name, list(question.answers), found)
            yield Verdict(
                question, [], not consequences, [missing.get(name) or question.not_asked] + consequences,
                is_asked=False, is_missing=name in missing,
            )


def holds(verdict):
    if verdict.is_asked:
        return "yes" if verdict.holds else "no"
    return "yes, under any" if verdict.holds else "not under any"


def for_people(verdicts, leftovers):
    rows = [("QUESTION", "AWS FOLLOWS", "PLAYED BY DEFAULT", "HOLDS")]
    rows += [(each.question.name, each.follows, each.question.default, holds(each)) for each in verdicts]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]]) for row in rows]
    for each in verdicts:
        lines += ["", f"{each.question.name}: {each.question.text}", *(f"  {detail}" for detail in each.details)]
    if leftovers:
        lines += ["", "Left behind, to be removed by --clean-up or by hand:", *(f"  {line}" for line in leftovers)]
    return "\n".join(lines)


def for_machines(run, verdicts, leftovers):
    return json.dumps({
        "owner": run.owner.id, "consumer": run.consumer.id, "region": run.owner.region,
        "holds": is_good(verdicts, leftovers), "questions": [each.to_json() for each in verdicts],
        "leftBehind": leftovers,
    }, indent=2)


def is_good(verdicts, leftovers):
    return not leftovers and all(each.holds and not each.is_missing for each in verdicts)
