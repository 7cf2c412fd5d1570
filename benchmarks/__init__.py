"""What is measured, against what a user would pick instead and against the limit of the machine."""
