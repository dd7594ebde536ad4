"""What the APIs behind the steps of a pipeline take, for the sandbox to check arguments with.

    python tests/conformance/shapes.py > tests/sandbox/src/services/sagemaker/arguments/shapes.json

takes names, types and limits from the botocore of requirements.txt. The file
has a line for each shape; `test_shapes.py` fails if it is not this botocore's.
"""

import json

import botocore.session

# The operation of the API that runs a step of this type.
OPERATIONS = {
    "AutoML": "CreateAutoMLJob",
    "ClarifyCheck": "CreateProcessingJob",
    "Endpoint": "CreateEndpoint",
    "EndpointConfig": "CreateEndpointConfig",
    "InferenceComponent": "CreateInferenceComponent",
    "Model": "CreateModel",
    "Processing": "CreateProcessingJob",
    "QualityCheck": "CreateProcessingJob",
    "RegisterModel": "CreateModelPackage",
    "Training": "CreateTrainingJob",
    "Transform": "CreateTransformJob",
    "Tuning": "CreateHyperParameterTuningJob",
}

# Members of the APIs that pipelines do not know:
# aws/sagemaker-python-sdk pull request 3472 and issue 4994.
UNKNOWN = {"ModelPackageName", "AdditionalModelDataSources"}

# Values that AWS adds to as it offers more; a table would soon refuse what AWS takes.
GROWING = ("InstanceType", "AcceleratorType", "AmiVersion")

TYPES = {"integer": "Integer", "long": "Integer", "float": "Float", "double": "Float", "boolean": "Boolean"}


def table():
    """Every shape that a step's arguments can have, by name, and the shape of each step type."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    shapes = {}
    steps = {kind: visit(model.operation_model(operation).input_shape, shapes)
             for kind, operation in OPERATIONS.items()}
    return {"steps": steps, "shapes": dict(sorted(shapes.items()))}


def visit(shape, shapes):
    """Adds the shape and what is within; the name that it has in the table."""
    described = describe(shape, shapes) if shape.name not in shapes else None
    if described is not None and set(described) == {"type"}:
        return described["type"]
    if described is not None:
        shapes[shape.name] = described
    return shape.name


def describe(shape, shapes):
    limits = {name: shape.metadata[name] for name in ("min", "max") if shape.metadata.get(name)}
    if shape.type_name == "structure":
        shapes[shape.name] = {}  # A shape may hold itself.
        members = {name: visit(member, shapes) for name, member in shape.members.items() if name not in UNKNOWN}
        return {"type": "Structure", "members": members, "required": sorted(shape.required_members)}
    if shape.type_name == "list":
        return {"type": "List", "of": visit(shape.member, shapes), **limits}
    if shape.type_name == "map":
        return {"type": "Map", "of": visit(shape.value, shapes), **limits}
    if shape.type_name == "string":
        grows = any(word in shape.name for word in GROWING)
        values = {} if grows or not shape.enum else {"values": shape.enum}
        return {"type": "String", **limits, **values}
    return {"type": TYPES.get(shape.type_name, "String"), **limits}


def text():
    """The table as the file has it: a line for each shape."""
    def line(entry):
        name, value = entry
        return f"{json.dumps(name)}: {json.dumps(value)}"

    whole = table()
    steps, shapes = (",\n".join(map(line, whole[part].items())) for part in ("steps", "shapes"))
    return f'{{"steps": {{\n{steps}\n}}, "shapes": {{\n{shapes}\n}}}}\n'


if __name__ == "__main__":
    print(text(), end="")
