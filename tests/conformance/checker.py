"""Holds every answer of the sandbox against botocore's model of the service.

botocore itself is lenient: it drops what it does not know. This looks at the
raw answer, so that a misspelt member or a number sent as text is an error.
"""

import json
import re
from xml.etree import ElementTree

# Errors that any operation may answer with although its model does not list
# them, and their HTTP status.
COMMON_ERRORS = {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    "AccessDeniedException": 400,
    # SQS, SNS and STS of the query protocol: API reference, "Common Error Types".
    "AccessDenied": 403,
    "AuthorizationError": 403,
    "InvalidClientTokenId": 403,
    "MissingParameter": 400,
    "InvalidParameterValue": 400,
    "ValidationError": 400,
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
    "ThrottlingException": 400,
    "UnrecognizedClientException": 400,
    "ValidationException": 400,
    # https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
    "SerializationException": 400,
    # What the sandbox lacks, it says.
    "NotImplemented": 501,
}
# In rest-json, what concerns identity has the status of HTTP (API references
# of RAM and Lambda, "Common Errors").
REST_ERRORS = {"AccessDeniedException": 403, "UnrecognizedClientException": 403}

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
S3_ERRORS = {
    "AccessControlListNotSupported": 400, "AccessDenied": 403, "AuthorizationHeaderMalformed": 400, "BadDigest": 400,
    "BucketAlreadyExists": 409, "BucketAlreadyOwnedByYou": 409, "BucketNotEmpty": 409, "EntityTooLarge": 400,
    "EntityTooSmall": 400, "IllegalLocationConstraintException": 400, "IllegalVersioningConfigurationException": 400,
    "IncompleteBody": 400, "InvalidAccessKeyId": 403, "InvalidArgument": 400, "InvalidBucketName": 400,
    "InvalidDigest": 400, "InvalidLocationConstraint": 400, "InvalidPart": 400, "InvalidPartOrder": 400,
    "InvalidRange": 416, "InvalidRequest": 400, "KeyTooLongError": 400, "MalformedXML": 400, "MetadataTooLarge": 400,
    "MethodNotAllowed": 405, "NoSuchBucket": 404, "NoSuchKey": 404, "NoSuchUpload": 404, "NoSuchVersion": 404,
    "NotImplemented": 501, "PreconditionFailed": 412,
}

NUMBERS = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}


def check(http_response, parsed, model):
    """Raises AssertionError if the answer is not one of the operation's."""
    headers = http_response.headers
    request_id = headers.get("x-amzn-requestid") or headers.get("x-amz-request-id")
    assert request_id, "the answer has no request id"
    if http_response.status_code >= 300:
        check_error(http_response, parsed, model)
        return
    expected = (model.http or {}).get("responseCode", 200)
    if "content-range" in headers:
        expected = 206
    members = shape_members(model)
    if not any(member.serialization.get("location") == "statusCode" for member in members):
        assert http_response.status_code == expected, "the status is not the model's"
    shape = model.output_shape
    if model.has_streaming_output:
        return
    body = http_response.content
    if model.service_model.protocol == "rest-xml":
        check_rest_xml(body, shape, model)
    elif model.service_model.protocol == "query":
        check_query(body, shape, model)
    elif shape is None:
        assert body in (b"", b"{}"), f"the operation has no output: {body!r}"
    elif shape.serialization.get("payload") is None:
        check_json(json.loads(body or b"{}"), shape, model.name, body_only=True)


def shape_members(model):
    return model.output_shape.members.values() if model.output_shape else ()


def check_error(http_response, parsed, model):
    """The code must be modelled or common, and the status belong to it."""
    error = parsed["Error"]
    status = http_response.status_code
    assert error.get("Message"), f"{error['Code']} says nothing"
    if model.service_model.protocol == "rest-xml":
        # The answer to HEAD has no body, and the status is all that is known of it.
        code = error["Code"]
        expected = int(code) if code.isdigit() else S3_ERRORS.get(code)
        assert status == expected, f"{code} has status {status}, not {expected}"
        return
    for shape in model.error_shapes:
        modelled = shape.metadata.get("error", {})
        # Where SQS shows a code of the query protocol, botocore keeps the other.
        code = error.get("QueryErrorCode", error["Code"])
        if code in (shape.name, modelled.get("code")):
            expected = modelled.get("httpStatusCode", 400)
            assert status == expected, f"{error['Code']} has status {status}, not {expected}"
            return
    common = dict(COMMON_ERRORS)
    if model.service_model.protocol == "rest-json":
        common.update(REST_ERRORS)
    assert error["Code"] in common, f"{model.name} does not answer with {error['Code']}"
    expected = common[error["Code"]]
    assert status == expected, f"{error['Code']} has status {status}, not {expected}"


