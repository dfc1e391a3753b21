"""Reading a SAM template: what it defines, and its errors by resource and field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workflows.embedded.step_functions.machines import read_machines
from workflows.embedded.template import ParameterUnknown, Template, TemplateInvalid, read_template

DEFINITION = """
QueryLanguage: JSONata
StartAt: Wait
States:
  Wait: {Type: Wait, Seconds: ${Seconds}, End: true}
"""
TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  WaitSeconds: {Type: Number, Default: 600}
  Stage: {Type: String, Default: dev}
  ProviderUrl: {Type: String}
  EventsStream: {Type: String}
Globals:
  Function: {Timeout: 30, MemorySize: 512, Environment: {Variables: {STAGE: !Ref Stage, SHARED: global}}}
Resources:
  Table: {Type: "AWS::DynamoDB::Table", Properties: {Anything: !If [Never, 1, 2]}}
  Api:
    Type: AWS::Serverless::Function
    Properties:
      Handler: handlers.http.api.handler
      Timeout: 5
      Environment:
        Variables:
          MACHINE: !Ref Machine
          FUNCTION: !GetAtt Api.Arn
          ALIAS: !Ref Api.Alias
          TABLE: !Ref Table
          TABLE_ARN: !GetAtt Table.Arn
          PROVIDER: !Ref ProviderUrl
          TEXT: !Sub "${Stage}-${Api.Arn}-${AWS::Region}-${!Literal}"
          WORD: !Sub ["${Word}", {Word: !Ref Stage}]
          SHARED: own
          NUMBER: 3
          FLAG: true
      Events:
        Get: {Type: HttpApi, Properties: {Method: get, Path: "/orders/{order_id}"}}
        Docs: {Type: HttpApi, Properties: {Method: GET, Path: /docs, Auth: {Authorizer: NONE}}}
        Stream: {Type: DynamoDB, Properties: {Stream: !Ref EventsStream}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      DefinitionUri: machine.asl.yaml
      DefinitionSubstitutions: {Seconds: !Ref WaitSeconds}
"""


def read(folder: Path, template: str = TEMPLATE, definition: str = DEFINITION, **parameters: str) -> Template:
    (folder / "machine.asl.yaml").write_text(definition)
    (folder / "template.yaml").write_text(template)
    return read_template(folder / "template.yaml", parameters)


def test_a_function_has_its_handler_its_limits_and_its_environment(tmp_path: Path) -> None:
    """Globals first, then its own; references resolved to the names of the embedded engine."""
    api = read(tmp_path).functions["Api"]
    assert (api.handler, api.timeout_s, api.memory_mb) == ("handlers.http.api.handler", 5, 512)
    assert api.environment == {
        "STAGE": "dev",
        "SHARED": "own",
        "MACHINE": "arn:aws:states:local:000000000000:stateMachine:Machine",
        "FUNCTION": "arn:aws:lambda:local:000000000000:function:Api",
        "ALIAS": "arn:aws:lambda:local:000000000000:function:Api",
        "TABLE": "Table",
        "TABLE_ARN": "arn:aws:dynamodb:local:000000000000:Table",
        "TEXT": "dev-arn:aws:lambda:local:000000000000:function:Api-local-${Literal}",
        "WORD": "dev",
        "NUMBER": "3",
        "FLAG": "true",
    }


def test_routes_are_the_http_events(tmp_path: Path) -> None:
    """The embedded engine ignores other events."""
    routes = read(tmp_path).functions["Api"].routes
    assert [(route.method, route.path, route.open) for route in routes] == [
        ("GET", "/orders/{order_id}", False),
        ("GET", "/docs", True),
    ]


def test_a_parameter_reaches_the_definition(tmp_path: Path) -> None:
    """Its default, or the value of an override."""
    for parameters, seconds in (({}, "600"), ({"WaitSeconds": "2"}, "2")):
        template = read(tmp_path, **parameters)
        assert f"Seconds: {seconds}," in read_machines(template)["Machine"].definition.text
        assert template.machines["Machine"].express


def test_an_unknown_parameter_is_refused_by_name(tmp_path: Path) -> None:
    """A misspelt override would silently run with the default."""
    with pytest.raises(ParameterUnknown, match=r"WaitSecond; it has: WaitSeconds, Stage, ProviderUrl"):
        read(tmp_path, WaitSecond="2")


