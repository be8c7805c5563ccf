"""CodeDeploy acting with its service role: on ECS, ELBv2 and Lambda, by boto3."""
