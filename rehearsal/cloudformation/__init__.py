"""CloudFormation templates, whose blue/green hook says what an AppSpec says."""
