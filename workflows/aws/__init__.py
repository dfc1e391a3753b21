"""The engine's ports on AWS, implemented with boto3."""
