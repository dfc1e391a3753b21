"""Mutants of ``stacks/``, ``template.yaml`` and ``tools/deploy.py``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

STATE, WATCHING = "stacks/state.yaml", "stacks/watching.yaml"
ALARMS, DEPLOYING, KEEPING = "template/test_alarms.py", "template/test_deploying.py", "template/test_keeping.py"
BY_HAND = f"{ALARMS}::test_changes_of_keys_tables_roles_and_factors_by_hand_are_reported"
LINES = f"{ALARMS}::test_every_metric_filter_matches_a_log_line_of_the_code"
RESTORED = f"{DEPLOYING}::test_a_restored_table_is_the_log_of_every_later_stack_by_one_parameter"
PREPARED = f"{DEPLOYING}::test_a_restored_table_gets_its_stream_protection_and_backups_before_it_is_the_log"
PROTECTED = f"{DEPLOYING}::test_the_state_is_protected_before_the_next_stack_is_deployed"

MUTANTS = (
    Mutant(
        name="stack policy that lets a table be replaced",
        breaks="No update may replace a resource of the state: CloudFormation would go on with an empty table.",
        file="stacks/state-policy.json",
        old='["Update:Replace", "Update:Delete"]',
        new='["Update:Delete"]',
        caught_by=tests(f"{KEEPING}::test_no_update_may_replace_or_delete_a_resource_of_the_state"),
    ),
    Mutant(
        name="stack policy that is not set",
        breaks="The state has its stack policy before anything else is deployed.",
        file="tools/deploy.py",
        old="    cloudformation.set_stack_policy(StackName=stack, StackPolicyBody=STATE_POLICY.read_text())\n",
        new="",
        caught_by=tests(PROTECTED),
    ),
    Mutant(
        name="termination protection of the engine instead of the state",
        breaks="The stack of the state cannot be deleted by one command.",
        file="tools/deploy.py",
        old='        if stack.template.name == "state.yaml":\n',
        new='        if stack.template.name == "template.yaml":\n',
        caught_by=tests(PROTECTED),
    ),
    Mutant(
        name="data keys that go with a deleted stack",
        breaks="What must never be lost is retained, whatever becomes of its stack.",
        file=STATE,
        old="so there must be no backups\n    Type: AWS::DynamoDB::Table\n    DeletionPolicy: Retain\n",
        new="so there must be no backups\n    Type: AWS::DynamoDB::Table\n    DeletionPolicy: Delete\n",
        caught_by=tests(f"{KEEPING}::test_only_the_state_has_what_must_never_be_lost"),
    ),
    Mutant(
        name="restored table whose former stream starts orders",
        breaks="A restored log is the log with its own stream, or no order would start.",
        file=STATE,
        old="!If [HasRestoredEvents, !Ref RestoredEventsStream, !GetAtt Events.StreamArn]",
        new="!GetAtt Events.StreamArn",
        caught_by=tests(RESTORED),
    ),
    Mutant(
        name="restored table that roles may not read",
        breaks="Roles name the restored table, not the former one.",
        file=STATE,
        old='!If [HasRestoredEvents, !Sub "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}'
        ':table/${RestoredEvents}", !GetAtt Events.Arn]',
        new="!GetAtt Events.Arn",
        caught_by=tests(RESTORED),
    ),
    Mutant(
        name="restored table without backups",
        breaks="A restored log has what a restore leaves out: stream, backups, protection from deletion.",
        file="tools/deploy.py",
        old="    dynamodb.update_continuous_backups(\n"
        '        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}\n    )\n',
        new="",
        caught_by=tests(PREPARED),
    ),
    Mutant(
        name="restored table whose stream has no old images",
        breaks="The stream of the log has the old images, so that an overwrite shows.",
        file="tools/deploy.py",
        old='"StreamViewType": "NEW_AND_OLD_IMAGES"',
        new='"StreamViewType": "NEW_IMAGE"',
        caught_by=tests(PREPARED),
    ),
    Mutant(
        name="restored table whose stream is not passed on",
        breaks="Restoring is one parameter: the stream of the table is looked up.",
        file="tools/deploy.py",
        old='        known["RestoredEventsStream"] = prepare_restored(restored)\n',
        new="        prepare_restored(restored)\n",
        caught_by=tests(PROTECTED),
    ),
    Mutant(
        name="metric of parked orders by another message",
        breaks="Every parked order is counted by the line that the code logs.",
        file=WATCHING,
        old='{ $.message = "an order was parked" }',
        new='{ $.message = "an order is parked" }',
        caught_by=tests(LINES),
    ),
    Mutant(
        name="alarm of parked orders that waits for ten",
        breaks="One parked order is enough for an alarm.",
        file=WATCHING,
        old="      MetricName: OrdersParked\n      Statistic: Sum\n      Period: 60\n      EvaluationPeriods: 1\n"
        "      ComparisonOperator: GreaterThanOrEqualToThreshold\n      Threshold: 1\n",
        new="      MetricName: OrdersParked\n      Statistic: Sum\n      Period: 60\n      EvaluationPeriods: 1\n"
        "      ComparisonOperator: GreaterThanOrEqualToThreshold\n      Threshold: 10\n",
        caught_by=tests(LINES),
    ),
    Mutant(
        name="alarm of long open circuits that reads another namespace",
        breaks="An alarm reads the metric that its filter counts.",
        file=WATCHING,
        old='      Namespace: !Sub "Expediter/${AWS::StackName}"\n      MetricName: CircuitsOpenLong\n',
        new="      Namespace: Expediter\n      MetricName: CircuitsOpenLong\n",
        caught_by=tests(LINES),
    ),
    Mutant(
        name="silent watchdog that is no alarm",
        breaks="A timer that does not run has no metric, and that is an alarm.",
        file=WATCHING,
        old="      TreatMissingData: breaching\n",
        new="      TreatMissingData: notBreaching\n",
        caught_by=tests(f"{ALARMS}::test_every_alarm_has_a_recipient_and_a_section_of_the_runbook"),
    ),
    Mutant(
        name="alarm of the feed that a stopped feed does not raise",
        breaks="A feed that is not invoked while the log is written to is an alarm.",
        file=WATCHING,
        old="FILL(invoked, 0) == 0",
        new="invoked == 0",
        caught_by=tests(f"{ALARMS}::test_a_feed_that_does_not_run_while_the_log_is_written_to_has_an_alarm"),
    ),
    Mutant(
        name="refused starts without an alarm",
        breaks="A start that Step Functions refuses is counted by its own metric, and is an alarm.",
        file=WATCHING,
        old="      MetricName: ThrottledEvents\n      Dimensions: [{Name: APIName, Value: StartExecution}]\n",
        new="      MetricName: ThrottledEvents\n      Dimensions: [{Name: APIName, Value: SendTaskSuccess}]\n",
        caught_by=tests(f"{ALARMS}::test_throttles_and_faults_of_everything_have_alarms"),
    ),
    Mutant(
        name="key of checkpoints that may be deleted in silence",
        breaks="A change of any key of the state is reported.",
        file=WATCHING,
        old="{ARN: [!Ref TableKeyArn, !Ref CustomerKeyArn, !Ref CheckpointKeyArn]}",
        new="{ARN: [!Ref TableKeyArn, !Ref CustomerKeyArn]}",
        caught_by=tests(BY_HAND),
    ),
    Mutant(
        name="second factor that is taken away in silence",
        breaks="Every call that weakens the second factor of a user or of the pool is reported.",
        file=WATCHING,
        old="[AdminSetUserMFAPreference, AdminSetUserSettings,",
        new="[AdminSetUserSettings,",
        caught_by=tests(BY_HAND),
    ),
    Mutant(
        name="function of roles that is changed in silence",
        breaks="A change of the function that asks for second factors is reported, by its name or its ARN.",
        file=WATCHING,
        old="{functionName: [{suffix: !Ref TokenRoles}]}",
        new="{functionName: [{prefix: !Ref TokenRoles}]}",
        caught_by=tests(BY_HAND),
    ),
    Mutant(
        name="report of a change that its queue does not take",
        breaks="A message about a change by hand that the topic refuses is kept in a queue.",
        file=WATCHING,
        old="{ArnEquals: {aws:SourceArn: !GetAtt FactorsChangedRule.Arn}}",
        new="{ArnEquals: {aws:SourceArn: !GetAtt GroupsChangedRule.Arn}}",
        caught_by=tests("template/test_failures.py::test_services_may_write_to_their_dead_letter_queues"),
    ),
    Mutant(
        name="token with the role of support without a second factor",
        breaks="Support and auditors get their role with a second factor alone.",
        file=STATE,
        old='              return "SOFTWARE_TOKEN_MFA" in user.get("UserMFASettingList", ())\n',
        new='              return "UserMFASettingList" in user\n',
        caught_by=tests(
            "template/test_token_roles.py::test_a_user_without_an_authenticator_app_gets_a_token_without_the_role"
        ),
    ),
    Mutant(
        name="auditors without a second factor",
        breaks="Support and auditors need a second factor.",
        file=STATE,
        old='          NEED_SECOND_FACTOR = {"support", "auditor"}\n',
        new='          NEED_SECOND_FACTOR = {"support"}\n',
        caught_by=tests(
            "template/test_token_roles.py::test_a_user_without_an_authenticator_app_gets_a_token_without_the_role"
        ),
    ),
    Mutant(
        name="function called beside its alias",
        breaks="Machines call the alias of the steps, so that an alarm brings a bad deployment back.",
        file="template.yaml",
        old="      DefinitionUri: statemachines/order.asl.yaml\n      DefinitionSubstitutions:\n"
        "        SagaStep: !Ref SagaStep.Alias\n",
        new="      DefinitionUri: statemachines/order.asl.yaml\n      DefinitionSubstitutions:\n"
        "        SagaStep: !GetAtt SagaStep.Arn\n",
        caught_by=tests("template/test_gradual_deployments.py::test_every_call_goes_to_an_alias"),
    ),
    Mutant(
        name="resource without a price",
        breaks="Every type of resource of every stack has a price, or a reason for having none.",
        file=WATCHING,
        old="  ChangesUndeliveredPolicy:\n",
        new="  Unpriced: {Type: AWS::CloudWatch::MetricStream, Properties: {OutputFormat: json}}\n\n"
        "  ChangesUndeliveredPolicy:\n",
        caught_by=tests("template/test_costs.py::test_every_type_of_resource_has_a_price_or_a_reason_for_having_none"),
    ),
    Mutant(
        name="function of the pool that is in no bill",
        breaks="Every function of every stack is in the bill, or has a reason for not being there.",
        file="benchmarks/fixed_costs.py",
        old='    "TokenRoles": ROLES_IN_TOKENS,\n',
        new="",
        caught_by=tests("template/test_costs.py::test_every_function_is_in_the_bill_or_has_a_reason"),
    ),
    Mutant(
        name="alarm that is not in the bill of a month",
        breaks="A month's fixed costs are counted from the templates, by each metric of an alarm.",
        file="benchmarks/fixed_costs.py",
        old='sum("MetricStat" in metric for metric in alarm["Metrics"])',
        new="1",
        caught_by=tests("template/test_costs.py::test_the_bill_is_of_these_templates_and_definitions"),
    ),
)
