"""For SAM's environment: translates a template to CloudFormation's own language, definitions inlined."""

import json
import os
import sys
from pathlib import Path

import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
path = Path(sys.argv[1])
template = yaml_parse(path.read_text())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = {"Bucket": sys.argv[2], "Key": sys.argv[3]}
    if resource["Type"] == "AWS::Serverless::StateMachine":
        definition = path.parent / resource["Properties"].pop("DefinitionUri")
        resource["Properties"]["Definition"] = yaml.safe_load(definition.read_text())


class NoManagedPolicies:
    def load(self):
        return {}


print(json.dumps(transform(template, {}, NoManagedPolicies())))