def check_json(value, shape, path, body_only=False):
    """A JSON value against a shape."""
    kind = shape.type_name
    assert value is not None, f"{path} is null instead of absent"
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return
        assert isinstance(value, dict), f"{path} is not an object"
        members = shape.members.items()
        if body_only:
            members = [(name, member) for name, member in members if in_body(member)]
        known = {member.serialization.get("name", name): member for name, member in members}
        unknown = value.keys() - known.keys()
        assert not unknown, f"{path} has unknown members {sorted(unknown)}"
        check_required(shape, value, path)
        for name, member in value.items():
            check_json(member, known[name], f"{path}.{name}")
    elif kind == "list":
        assert isinstance(value, list), f"{path} is not a list"
        # Services show empty lists also where their models want one item, for
        # instance the invalid labels of ssm:LabelParameterVersion.
        if value:
            check_size(len(value), shape, path)
        for index, member in enumerate(value):
            check_json(member, shape.member, f"{path}[{index}]")
    elif kind == "map":
        assert isinstance(value, dict), f"{path} is not a map"
        for key, member in value.items():
            check_text(key, shape.key, f"{path} key {key}")
            check_json(member, shape.value, f"{path}.{key}")
    elif kind in NUMBERS:
        fits = isinstance(value, NUMBERS[kind]) and not isinstance(value, bool)
        assert fits, f"{path} is no {kind}: {value!r}"
    elif kind == "boolean":
        assert isinstance(value, bool), f"{path} is no boolean: {value!r}"
    elif kind == "timestamp":
        form = shape.serialization.get("timestampFormat", "unixTimestamp")
        fits = isinstance(value, (int, float) if form == "unixTimestamp" else str)
        assert fits, f"{path} is no timestamp: {value!r}"
    else:
        assert isinstance(value, str), f"{path} is no text: {value!r}"
        check_text(value, shape, path)


def in_body(shape):
    return shape.serialization.get("location") not in ("header", "headers", "statusCode", "uri")


def check_required(shape, value, path):
    names = {name: shape.members[name].serialization.get("name", name) for name in shape.required_members}
    missing = [name for name, wire in names.items() if wire not in value and in_body(shape.members[name])]
    assert not missing, f"{path} lacks {missing}"


def check_size(size, shape, path):
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", size)
    assert least <= size <= most, f"{path} has the size {size}, not {least} to {most}"


def check_text(value, shape, path):
    """Enumerations, lengths and, as far as Python reads them, patterns."""
    if shape.type_name != "string":
        return
    check_size(len(value), shape, path)
    enum = getattr(shape, "enum", None)
    assert not enum or value in enum, f"{path} is {value}, which is none of {enum}"
    pattern = shape.metadata.get("pattern")
    if pattern and "\\p{" not in pattern:
        assert re.fullmatch(pattern, value, re.DOTALL), f"{path} is {value}, not {pattern}"


def check_query(body, shape, model):
    """The XML of the query protocol against the operation's output."""
    root = ElementTree.fromstring(body)
    namespace = root.tag.partition("}")[0] + "}"
    assert namespace == f"{{{model.metadata['xmlNamespace']}}}", f"{namespace} is another namespace"
    assert root.tag == f"{namespace}{model.name}Response", f"{root.tag} is no answer"
    for element in root.iter():
        element.tag = element.tag.replace(namespace, "")
    assert root.findtext("ResponseMetadata/RequestId"), "there is no request id"
    if shape is not None:
        result = root.find(shape.serialization["resultWrapper"])
        assert result is not None, "there is no result"
        check_xml(result, shape, model.name)


def check_rest_xml(body, shape, model):
    """The XML of S3, where what is no header is a child of the root."""
    if not shape or not any(in_body(member) for member in shape.members.values()):
        assert body == b"", f"the operation has no document: {body!r}"
        return
    root = ElementTree.fromstring(body)
    namespace = root.tag.partition("}")[0] + "}"
    assert namespace == "{http://s3.amazonaws.com/doc/2006-03-01/}", f"{namespace} is another namespace"
    for element in root.iter():
        element.tag = element.tag.replace(namespace, "")
    if model.name == "GetBucketLocation":
        # Its only member is the text of the root.
        assert root.tag == "LocationConstraint"
        return
    payload = shape.serialization.get("payload")
    shape = shape.members[payload] if payload else shape
    known = {member.serialization.get("name", name): member for name, member in shape.members.items() if in_body(member)}
    for child in root:
        assert child.tag in known, f"{model.name} has the unknown member {child.tag}"
        check_xml(child, known[child.tag], f"{model.name}.{child.tag}")


def check_xml(element, shape, path):
    """An XML element against a shape."""
    kind = shape.type_name
    if kind == "structure":
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        names = {child.tag for child in element}
        assert names <= known.keys(), f"{path} has unknown members {sorted(names - known.keys())}"
        check_required(shape, names, path)
        for child in element:
            check_xml(child, known[child.tag], f"{path}.{child.tag}")
    elif kind == "list" and shape.serialization.get("flattened"):
        check_xml(element, shape.member, path)
    elif kind == "list":
        name = shape.member.serialization.get("name", "member")
        for child in element:
            assert child.tag == name, f"{path} has {child.tag}, not {name}"
            check_xml(child, shape.member, f"{path}.{name}")
    elif kind == "map":
        for child in element:
            assert [part.tag for part in child] == ["key", "value"], f"{path} is no map"
            check_xml(child[0], shape.key, f"{path} key")
            check_xml(child[1], shape.value, f"{path}.{child[0].text}")
    elif kind in NUMBERS:
        float(element.text)
    elif kind == "boolean":
        assert element.text in ("true", "false"), f"{path} is no boolean: {element.text}"
    elif kind == "timestamp":
        assert re.match(r"\d{4}-\d\d-\d\dT", element.text), f"{path} is no timestamp: {element.text}"
    else:
        check_text(element.text or "", shape, path)
