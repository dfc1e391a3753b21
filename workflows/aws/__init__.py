"""The engine's ports on AWS, through boto3."""
