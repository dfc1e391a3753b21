"""The stores on AWS, through boto3."""
