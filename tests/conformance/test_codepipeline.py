"""CodePipeline's jobs, as a function answers them; what becomes of the answers is left to the scenarios."""

from cases import Case, each

MODEL = "codepipeline-2015-07-09, service-2.json"
NOBODYS = "00000000-0000-4000-a000-000000000000"


def answer(name, operation, arguments, error, **more):
    return Case(name, "shared", "codepipeline", operation, MODEL, {"jobId": NOBODYS, **arguments}, None, error, **more)


def failure(kind="JobFailed", message="it failed"):
    return {"failureDetails": {"type": kind, "message": message}}


CASES = [
    answer("success of a job that is not there", "PutJobSuccessResult", {}, "JobNotFoundException"),
    answer("failure of a job that is not there", "PutJobFailureResult", failure(), "JobNotFoundException"),
    answer("details of a job that is not there", "GetJobDetails", {}, "JobNotFoundException"),
    answer("what is no id of a job", "PutJobSuccessResult", {"jobId": "J"}, "ValidationException", message="regular expression"),
    answer("ids are in small letters", "GetJobDetails", {"jobId": NOBODYS.replace("a", "A")}, "ValidationException"),
    answer("a token that is too long", "PutJobSuccessResult", {"continuationToken": "t" * 2049}, "ValidationException"),
    answer("a summary that is too long", "PutJobSuccessResult", {"executionDetails": {"summary": "s" * 2049}}, "ValidationException"),
    answer("more than all", "PutJobSuccessResult", {"executionDetails": {"percentComplete": 101}}, "ValidationException"),
    answer("a name that no variable has", "PutJobSuccessResult", {"outputVariables": {"a.b": "c"}}, "ValidationException"),
    answer("variables of a job that goes on", "PutJobSuccessResult", {"continuationToken": "t", "outputVariables": {"a": "b"}}, "ValidationException"),
    answer("variables that are too large", "PutJobSuccessResult", {"outputVariables": {"a": "b" * 122_880}}, "OutputVariablesSizeExceededException"),
    answer("a failure of no known type", "PutJobFailureResult", failure("Odd"), "ValidationException", message="enum value set"),
    answer("a message that is too long", "PutJobFailureResult", failure(message="m" * 5001), "ValidationException"),
]


@each(CASES)
def test_answers_to_jobs(case, context):
    case.run(context)