def test_a_parameter_without_a_value_is_refused_only_where_it_is_needed(tmp_path: Path) -> None:
    """An environment variable is left out; a definition cannot be completed without it."""
    assert "PROVIDER" not in read(tmp_path).functions["Api"].environment
    assert read(tmp_path, ProviderUrl="https://p.example").functions["Api"].environment["PROVIDER"].endswith("example")
    with pytest.raises(ParameterUnknown, match=r"ProviderUrl .* has no default"):
        read(tmp_path, TEMPLATE.replace("Seconds: !Ref WaitSeconds", "Seconds: !Ref ProviderUrl"))


def test_a_number_is_a_number(tmp_path: Path) -> None:
    """The message names the parameter and the value."""
    with pytest.raises(ParameterUnknown, match=r"WaitSeconds .* must be a number, not 'soon'"):
        read(tmp_path, WaitSeconds="soon")


@pytest.mark.parametrize("text", ["0", "-1", "0.9", "100000000", "9" * 400])
def test_a_number_out_of_bounds_is_refused(tmp_path: Path, text: str) -> None:
    """As CloudFormation does: a time of -1 s would only show at the first order that waits."""
    bounded = TEMPLATE.replace("{Type: Number,", "{Type: Number, MinValue: 1, MaxValue: 99999999,")
    assert read(tmp_path, bounded, WaitSeconds="1")
    with pytest.raises(ParameterUnknown, match=r"WaitSeconds .* must be from 1 to 99999999, not"):
        read(tmp_path, bounded, WaitSeconds=text)


@pytest.mark.parametrize(
    ("constraint", "right", "wrong", "words"),
    [
        ("AllowedValues: [dev, live]", "live", "prod", "must be one of dev, live, not 'prod'"),
        ('AllowedPattern: "[a-z]+"', "live", "live 2", "must match [a-z]+, unlike 'live 2'"),
    ],
)
def test_a_value_that_a_parameter_does_not_allow_is_refused(
    tmp_path: Path, constraint: str, right: str, wrong: str, words: str
) -> None:
    """As CloudFormation does: a limit that cannot be read would only show at the first order."""
    constrained = TEMPLATE.replace("Stage: {Type: String,", f"Stage: {{Type: String, {constraint},")
    assert read(tmp_path, constrained, Stage=right)
    with pytest.raises(ParameterUnknown, match=re.escape(words)):
        read(tmp_path, constrained, Stage=wrong)


WRONG = [
    ("Handler: handlers.http.api.handler", "Handler: nonsense", "Api", "Handler"),
    ("Handler: handlers.http.api.handler", "Handlers: handlers.http.api.handler", "Api", "Handler"),
    ("Timeout: 5", "Timeout: soon", "Api", "Timeout"),
    ("Timeout: 5", "Timeout: !If [A, 1, 2]", "Api", "Timeout"),
    ("!GetAtt Api.Arn", "!GetAtt Apis.Arn", "Api", "Environment.Variables.FUNCTION"),
    ("!GetAtt Api.Arn", "!GetAtt Events.StreamArn", "Api", "Environment.Variables.FUNCTION"),
    ("TABLE: !Ref Table", "TABLE: !Ref Nothing", "Api", "Environment.Variables.TABLE"),
    ("TABLE: !Ref Table", "TABLE: !Ref Table.Alias", "Api", "Environment.Variables.TABLE"),
    ("NUMBER: 3", "NUMBER: [3]", "Api", "Environment.Variables.NUMBER"),
    ("NUMBER: 3", "NUMBER:", "Api", "Environment.Variables.NUMBER"),
    ("Method: get", "Method: fetch", "Api", "Events.Get.Method"),
    ("{Method: get, ", "{", "Api", "Events.Get.Method"),
    ("/orders/{order_id}", "orders", "Api", "Events.Get.Path"),
    ("Type: DynamoDB", "Type: Kinesis", "Api", "Events.Stream.Type"),
    ("Type: DynamoDB, ", "", "Api", "Events.Stream.Type"),
    ("{Type: DynamoDB, Properties: {Stream: !Ref EventsStream}}", "DynamoDB", "Api", "Events.Stream"),
    ("!Ref EventsStream", "!Ref OtherStream", "Api", "Events.Stream.Stream"),
    ("{Stream: !Ref EventsStream}", "{}", "Api", "Events.Stream.Stream"),
    ("Type: EXPRESS", "Type: FAST", "Machine", "Type"),
    ("machine.asl.yaml", "other.asl.yaml", "Machine", "DefinitionUri"),
    ('"AWS::DynamoDB::Table"', "", "Table", "Type"),
    ("Resources:", "Resource:", "", "Resources"),
    ("Parameters:", "Parameters: [", "", ""),
]


@pytest.mark.parametrize(("right", "wrong", "resource", "field"), WRONG)
def test_an_error_names_resource_and_field(tmp_path: Path, right: str, wrong: str, resource: str, field: str) -> None:
    """With its resource and field, so that it can be found."""
    with pytest.raises(TemplateInvalid) as invalid:
        read(tmp_path, TEMPLATE.replace(right, wrong))
    assert (invalid.value.resource, invalid.value.field) == (resource, field)
    assert "template.yaml" in str(invalid.value)


def test_a_placeholder_without_a_value_is_named(tmp_path: Path) -> None:
    """With its machine."""
    with pytest.raises(TemplateInvalid, match=r"Machine\.DefinitionSubstitutions: .*\$\{Minutes\}"):
        read_machines(read(tmp_path, definition=DEFINITION.replace("${Seconds}", "${Minutes}")))


def test_a_wrong_definition_is_named_with_its_state(tmp_path: Path) -> None:
    """And its file."""
    with pytest.raises(TemplateInvalid, match=r"machine\.asl\.yaml: Machine: .*Nowhere"):
        read_machines(read(tmp_path, definition=DEFINITION.replace("End: true", "Next: Nowhere")))


WAITING = """
QueryLanguage: JSONata
StartAt: Both
States:
  Both:
    Type: Parallel
    Branches:
      - StartAt: Wait
        States:
          Wait:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
            Arguments: {FunctionName: Api}
            End: true
    End: true
"""


def test_an_express_machine_that_waits_is_refused(tmp_path: Path) -> None:
    """AWS refuses it too: Express executions have no tokens and no ``.sync``."""
    with pytest.raises(TemplateInvalid, match=r"state 'Both/Branches\[0\]/Wait': Resource: Express state machine"):
        read_machines(read(tmp_path, definition=WAITING))
    standard = TEMPLATE.replace("Type: EXPRESS", "Type: STANDARD")
    assert read_machines(read(tmp_path, standard, WAITING))


def test_a_missing_template_is_refused_by_its_path(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(TemplateInvalid, match=r"template\.yaml: cannot be read"):
        read_template(tmp_path / "template.yaml")


def _scheduled(tmp_path: Path, properties: str) -> Template:
    path = tmp_path / "template.yaml"
    path.write_text(f"""
Resources:
  Timer:
    Type: AWS::Serverless::Function
    Properties:
      Handler: handlers.timer.handler
      Events: {{Every: {{Type: ScheduleV2, Properties: {properties}}}}}
""")
    return read_template(path)


@pytest.mark.parametrize(
    ("expression", "every_s"), [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 hours)", 7200)]
)
def test_a_schedule_says_how_often_and_with_what(tmp_path: Path, expression: str, every_s: int) -> None:
    """EventBridge's rate expressions, and the event as JSON."""
    template = _scheduled(tmp_path, f"{{ScheduleExpression: {expression}, Input: '{{\"for_s\": 50}}'}}")
    assert [(s.every_s, s.event) for s in template.functions["Timer"].schedules] == [(every_s, {"for_s": 50})]


def test_an_event_source_that_the_engine_lacks_is_refused_by_name(tmp_path: Path) -> None:
    """Otherwise its function would never be called, and the template looks as if it were."""
    with pytest.raises(TemplateInvalid, match="'Kinesis' is not one of HttpApi, ScheduleV2, DynamoDB, SQS"):
        read(tmp_path, TEMPLATE.replace("Type: DynamoDB,", "Type: Kinesis,"))


@pytest.mark.parametrize(
    "properties",
    [
        "{ScheduleExpression: 'cron(0 12 * * ? *)'}",
        "{ScheduleExpression: rate(0 minutes)}",
        "{Input: '{}'}",
        "{ScheduleExpression: rate(1 minute), Input: '[]'}",
        "{ScheduleExpression: rate(1 minute), Input: 'no json'}",
    ],
)
def test_a_schedule_that_is_not_run_here_is_refused(tmp_path: Path, properties: str) -> None:
    """Otherwise its function would never be called."""
    with pytest.raises(TemplateInvalid, match="Timer"):
        _scheduled(tmp_path, properties)
